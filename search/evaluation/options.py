"""What the commands on judged sets have in common: their options, and an encoder that keeps its vectors."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import TextColumn

from search import judge as judges
from search.encoder import DEFAULT_MODEL, Encoder, load_encoder
from search.evaluation.judged import JudgedSet, read_set
from search.evaluation.kept import KeptEncoder
from search.evaluation.trials import Trial, built, trials

KEPT = Path("var/evaluate")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options every command has."""
    parser.add_argument("--encoder", default="onnx-fast", choices=("onnx-fast", "onnx", "sentence-transformers"))
    parser.add_argument("--model", default=DEFAULT_MODEL, help="default: %(default)s")
    parser.add_argument("--kept", type=Path, default=KEPT, help="where vectors are kept (default: %(default)s)")


def encoder(given: argparse.Namespace) -> Encoder:
    """The encoder as a web process has it: one core."""
    return load_encoder(given.encoder, given.model)


@contextmanager
def keeping(given: argparse.Namespace, judged: JudgedSet) -> Iterator[KeptEncoder]:
    """An encoder that keeps its vectors, and tells on the screen how many texts it had to encode."""
    columns = (TextColumn("{task.description} {task.completed:,.0f} texts encoded"),)
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"{judged.name}:", total=None)
        exact = "onnx" if given.encoder == "onnx-fast" else given.encoder  # what is kept is the same for both
        two_cores = load_encoder(exact, given.model, 2)
        yield KeptEncoder(two_cores, given.kept, lambda more: bar.advance(task, more))


def all_trials(given: argparse.Namespace, folder: Path) -> list[Trial]:
    """Every question of a set with its candidates."""
    judged = read_set(folder)
    with keeping(given, judged) as kept:
        return list(trials(judged, built(judged, kept), kept, judges.shipped()))
