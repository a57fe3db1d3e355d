"""`flask summaries ...`: what became of each call, one row a call."""

import sys

import click
from flask import current_app
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ivr.jobs import summarize
from models import summaries as rows


@click.group()
def summaries() -> None:
    """What became of each call, as the pages and the ledger count it."""


@summaries.command("rebuild")
def summaries_rebuild() -> None:
    """Make every row anew from the facts. Pages go on meanwhile; safe to stop and to run again."""
    wiring = current_app.extensions["offhold"]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with wiring.pool.connection() as conn:
        total = rows.calls(conn)
    with Progress(*columns, console=Console(file=sys.stderr)) as bar:
        task = bar.add_task("calls", total=total)
        made = summarize.rebuild(wiring, lambda done: bar.update(task, completed=done))
    click.echo(f"{made} calls summarized")


commands = (summaries,)
