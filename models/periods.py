"""Closed months: one row each, never reopened. Migration 0015 keeps entries out of them."""

from datetime import date, datetime
from typing import NamedTuple

from psycopg import Connection
from psycopg.types.json import Jsonb

from models.staff import named


class Closed(NamedTuple):
    """A closed month. `closed_by`: kept as staff:ID, cli:LOGIN ..., read with the name of one of the staff before it.
    `channels`: channel -> when its last import was, as JSON has it."""

    month: date
    closed_at: datetime
    closed_by: str
    reason: str
    card: int | None
    channels: dict[str, str]


_CLOSED = f"SELECT month, closed_at, {named('closed_by')}, reason, card, channels FROM closed_months"


def close(conn: Connection, closed: Closed) -> None:
    """Close a month for good, once whoever writes entries has ended. Raises UniqueViolation for a closed one."""
    conn.execute(
        "INSERT INTO closed_months (month, closed_at, closed_by, reason, card, channels)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (*closed[:5], Jsonb(closed.channels)),
    )


def closed(conn: Connection) -> list[Closed]:
    """All closed months, oldest first."""
    return [Closed(*row) for row in conn.execute(f"{_CLOSED} ORDER BY month")]


def read(conn: Connection, month: date) -> Closed | None:
    """A closed month; None while it is open."""
    row = conn.execute(f"{_CLOSED} WHERE month = %s", (month,)).fetchone()
    return Closed(*row) if row else None
