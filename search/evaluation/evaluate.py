"""`python -m search evaluate SET [SET...]`."""

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from search.evaluation import options
from search.evaluation.comparison import compare, show
from search.evaluation.judged import SetError, read_set

HELP = "put judged sets to the service's own finder and to plain ways of searching"
WIDTH = 200  # of tables in a file


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("sets", nargs="+", type=Path, metavar="SET", help="articles, queries, qrels, labels")
    parser.add_argument("--json", action="store_true", help="print values instead of tables")
    options.arguments(parser)


def run(given: argparse.Namespace) -> int:
    """The program's status: 1 when a set could not be read; the others are measured all the same."""
    out = Console(width=None if sys.stdout.isatty() else WIDTH)
    results, status = [], 0
    for folder in given.sets:
        try:
            judged = read_set(folder)
        except SetError as error:
            print(f"search: {error}", file=sys.stderr)
            status = 1
            continue
        with options.keeping(given, judged) as kept:
            results.append(compare(judged, options.encoder(given), kept))
        if not given.json:
            show(results[-1], out)
    if given.json:
        print(json.dumps(_known(results), indent=1))
    return status


def _known(value: Any) -> Any:
    """`value` with null for what cannot be told, such as a share of no queries: JSON has no NaN."""
    if isinstance(value, dict):
        return {name: _known(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_known(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value
