"""`flask ...`: what an operator types."""

import csv
import importlib
import json
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from flask.helpers import get_debug_flag
from psycopg import OperationalError
from psycopg_pool import PoolTimeout
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

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
    from ivr.story import tell

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


#: the module of each command that is not here: what it imports, the other commands do not wait for
ELSEWHERE: Mapping[str, str] = {
    "agent-link": "twilio_cli",
    "articles": "articles_cli",
    "audit": "staff_cli",
    "contacts": "ledger_cli",
    "doctor": "twilio_cli",
    "incident": "today_cli",
    "index": "articles_cli",
    "menu": "menu_cli",
    "months": "ledger_cli",
    "offers": "today_cli",
    "privacy": "privacy_cli",
    "queues": "menu_cli",
    "rates": "ledger_cli",
    "settle": "ledger_cli",
    "source": "sources_cli",
    "staff": "staff_cli",
    "statement": "finance_cli",
    "study": "studies_cli",
    "summaries": "summaries_cli",
    "twilio": "twilio_cli",
}


class Commands(AppGroup):
    """All commands; those of other modules are imported when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *ELSEWHERE})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in ELSEWHERE:
            return _telling(super().get_command(ctx, name))
        found: tuple[click.Command, ...] = importlib.import_module(f"ivr.{ELSEWHERE[name]}").commands
        return _telling(next(command for command in found if command.name == name))


def _telling(command: click.Command | None) -> click.Command | None:
    """The command; where the database is away its operator is told what to do, in place of where the code stood."""
    if command is None or "invoke" in vars(command):
        return command
    invoke = command.invoke

    def told(ctx: click.Context) -> Any:
        try:
            return invoke(ctx)
        except (OperationalError, PoolTimeout) as error:
            why = type(error).__name__
            raise click.ClickException(
                f"the database cannot be asked ({why}): start it, or correct DATABASE_URL"
            ) from error

    vars(command)["invoke"] = told
    return command


def install(app: Flask) -> None:
    """Put all commands on the application. Raises ClickException where `flask run` would show a debugger to callers."""
    if app.extensions["offhold"].settings.production and get_debug_flag():
        raise click.ClickException("FLASK_DEBUG or --debug is set: the debugger runs whatever anybody types into it")
    app.cli = Commands(app.name)
    for command in (release, worker, call, phone, facts_group):
        app.cli.add_command(command)
