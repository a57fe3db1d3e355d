"""`python -m search calibrate SET` or `--community ARTICLES`: how sure the gate may be in one community."""

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from search import calibration as calibrations
from search import judge as judges
from search.calibration import UNANSWERABLE_SHARE, WRONG_SHARE, Calibration, Calibrations
from search.evaluation import community, fitting, options
from search.evaluation.judged import JudgedSet, SetError
from search.evaluation.trials import built
from search.importing import ImportRefused, ImportReport, read_articles

HELP = "fit the gate's probability to judged questions of a community, or to its threads"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("set", nargs="?", type=Path, metavar="SET", help="articles, queries, qrels, labels")
    source.add_argument("--community", type=Path, metavar="ARTICLES", help="without judged questions: articles alone")
    parser.add_argument("--out", type=Path, default=Path("calibration.json"), help="default: %(default)s")
    options.arguments(parser)


def run(given: argparse.Namespace) -> int:
    """The program's status. Raises `SetError`."""
    judge, model_id = judges.shipped(), options.encoder(given).model_id
    try:
        if given.community is None:
            found = Calibrations(fitting.calibrate(judge, options.all_trials(given, given.set)))
        else:
            found = _of_community(given)
    except (ValueError, ImportRefused) as error:
        raise SetError(str(error)) from error
    content = {**calibrations.all_as_json(found), "gate": judges.gate_id(judge, model_id)}
    given.out.write_text(json.dumps(content) + "\n", "utf-8")
    for name, calibration in ((str(given.out), found.every), *found.languages.items()):
        right, wrong, none = calibration.counts
        print(f"{name}: {right} answered rightly, {wrong} wrongly, {none} without an answer")
        print(comes_to(calibration))
    return 0


def comes_to(calibration: Calibration) -> str:
    """What the default promise means, in words."""
    promise = calibration.promise()
    least = calibration.probability(promise.threshold)
    can = "" if promise.wrong <= WRONG_SHARE else f" cannot be promised, {promise.wrong:.0%} can"
    return (
        f"at most {WRONG_SHARE:.0%} of texts wrong{can}, while nothing helps {UNANSWERABLE_SHARE:.0%} of callers: "
        f"an offer from a probability of {least:.2f} on (logit {promise.threshold:.2f}), which {promise.shown:.0%} of "
        "the right articles reach"
    )


def _of_community(given: argparse.Namespace) -> Calibrations:
    report = ImportReport()
    articles = tuple(read_articles(given.community, report))
    if report.skipped:
        print(f"{len(report.skipped)} of {len(articles) + len(report.skipped)} articles cannot be used")
    judged = JudgedSet(given.community.stem, articles, (), len(report.skipped))
    columns = (TextColumn("threads asked for"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with options.keeping(given, judged) as kept:
        bundle = built(judged, kept)
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=min(len(articles), community.MOST_THREADS))
        return community.calibrate(articles, bundle, kept, lambda more: bar.advance(task, more))
