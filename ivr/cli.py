"""`flask ...`: what an operator types."""

import csv
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ivr import (
    articles_cli,
    finance_cli,
    ledger_cli,
    menu_cli,
    privacy_cli,
    sources_cli,
    staff_cli,
    studies_cli,
    summaries_cli,
    today_cli,
    twilio_cli,
)
from ivr.story import tell
from ivr.wiring import Wiring
from models import facts


def _wiring() -> Wiring:
    wiring: Wiring = current_app.extensions["offhold"]
    return wiring


@click.command()
@click.option("--articles", "path", help="import this file or folder of articles as well")
def release(path: str | None) -> None:
    """Bring the database up to date: tables, plan, articles, index. Safe to run again."""
    from ivr import release as steps

    steps.release(_wiring(), path)


@click.command()
def worker() -> None:
    """Send texts and do what is due, until told to stop."""
    from ivr.closing import close_lost_calls
    from ivr.exporting import send_exports
    from ivr.jobs.rebuild_index import Rebuilding
    from ivr.jobs.study import ask_for_mapping
    from ivr.jobs.worker import run_worker

    chores = (close_lost_calls, Rebuilding().rebuild_index, ask_for_mapping, send_exports)
    run_worker(_wiring(), chores=chores)


@click.group()
def call() -> None:
    """One call."""


@call.command("show")
@click.argument("call_sid")
def call_show(call_sid: str) -> None:
    """Tell one call as a story."""
    wiring = _wiring()
    with wiring.pool.connection() as conn:
        lines = tell(wiring, conn, call_sid)
    if lines is None:
        raise click.ClickException(f"no call {call_sid}: `flask facts export` lists them all")
    click.echo("\n".join(lines))


@click.group()
def phone() -> None:
    """The test phone, from the terminal."""


@phone.command("call")
@click.option("--story", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="YAML")
@click.option("--double", is_flag=True, help="send every webhook twice")
def phone_call(story: Path, double: bool) -> None:
    """Play one call as a story file tells it, and print what happens."""
    from ivr.phone.terminal import call_with_story  # the carrier's side: no other command needs it

    raise SystemExit(call_with_story(_wiring().settings, story, double=double))


@click.group("facts")
def facts_group() -> None:
    """Everything that happened."""


@facts_group.command("export")
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@click.option("--since", type=click.DateTime(), help="from this time on (UTC)")
@click.option("--until", type=click.DateTime(), help="before this time (UTC)")
@click.option(
    "--out",
    type=click.File("w", encoding="utf-8", lazy=True),
    default="-",
    help="file; default: standard output",
)
def facts_export(form: str, since: datetime | None, until: datetime | None, out: Any) -> None:
    """Stream all facts, oldest first."""
    with _wiring().pool.connection() as conn:
        conn.execute("SET statement_timeout = 0")
        try:
            with _bar() as bar:
                task = bar.add_task("facts", total=facts.count(conn))
                writer = csv.writer(out)
                if form == "csv":
                    writer.writerow(facts.FactRow._fields)
                for row in facts.stream(conn, since=since, until=until):
                    values = {**row._asdict(), "at": row.at.isoformat()}
                    if form == "csv":
                        data = json.dumps(row.data, ensure_ascii=False)
                        writer.writerow([*(values[name] for name in facts.FactRow._fields[:-1]), data])
                    else:
                        out.write(json.dumps(values, ensure_ascii=False) + "\n")
                    bar.advance(task)
        finally:
            conn.execute("RESET statement_timeout")


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
    )


def install(app: Flask) -> None:
    """Put all commands on the application."""
    commands: list[click.Command] = [release, worker, call, phone, facts_group]
    articles_cli.articles_group.add_command(sources_cli.approve_command)
    parts = (
        articles_cli,
        finance_cli,
        ledger_cli,
        menu_cli,
        privacy_cli,
        sources_cli,
        staff_cli,
        studies_cli,
        summaries_cli,
        today_cli,
        twilio_cli,
    )
    for one in (*commands, *(command for part in parts for command in part.commands)):
        app.cli.add_command(one)
