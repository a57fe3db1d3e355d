"""A month's statement: gathered from the books and the experiment, signed once the month is closed, and checked."""

import json
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

from psycopg import Connection

from ivr import signing
from ivr.jobs import keep_estimates
from ivr.jobs.keep_estimates import Estimate
from ivr.jobs.settle_ledger import Books, card_of, zone_of
from ivr.ledger import books
from ivr.ledger.bands import Band
from ivr.ledger.books import COSTS, Entry, Figure, Line, Period
from ivr.ledger.estimate import Arms, incremental, share_at_last
from ivr.ledger.rates import RateCard
from ivr.ledger.statement import Channel, Given, Sealed, Statement, Worth, statement
from ivr.ledger.statement_words import Number, sections, title
from ivr.wiring import Wiring
from models import contacts, erase, ledger, periods, rates, statements

FORMAT = "offhold-statement/1"
WEEK = timedelta(days=7)
OUR_CALLS = "calls and texts"


class Document(NamedTuple):
    """A statement as files hold it. `signature` None: a draft, nothing is signed."""

    content: dict[str, Any]
    signature: dict[str, str] | None


def draft(wiring: Wiring, conn: Connection, month: date) -> Statement:
    """A month as it stands now, signed or not."""
    return statement(_given(wiring, conn, month))


def document(wiring: Wiring, conn: Connection, month: date) -> Document:
    """A month's statement: of a closed one what was signed then, whatever happened since."""
    if periods.read(conn, month) is None:
        return Document(_content(draft(wiring, conn, month)), None)
    sign_closed(wiring, conn)
    found = statements.signed(conn, month)
    assert found is not None
    return of_signed(found)


def of_signed(found: statements.Signed) -> Document:
    """A kept statement as files hold it."""
    by = {
        "algorithm": signing.ALGORITHM,
        "key": signing.text(found.key),
        "signed_at": found.signed_at.astimezone(UTC).isoformat(timespec="seconds"),
        "value": signing.text(found.signature),
    }
    return Document(json.loads(found.document), by)


def sign_closed(wiring: Wiring, conn: Connection) -> list[date]:
    """Sign every closed month that is not signed yet, oldest first; which. Again: nothing."""
    done = []
    for closed in periods.closed(conn):
        if statements.signed(conn, closed.month) is None:
            with erase.unhurried(conn):
                content = signing.canonical(_content(draft(wiring, conn, closed.month)))
            seed = wiring.settings.signing_key()
            key, signature = signing.public_key(seed), signing.sign(seed, content)
            statements.sign(conn, statements.Signed(closed.month, content.decode(), key, signature, wiring.clock()))
            done.append(closed.month)
    return done


def months(wiring: Wiring, conn: Connection) -> list[date]:
    """Every month that a statement can be made of, newest first: those with entries, and the one under way."""
    found = Books(conn, zone_of(wiring, conn), wiring.clock(), test=wiring.development_account)
    known = {
        *ledger.months(conn),
        *(one.month for one in periods.closed(conn)),
        books.month_of(found.day_of(found.now)),
    }
    return sorted(known, reverse=True)


# ---- gathering


def _given(wiring: Wiring, conn: Connection, month: date) -> Given:
    found = Books(conn, zone_of(wiring, conn), wiring.clock(), test=wiring.development_account)
    closed = periods.read(conn, month)
    card, told = estimated(conn, found, month, closed)
    callers, weeks = sum(cell.callers for cell in told.cells), (told.period.until - told.period.since) / WEEK
    rate = callers / weeks if weeks else 0.0
    digest = statements.digest(conn, month) if closed else (sum(one.entries for one in ledger.lines(conn, month)), "")
    return Given(
        month=month,
        zone=found.zone.key,
        now=told.as_of,
        closed=Period(*closed) if closed else None,
        window_days=told.period.window.days,
        lines=[line(row) for row in ledger.lines(conn, month)],
        earlier=_earlier(conn, month),
        channels=_channels(conn, closed),
        counts=told.counts,
        cells=told.cells,
        incremental=incremental(
            Arms.of(told.cells), live=closed is None, callers_a_week=rate, share=share_at_last(told.cells)
        ),
        agent_minutes=told.agent_minutes,
        wait_minutes=told.wait_minutes,
        call_minutes=told.call_minutes,
        card=card,
        books=Sealed(*digest),
        windows=[(days, incremental(Arms.of(cells), live=closed is None)) for days, cells in told.windows],
    )


def estimated(
    conn: Connection, found: Books, month: date, closed: periods.Closed | None
) -> tuple[RateCard | None, Estimate]:
    """The rate card a month goes by, and what its holdout tells: of a closed one, both as they were then."""
    card = found.card
    if closed is not None:
        kept = rates.read(conn, closed.card) if closed.card is not None else None
        card = card_of(kept.yaml, kept.version) if kept else None
    window = card.window if card else found.window
    return card, keep_estimates.of_month(conn, found, month, closed=closed is not None, window=window)


def line(row: ledger.LineRow) -> Line:
    """A month's sum as the ledger knows it."""
    figure = Figure(row.amount, row.contacts, row.agent_ms, row.quantity)
    return Line(row.month, Entry(row.kind), row.queue, row.currency, row.entries, figure)


def _channels(conn: Connection, closed: periods.Closed | None) -> list[Channel]:
    """What was visible: at the closing, or now."""
    if closed is not None:
        imported = {name: datetime.fromisoformat(at) for name, at in closed.channels.items()}
    else:
        imported = {feed.channel: feed.at for feed in contacts.feeds(conn)}
    return [Channel(OUR_CALLS, None), *(Channel(name, imported[name]) for name in sorted(imported))]


def _earlier(conn: Connection, month: date) -> list[Worth]:
    """Months before: what turned into cash by their signed statements, what they cost by the books."""
    cash: dict[tuple[date, str], Band] = {}
    for one in statements.all_signed(conn, month):
        figures = json.loads(one.document)["figures"]
        if figures["cashable"] is not None:
            cash[one.month, figures["currency"]] = Band(**figures["cashable"])
    costs: dict[tuple[date, str], int] = {}
    for row in ledger.all_lines(conn, month):
        key = row.month, row.currency
        costs[key] = costs.get(key, 0) + (row.amount if Entry(row.kind) in COSTS else 0)
    return [Worth(*key, cash.get(key), costs.get(key, 0)) for key in sorted({*cash, *costs}) if key[1]]


# ---- writing


def _content(one: Statement) -> dict[str, Any]:
    """What is signed: the figures, and the sections as every file prints them."""
    return {
        "format": FORMAT,
        "title": title(one),
        "figures": {name: value for name, value in _plain(one).items() if name != "rows"},
        "sections": [
            {
                "key": part.key,
                "title": part.title,
                "words": list(part.words),
                "headings": list(part.headings),
                "rows": [[_cell(cell) for cell in row] for row in part.rows],
            }
            for part in sections(one)
        ],
    }


def _cell(cell: str | Number) -> Any:
    """A number is an object: {"number": "-1234.50"}; text is text, whatever it looks like."""
    return {"number": cell.plain()} if isinstance(cell, Number) else cell


def _plain(value: Any) -> Any:
    """Values as JSON has them: dates and times as ISO 8601 (UTC), named fields as objects."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(one) for name, one in value._asdict().items()}
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
