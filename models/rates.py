"""Rate cards as they were published, and the hours spent on articles; append-only."""

from datetime import date, datetime
from typing import NamedTuple

from psycopg import Connection

from models.staff import named


class Card(NamedTuple):
    """One publication. `published_by` is staff:ID, cli:LOGIN ..."""

    version: int
    yaml: str
    published_at: datetime
    published_by: str
    reason: str


class Hours(NamedTuple):
    """Hours spent on articles in a month, in millionths, as last entered."""

    month: date
    micro: int
    who: str
    source: str
    at: datetime


def add(conn: Connection, yaml: str, who: str, reason: str, at: datetime) -> int:
    """Keep a rate card as a new version, which stands from now on; its number."""
    row = conn.execute(
        "INSERT INTO rate_cards (yaml, published_at, published_by, reason) VALUES (%s, %s, %s, %s) RETURNING version",
        (yaml, at, who, reason),
    ).fetchone()
    assert row is not None
    return int(row[0])


_CARD = "SELECT version, yaml, published_at, published_by, reason FROM rate_cards"


def latest(conn: Connection) -> Card | None:
    """The rate card that stands, None before the first."""
    row = conn.execute(f"{_CARD} ORDER BY version DESC LIMIT 1").fetchone()
    return Card(*row) if row else None


def read(conn: Connection, version: int) -> Card | None:
    """A version."""
    row = conn.execute(f"{_CARD} WHERE version = %s", (version,)).fetchone()
    return Card(*row) if row else None


def history(conn: Connection) -> list[Card]:
    """Every version, newest first; who published it with the name of one of the staff."""
    rows = conn.execute(
        f"SELECT version, yaml, published_at, {named('published_by')}, reason FROM rate_cards ORDER BY version DESC"
    )
    return [Card(*row) for row in rows]


def enter_hours(conn: Connection, hours: Hours) -> None:
    """Enter a month's hours, in place of those entered before."""
    conn.execute("INSERT INTO content_hours (month, micro, who, source, at) VALUES (%s, %s, %s, %s, %s)", hours)


def hours(conn: Connection) -> list[Hours]:
    """The hours of every month, as last entered."""
    rows = conn.execute(
        "SELECT DISTINCT ON (month) month, micro, who, source, at FROM content_hours ORDER BY month, id DESC"
    )
    return [Hours(*row) for row in rows]
