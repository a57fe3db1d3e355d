"""`flask settle`, `flask rates ...`, `flask months ...` and `flask contacts ...`: the ledger's books."""

import sys
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import BinaryIO

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from ivr import contact_import, ratecards
from ivr.contact_import import LONGEST_CHANNEL, Feed, Refused, csv_rows, import_contacts, json_rows
from ivr.jobs.settle_ledger import Behind, card_of, settle, zone_of
from ivr.ledger.books import MEMO, MICRO, Entry
from ivr.ledger.periods import Wish
from ivr.ledger.rates import EXAMPLE, EXAMPLE_CURRENCY, PRICES, Rate, Span
from ivr.menu_cli import login
from ivr.months import NotClosed, close_month
from ivr.planfile.problems import PlanRefused
from ivr.wiring import Wiring
from models import contacts, erase, ledger, periods, rates, settlement
from models.locks import alone

_by = click.option("--by", default=login, show_default="your login name", help="who does this")
_FILE = click.Path(path_type=Path)


def _wiring() -> Wiring:
    wiring: Wiring = current_app.extensions["offhold"]
    return wiring


class Month(click.ParamType[date]):
    """2026-09."""

    name = "month"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The first day. Fails on what is no month."""
        try:
            found = value if isinstance(value, date) else date.fromisoformat(f"{value}-01")
        except ValueError:
            found = date.min
        if not 2000 <= found.year < 3000:
            self.fail(f"'{value}' is no month: write 2026-09", param, ctx)
        return found


def _bar(total: int) -> tuple[Progress, TaskID]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(file=sys.stderr), disable=total == 0)  # nothing waits: no 0/0
    return bar, bar.add_task("calls", total=total)


@click.command("settle")
@click.option("--month", type=Month(), help="print this month's lines afterwards")
@with_appcontext
def settle_command(month: date | None) -> None:
    """Bring the books up to what the facts say. Safe to stop and to run again."""
    wiring = _wiring()
    with wiring.pool.connection() as conn, erase.unhurried(conn), alone(conn, ledger.LOCK, wait=True):
        bar, task = _bar(settlement.waiting(conn, wiring.clock()))
        try:
            with bar:
                written = settle(wiring, conn, lambda done: bar.update(task, completed=done))
        except Behind as behind:
            raise click.ClickException(str(behind)) from None
        click.echo(f"{written} entries written")
        if month is not None:
            _print_lines(ledger.lines(conn, month))


def _print_lines(lines: list[ledger.LineRow]) -> None:
    table = Table("kind", "queue", "entries", "count", "contacts", "minutes", "amount")
    for line in lines:
        table.add_row(
            line.kind + (" (memo)" if Entry(line.kind) in MEMO else ""),
            line.queue,
            f"{line.entries:,}",
            f"{line.quantity:,}",
            f"{line.contacts / MICRO:,.2f}",
            f"{line.agent_ms / 60_000:,.1f}",
            f"{line.amount / MICRO:,.4f} {line.currency}",
        )
    Console(width=120).print(table)


rates_group = AppGroup("rates", help="The rate card: what things cost, each figure with its owner and source.")


@rates_group.command("check")
@click.argument("file", type=_FILE)
def rates_check(file: Path) -> None:
    """Tell every problem of FILE with line and column. Fails when there is an error."""
    reading = ratecards.check_file(file)[1]
    for problem in reading.problems:
        click.echo(f"{file}: {problem}", err=problem.error)
    if reading.errors:
        raise click.ClickException(f"{len(reading.errors)} errors")
    click.echo(f"{file}: can be published.")


@rates_group.command("publish")
@click.argument("file", type=_FILE)
@_by
@click.option("--reason", required=True, help="why; kept in the history")
def rates_publish(file: Path, by: str, reason: str) -> None:
    """Make FILE the rate card that stands. Open months are booked by it; closed ones stay as they are."""
    wiring = _wiring()
    raw, reading = ratecards.check_file(file)
    try:
        if reading.errors:
            raise PlanRefused(reading.problems)
        publisher = ratecards.Publisher(f"cli:{by}", reason, wiring.clock())
        with wiring.pool.connection() as conn:
            version = ratecards.publish(wiring, conn, raw.decode("utf-8-sig"), publisher)
    except PlanRefused as refused:
        for problem in refused.problems:
            click.echo(f"{file}: {problem}", err=True)
        raise click.ClickException("Nothing was published: what stood stands.") from None
    click.echo(f"Rate card {version} stands.")


@rates_group.command("list")
def rates_list() -> None:
    """The history, newest first."""
    with _wiring().pool.connection() as conn:
        cards = rates.history(conn)
    for one in cards:
        click.echo(f"{one.version:>4}  {one.published_at:%Y-%m-%d %H:%M}  {one.published_by}: {one.reason}")
    if not cards:
        click.echo("No rate card is published yet: flask rates publish FILE --reason WHY")


@rates_group.command("show")
@click.argument("version", type=int, required=False)
@click.option("--yaml", is_flag=True, help="as it was published")
def rates_show(version: int | None, yaml: bool) -> None:
    """Print a version, the one that stands by default."""
    with _wiring().pool.connection() as conn:
        card = rates.latest(conn) if version is None else rates.read(conn, version)
    if card is None:
        example = f"{EXAMPLE.micro / MICRO:.2f} {EXAMPLE_CURRENCY} a contact ({EXAMPLE.source})"
        raise click.ClickException(f"there is no such rate card. Only as an example: {example}")
    if yaml:
        click.echo(card.yaml, nl=False)
        return
    for span in card_of(card.yaml, card.version).spans:
        _print_span(span)


def _print_span(span: Span) -> None:
    table = Table(
        "figure", span.currency, "owner", "source", title=f"{span.first} until {span.until or 'further notice'}"
    )

    def row(name: str, rate: Rate) -> None:
        table.add_row(name, f"{rate.micro / MICRO:,.6f}", rate.owner, rate.source)

    for queue, cost in span.agents.items():
        row(f"a contact in '{queue}'", cost.rate)
    for name, rate in span.prices.items():
        row(PRICES[name], rate)
    for name, rate in span.monthly.items():
        row(f"{name}, a month", rate)
    for name, given in (("cashable share", span.cashable), ("would have given up (until known)", span.gave_up)):
        if given:
            row(name, given)
    Console(width=120).print(table)


@rates_group.command("hours")
@click.argument("month", type=Month())
@click.argument("hours")
@_by
@click.option("--source", required=True, help="where the figure is from")
def rates_hours(month: date, hours: str, by: str, source: str) -> None:
    """Enter the HOURS spent on articles in MONTH, in place of what was entered before."""
    try:
        micro = int(Decimal(hours) * MICRO)
    except (InvalidOperation, OverflowError, ValueError):
        micro = -1
    if not 0 <= micro <= 100_000 * MICRO:
        raise click.ClickException(f"'{hours}' is no number of hours from 0 to 100000")
    wiring = _wiring()
    with wiring.pool.connection() as conn:
        ratecards.enter_hours(conn, rates.Hours(month, micro, f"cli:{by}", source, wiring.clock()))
    click.echo(f"{month:%Y-%m}: {micro / MICRO:g} hours.")


months = AppGroup("months", help="The months of the books.")


@months.command("list")
def months_list() -> None:
    """Every month with entries, and who closed it."""
    with _wiring().pool.connection() as conn:
        closed = {one.month: one for one in periods.closed(conn)}
        known = sorted({*ledger.months(conn), *closed})
    for month in known:
        one = closed.get(month)
        said = f"closed {one.closed_at:%Y-%m-%d %H:%M} by {one.closed_by}: {one.reason}" if one else "open"
        click.echo(f"{month:%Y-%m}  {said}")


@months.command("close")
@click.argument("month", type=Month())
@_by
@click.option("--reason", required=True, help="why; printed on the statement")
def months_close(month: date, by: str, reason: str) -> None:
    """Close MONTH for good."""
    wiring = _wiring()
    try:
        with wiring.pool.connection() as conn:
            close_month(wiring, conn, Wish(month, f"cli:{by}", reason))
    except NotClosed as refused:
        raise click.ClickException(" ".join(refused.objections)) from None
    click.echo(f"{month:%Y-%m} is closed.")


contacts_group = AppGroup("contacts", help="Contacts that other systems know of: e-mail, chat, shops.")


@contacts_group.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--channel", required=True, help="its name: e-mail, chat ...")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), help="default: by the file's name")
@_by
def contacts_import(file: BinaryIO, channel: str, form: str | None, by: str) -> None:
    """Import FILE (CSV or JSONL): at, topic, and one of number, customer, key. Again: nothing changes."""
    name, channel = Path(getattr(file, "name", "-")).name, channel.strip()
    if not channel.isprintable() or not 0 < len(channel) <= LONGEST_CHANNEL:
        raise click.BadParameter(f"a name of 1 to {LONGEST_CHANNEL} letters is needed", param_hint="--channel")
    as_json = form == "jsonl" or (form is None and name.endswith((".jsonl", ".ndjson")))
    wiring = _wiring()
    try:
        with wiring.pool.connection() as conn:
            rows = json_rows(file) if as_json else csv_rows(file)
            done = import_contacts(wiring, conn, Feed(channel, name, f"cli:{by}"), rows, zone_of(wiring, conn))
            wrong = contacts.parked(conn, done.id, 20)
    except Refused as refused:
        raise click.ClickException(str(refused)) from None
    for one in wrong:
        click.echo(f"{name}, line {one.line}: {one.reason}", err=True)
    if done.refused > len(wrong):
        click.echo(f"... {done.refused} rows in all: flask contacts parked {done.id}", err=True)
    click.echo(
        f"{done.rows} rows: {done.fresh} new, {done.rows - done.fresh - done.refused} known, {done.refused} parked"
    )


@contacts_group.command("list")
def contacts_list() -> None:
    """The latest imports, newest first."""
    with _wiring().pool.connection() as conn:
        for one in contacts.imports(conn):
            newest = f", newest {one.newest_at:%Y-%m-%d %H:%M}" if one.newest_at else ""
            counts = f"{one.rows} rows, {one.fresh} new, {one.refused} parked"
            click.echo(f"{one.id:>5}  {one.at:%Y-%m-%d %H:%M}  {one.channel}  {one.source}: {counts}{newest}")


@contacts_group.command("parked")
@click.argument("import_id", type=int)
def contacts_parked(import_id: int) -> None:
    """The rows of an import that could not be read, with the reasons."""
    with _wiring().pool.connection() as conn:
        for one in contacts.parked(conn, import_id, contact_import.MOST_PARKED):
            click.echo(f"line {one.line}: {one.reason}")


commands = (settle_command, rates_group, months, contacts_group)
