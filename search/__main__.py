"""`python -m search COMMAND`: measuring, fitting and tuning the search, away from calls."""

import argparse
import sys
from types import ModuleType

from search.encoder import EncoderError
from search.evaluation import calibrate, evaluate, fit
from search.evaluation.judged import SetError
from search.index import BundleError
from search.tuning import command as tune

# each: HELP, arguments(parser), run(arguments) -> the program's status
COMMANDS: dict[str, ModuleType] = {"evaluate": evaluate, "fit": fit, "calibrate": calibrate, "tune": tune}


def main(argv: list[str] | None = None) -> int:
    """Run one command; its status."""
    parser = argparse.ArgumentParser(prog="python -m search", description="The search, away from calls.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        command.arguments(commands.add_parser(name, help=command.HELP, description=command.HELP))
    given = parser.parse_args(argv)
    try:
        return int(COMMANDS[given.command].run(given))
    except (SetError, BundleError, EncoderError, OSError) as error:
        print(f"search: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
