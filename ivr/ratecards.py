"""Publishing a rate card: checked, kept as a version, and the open months booked by it."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from psycopg import Connection

from ivr.jobs.settle_ledger import Books, card_of, zone_of
from ivr.ledger.books import MICRO, next_month
from ivr.ledger.rates import RateCard, Span
from ivr.planfile import disk
from ivr.planfile.problems import Place, PlanRefused, Problem
from ivr.ratefile import Reading, read_rates
from ivr.wiring import Wiring
from models import audit, erase, rates, settlement, summaries


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who publishes (staff:ID, cli:LOGIN ...), why and when."""

    who: str
    reason: str
    at: datetime


def check_file(path: Path) -> tuple[bytes, Reading]:
    """Read a file from disk. Never raises: a file that cannot be opened is a problem of line 1."""
    found = disk.content(path)
    return (b"", Reading(None, (found,))) if isinstance(found, Problem) else (found, read_rates(found))


def publish(wiring: Wiring, conn: Connection, text: str, publisher: Publisher) -> int:
    """Make a rate card the one that stands; its version. Calls of open months are booked by it from the next settlement
    on, by entries that correct. Raises PlanRefused with every problem."""
    reading = read_rates(text.encode())
    if reading.card is None:
        raise PlanRefused(reading.problems)
    books = Books(conn, zone_of(wiring, conn), publisher.at, test=wiring.development_account)
    if found := _against_closed(reading.card, books):
        raise PlanRefused([Problem(Place(1, 1), found, "What holds in a closed month cannot be changed any more")])
    with erase.unhurried(conn), conn.transaction():
        before = rates.latest(conn)
        version = rates.add(conn, text, publisher.who, publisher.reason, publisher.at)
        settlement.settle_again(conn, _open_since(books))
        if reading.card.window != books.window:
            summaries.judge_again(conn, _open_since(books))
        audit.note(
            conn,
            who=publisher.who,
            what="rates.publish",
            on=f"rate card {version}",
            before={"stands": before.version if before else None},
            after={"stands": version},
            why=publisher.reason,
            at=publisher.at,
        )
    return version


def enter_hours(conn: Connection, hours: rates.Hours) -> None:
    """Enter the hours spent on articles in a month, in place of those entered before, with a line in the audit log."""
    with conn.transaction():
        before = {row.month: row.micro for row in rates.hours(conn)}.get(hours.month)
        rates.enter_hours(conn, hours)
        audit.note(
            conn,
            who=hours.who,
            what="rates.hours",
            on=f"month {hours.month:%Y-%m}",
            before={"hours": before / MICRO} if before is not None else None,
            after={"hours": hours.micro / MICRO, "source": hours.source},
            at=hours.at,
        )


def _open_since(books: Books) -> datetime:
    since = next_month(books.last_closed) if books.last_closed else date(2000, 1, 1)
    return books.midnight(since)


def _against_closed(card: RateCard, books: Books) -> str | None:
    """A difference to what stands in a month that is closed."""
    if books.last_closed is None:
        return None
    until = next_month(books.last_closed)
    if card.window != books.window:
        return f"'window_days' is {card.window_days}, and closed months were booked by {books.window.days}"
    if books.card is None:
        return f"months before {until} were closed without a rate card" if _before(card, until) else None
    if _before(books.card, until) != _before(card, until):
        return f"it says something else than version {books.card.version} of the time before {until}"
    return None


def _before(card: RateCard, day: date) -> list[Span]:
    """The spans as far as they are before a day."""
    return [replace(one, until=min(one.until or day, day)) for one in card.spans if one.first < day]


def standing(conn: Connection) -> RateCard | None:
    """The rate card that stands, None before the first. Raises ValueError when this release cannot read it."""
    card = rates.latest(conn)
    return card_of(card.yaml, card.version) if card else None


def span_today(conn: Connection, zone: ZoneInfo, now: datetime) -> Span | None:
    """What holds today."""
    card = standing(conn)
    return card.at(now.astimezone(zone).date()) if card else None
