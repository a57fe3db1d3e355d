"""Estimates of open months as they were last made, and how often a month's books changed: that tells an old one."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.types.json import Jsonb

LOCK = 7_461_052  # our number among PostgreSQL's advisory locks


class Kept(NamedTuple):
    """A month's estimate. `basis`: all that it follows from; it is good for as long as that is the same."""

    month: date
    basis: dict[str, Any]
    as_of: datetime
    content: dict[str, Any]


def touch(conn: Connection, months: Collection[date]) -> None:
    """The books of months change with this transaction."""
    conn.execute(
        "INSERT INTO month_turns SELECT month, 1 FROM unnest(%s::date[]) AS given (month) ORDER BY month"
        " ON CONFLICT (month) DO UPDATE SET turn = month_turns.turn + 1",
        (list(months),),
    )


def turn(conn: Connection, month: date) -> int:
    """How often a month's books changed."""
    row = conn.execute("SELECT turn FROM month_turns WHERE month = %s", (month,)).fetchone()
    return int(row[0]) if row else 0


def read(conn: Connection, month: date) -> Kept | None:
    """A month's, whatever it follows from; None before the first."""
    row = conn.execute("SELECT month, basis, as_of, content FROM month_estimates WHERE month = %s", (month,)).fetchone()
    return Kept(*row) if row else None


def keep(conn: Connection, one: Kept) -> None:
    """Keep a month's in place of the one before."""
    conn.execute(
        "INSERT INTO month_estimates AS kept (month, basis, as_of, content) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (month) DO UPDATE SET basis = excluded.basis, as_of = excluded.as_of, content = excluded.content",
        (one.month, Jsonb(one.basis), one.as_of, Jsonb(one.content)),
    )
