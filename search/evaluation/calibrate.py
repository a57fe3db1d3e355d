"""`python -m search calibrate SET`: how sure the gate may be in one community."""

import argparse
import json
from pathlib import Path

from search import calibration as calibrations
from search import judge as judges
from search.evaluation import fitting, options

HELP = "fit the gate's probability to judged questions of a community"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("set", type=Path, metavar="SET", help="articles, queries, qrels, labels")
    parser.add_argument("--out", type=Path, default=Path("calibration.json"), help="default: %(default)s")
    options.arguments(parser)


def run(given: argparse.Namespace) -> int:
    """The program's status. Raises `SetError`."""
    calibration = fitting.calibrate(judges.shipped(), options.all_trials(given, given.set))
    given.out.write_text(json.dumps(calibrations.as_json(calibration)) + "\n", "utf-8")
    right, wrong, none = calibration.counts
    print(f"{given.out}: {right} answered rightly, {wrong} wrongly, {none} without an answer")
    return 0
