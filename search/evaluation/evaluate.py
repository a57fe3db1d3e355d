"""`python -m search evaluate SET [SET...]`."""

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console

from search.evaluation import options
from search.evaluation.comparison import compare, show
from search.evaluation.judged import read_set

HELP = "put judged sets to the service's own finder and to plain ways of searching"
WIDTH = 200  # of tables in a file


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("sets", nargs="+", type=Path, metavar="SET", help="articles, queries, qrels, labels")
    parser.add_argument("--json", action="store_true", help="print values instead of tables")
    options.arguments(parser)


def run(given: argparse.Namespace) -> int:
    """The program's status. Raises `SetError`."""
    out = Console(width=None if sys.stdout.isatty() else WIDTH)
    results = []
    for folder in given.sets:
        judged = read_set(folder)
        with options.keeping(given, judged) as kept:
            results.append(compare(judged, options.encoder(given), kept))
        if not given.json:
            show(results[-1], out)
    if given.json:
        print(json.dumps(results, indent=1))
    return 0
