"""`flask statement ...`: the statement of a month as a file, and the check of a signed one."""

import re
import sys
from datetime import date
from pathlib import Path
from typing import BinaryIO

import click
from flask import current_app
from flask.cli import AppGroup

from ivr import signing, statement_files, statements
from ivr.console import exports
from ivr.console.actors import at_terminal
from ivr.console.errors import Missing, Wrong
from ivr.ledger_cli import Month
from ivr.menu_cli import login
from ivr.statement_files import FORMATS
from ivr.wiring import Wiring
from models import erase
from models import statements as kept


def _wiring() -> Wiring:
    wiring: Wiring = current_app.extensions["offhold"]
    return wiring


class _MonthOrCommand(AppGroup):
    """`flask statement 2026-09` is short for `flask statement show 2026-09`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if any(re.fullmatch(r"\d{4}-\d\d", one) for one in args) and not set(args) & set(self.commands):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group("statement", cls=_MonthOrCommand)
def statement_group() -> None:
    """The statement of a month: flask statement 2026-09 --format pdf --output september.pdf"""


@statement_group.command("show")
@click.argument("month", type=Month())
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="json", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="file; default: standard output")
def show(month: date, form: str, output: Path | None) -> None:
    """Write the statement of MONTH. An open month is a draft; a closed one is what was signed."""
    wiring = _wiring()
    with wiring.pool.connection() as conn, erase.unhurried(conn):
        found = statements.document(wiring, conn, month)
    raw = statement_files.write(found, form)
    if output is None:
        if form in ("xlsx", "pdf") and sys.stdout.isatty():
            raise click.ClickException(f"that is no text: say --output statement.{form}")
        sys.stdout.buffer.write(raw)
        return
    try:
        output.write_bytes(raw)
    except OSError as error:
        raise click.ClickException(f"{output}: {error.strerror}") from None
    click.echo(f"{output}: {found.content['title']}", err=True)


@statement_group.command("verify")
@click.argument("file", type=click.File("rb"))
@click.option("--key", help="the public key you know, in base64; default: this installation's own")
@click.option("--books/--no-books", default=True, show_default=True, help="compare with the entries in the database")
def verify(file: BinaryIO, key: str | None, books: bool) -> None:
    """Check a signed FILE (JSON): its signature, whose it is, and that the books still say the same."""
    wiring = _wiring()
    try:
        content, by = signing.read(file.read())
    except signing.Forged as forged:
        raise click.ClickException(f"{forged}.") from None
    known = key or signing.text(signing.public_key(wiring.settings.signing_key()))
    if signing.text(by) != known:
        raise click.ClickException(f"The signature fits a key that is not {known}: {signing.text(by)}")
    click.echo(f"{content['title']}: the signature fits, and the key is the known one.")
    if books:
        month = date.fromisoformat(content["figures"]["month"])
        with wiring.pool.connection() as conn, erase.unhurried(conn):
            entries, sha256 = kept.digest(conn, month)
        sealed = content["figures"]["books"]
        if (entries, sha256) != (sealed["postings"], sealed["sha256"]):
            raise click.ClickException(f"The books hold other entries than those signed: {entries}, SHA-256 {sha256}")
        click.echo(f"The {entries} entries of the books are those that were signed.")


@statement_group.group("exports")
def exports_group() -> None:
    """Statements that go out by themselves once they are signed."""


@exports_group.command("add")
@click.argument("target")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="pdf", show_default=True)
@click.option("--since", type=Month(), required=True, help="the first month that is sent")
@click.option("--by", default=login, show_default="your login name", help="who does this")
@click.option("--reason", required=True, help="why; kept in the audit log")
def exports_add(target: str, form: str, since: date, by: str, reason: str) -> None:
    """Send to TARGET: "file" (into DATA_DIR/exports), or an address that takes a POST."""
    wiring = _wiring()
    try:
        with wiring.pool.connection() as conn:
            number, secret = exports.begin(
                wiring, conn, at_terminal(by), form=form, target=target, since=since, why=reason
            )
    except Wrong as wrong:
        raise click.ClickException(str(wrong)) from None
    click.echo(f"Export {number} is on.")
    if secret:
        click.echo(f"Its messages are signed (Standard Webhooks) with {secret}, which is shown this once.")


@exports_group.command("list")
def exports_list() -> None:
    """Those that are on, and what became of the latest months."""
    with _wiring().pool.connection() as conn:
        for one in kept.exports(conn):
            click.echo(f"{one.id:>4}  {one.form}  {one.target}  since {one.since:%Y-%m}, by {one.made_by}")
        for run in kept.runs(conn):
            state = f"sent {run.done_at:%Y-%m-%d %H:%M}" if run.done_at else run.problem or "waits"
            click.echo(f"{run.export_id:>4}  {run.month:%Y-%m}  {state} (attempts: {run.attempts})")


@exports_group.command("end")
@click.argument("export_id", type=int)
@click.option("--by", default=login, show_default="your login name", help="who does this")
@click.option("--reason", required=True, help="why; kept in the audit log")
def exports_end(export_id: int, by: str, reason: str) -> None:
    """Send nothing more by this one."""
    wiring = _wiring()
    try:
        with wiring.pool.connection() as conn:
            exports.end(wiring, conn, at_terminal(by), export_id, reason)
    except (Wrong, Missing) as wrong:
        raise click.ClickException(str(wrong)) from None
    click.echo(f"Export {export_id} is off.")


commands = (statement_group,)
