"""`flask statement ...`: the statement of a month as a file, and the check of a signed one."""

import re
import sys
from datetime import date
from pathlib import Path
from typing import BinaryIO

import click
from flask import current_app

from ivr import signing, statement_files, statements
from ivr.ledger_cli import Month
from ivr.statement_files import FORMATS
from ivr.wiring import Wiring
from models import erase
from models import statements as kept


def _wiring() -> Wiring:
    wiring: Wiring = current_app.extensions["offhold"]
    return wiring


class _MonthOrCommand(click.Group):
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


commands = (statement_group,)
