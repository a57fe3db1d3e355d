"""`python -m search tune`: the encoder learns from a file of articles."""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from search.encoder import EncoderError
from search.importing import ImportRefused, ImportReport, read_articles
from search.tuning.compare import Comparison
from search.tuning.export import ExportError
from search.tuning.pairs import confirmed_from
from search.tuning.train import Recipe, Stopped
from search.tuning.tune import TooFew, plan, tune

HELP = "fine-tune the encoder on a community's own threads; the model is kept only if it finds answers better"
WON, LOST, WRONG, STOPPED = 0, 1, 2, 130


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    own = Recipe()
    parser.add_argument("articles", type=Path, help="a file or folder as `flask articles import` takes")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the model's folder; must not exist yet")
    parser.add_argument("--pairs", type=Path, metavar="FILE", help="JSON lines: transcript, article_id (seen to help)")
    parser.add_argument("--minutes", type=float, default=50.0, help="the whole run takes about so long at most (50)")
    parser.add_argument("--threads", type=int, default=2, help="cores to use (2)")
    parser.add_argument("--epochs", type=int, default=own.epochs, help=f"times through the pairs ({own.epochs})")
    parser.add_argument("--learning-rate", type=float, default=own.learning_rate, help=f"({own.learning_rate})")


def run(given: argparse.Namespace) -> int:
    """0: the model won and lies in `--out`. 1: it lost, nothing was written. 2: an error. 130: stopped, goes on."""
    console = Console()
    wrong = Console(stderr=True)
    if given.out.exists():
        wrong.print(f"{given.out} exists already: name a folder that does not", markup=False)
        return WRONG
    try:
        report = ImportReport()
        articles = list(read_articles(given.articles, report))
        confirmed = confirmed_from(given.pairs.read_text("utf-8").splitlines()) if given.pairs else []
        course = plan(articles, confirmed)
        console.print(
            f"{report.kept} articles read, {len(report.skipped)} left out; {len(course.hidden)} threads held back, "
            f"{len(course.judged)} of them to judge by"
        )
        recipe = Recipe(learning_rate=given.learning_rate, epochs=given.epochs)
        with _Bar(console) as bar, _Asked() as stop:
            result = tune(
                course, given.out, given.minutes * 60, recipe=recipe, threads=given.threads, stop=stop, told=bar.told
            )
    except Stopped:
        wrong.print("Stopped; what it has learnt is kept. The same command goes on from there.")
        return STOPPED
    except (EncoderError, ExportError, ImportRefused, TooFew, OSError, ValueError) as error:
        wrong.print(str(error), markup=False)
        return WRONG
    console.print(table(result))
    if not result.won:
        console.print("The tuned model is not better beyond chance: it was thrown away, and the search stays as it is.")
        return LOST
    console.print(f"It won and lies in {given.out}. To serve it: ENCODER_MODEL={given.out}, then `flask index build`.")
    return WON


def table(result: Comparison) -> Table:
    """Base and tuned side by side."""
    drawn = Table(title=f"{result.threads} askers of threads held back look for their answers")
    for heading in ("", "as it was", "tuned", "difference (95 % interval)"):
        drawn.add_column(heading, justify="right" if heading else "left")
    for name, before in result.base.items():
        after = result.tuned[name]
        span = f" ({result.low:+.4f} to {result.high:+.4f})" if name.startswith("MRR") else ""
        drawn.add_row(name, f"{before:.4f}", f"{after:.4f}", f"{after - before:+.4f}{span}")
    return drawn


class _Asked:
    """Whether Ctrl-C or SIGTERM asked the run to stop; it does so at the end of its step."""

    def __init__(self) -> None:
        self._asked = False

    def __call__(self) -> bool:
        return self._asked

    def __enter__(self) -> "_Asked":
        self._before = {one: signal.signal(one, self._ask) for one in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *error: object) -> None:
        for one, handler in self._before.items():
            signal.signal(one, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        print("stopping after this step", file=sys.stderr)


class _Bar:
    """One progress bar per stage of the run."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), console=console
        )
        self._stage = ""

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def told(self, what: str, share: float) -> None:
        """Show `what` (the part before a comma names the stage) at `share` of its length."""
        stage = what.partition(",")[0]
        if stage != self._stage:
            self._stage = stage
            self._task = self._progress.add_task(what, total=1.0)
        self._progress.update(self._task, description=what, completed=min(share, 1.0))
