"""`python -m search fit SET [SET...]`: the weights this version ships."""

import argparse
import json
from pathlib import Path

from search import calibration as calibrations
from search import judge as judges
from search.evaluation import fitting, options
from search.evaluation.judged import SetError

HELP = "fit the weights and the calibration this version ships on judged sets"
WEIGHTS = Path(judges.__file__).with_name("judge.json")
CALIBRATION = Path(calibrations.__file__).with_name("calibration.json")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("sets", nargs="+", type=Path, metavar="SET")
    parser.add_argument("--incomplete", nargs="*", default=[], metavar="NAME", help="sets whose labels are incomplete")
    parser.add_argument("--promise", required=True, metavar="NAME", help="the set the calibration is taken from")
    options.arguments(parser)


def run(given: argparse.Namespace) -> int:
    """The program's status. Raises `SetError`."""
    sets = {folder.resolve().name: options.all_trials(given, folder) for folder in given.sets}
    if given.promise not in sets or not set(given.incomplete) <= set(sets):
        raise SetError(f"--promise and --incomplete name sets among {', '.join(sets)}")
    judge = fitting.fit(sets, frozenset(given.incomplete))
    calibration = fitting.calibrate(judge, sets[given.promise])
    WEIGHTS.write_text(json.dumps(judges.as_json(judge), indent=1) + "\n", "utf-8")
    CALIBRATION.write_text(json.dumps(calibrations.as_json(calibration)) + "\n", "utf-8")
    print(WEIGHTS.read_text("utf-8"), end="")
    return 0
