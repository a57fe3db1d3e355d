"""How many texts calls asked for, by country and altogether: what their budgets are measured with. Texts of the test
phone do not count."""

from datetime import datetime, timedelta
from random import randrange
from typing import NamedTuple

from psycopg import Connection

from models.prepared import Prepared

DAY = timedelta(days=1)
_SHARES = 8  # rows an hour or minute: a text locks one of each until it is committed


class Counted(NamedTuple):
    """Texts so far."""

    in_country: int  # within a day, to within an hour
    in_minute: int  # to all countries, in this minute of the clock


_COUNTED = Prepared(
    "text_counted",
    "SELECT (SELECT coalesce(sum(texts), 0) FROM text_counts WHERE of = %(country)s AND at > %(since)s),"
    " (SELECT coalesce(sum(texts), 0) FROM text_counts WHERE of = '' AND at = %(minute)s)",
)
_ADD = Prepared(
    "text_count_add",
    "INSERT INTO text_counts (of, at, share, texts)"
    " VALUES (%(country)s, %(hour)s, %(share)s, 1), ('', %(minute)s, %(share)s, 1)"
    " ON CONFLICT (of, at, share) DO UPDATE SET texts = text_counts.texts + 1",
)


def counted(conn: Connection, country: str, now: datetime) -> Counted:
    """How many there are."""
    ((in_country, in_minute),) = _COUNTED.run(conn, {"country": country, "since": now - DAY, **_times(now)})
    return Counted(int(in_country or 0), int(in_minute or 0))


def add(conn: Connection, country: str, now: datetime) -> None:
    """One more, in a transaction of the caller's."""
    _ADD.run(conn, {"country": country, "share": randrange(_SHARES), **_times(now)})


def forget(conn: Connection, before: datetime) -> int:
    """Drop the counts from before a time; how many."""
    return conn.execute("DELETE FROM text_counts WHERE at < %s", (before,)).rowcount


def _times(now: datetime) -> dict[str, datetime]:
    minute = now.replace(second=0, microsecond=0)
    return {"minute": minute, "hour": minute.replace(minute=0)}
