"""The switches that stop offers: one for all of them, one per queue. Every pull is kept; the latest one stands."""

from datetime import datetime
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

ALL = ""  # the queue of the switch that stops every offer


class Pull(NamedTuple):
    """A switch was pulled: offers stopped, or let go on. `queue` is ALL for the big one."""

    queue: str
    stopped: bool
    who: str
    why: str
    at: datetime


_COLUMNS = ", ".join(Pull._fields)


def pull(conn: Connection, queue: str, *, stopped: bool, who: str, why: str, at: datetime) -> Pull | None:
    """Stop the offers of a queue (ALL: of every queue), or let them go on. What stood before, None before the first.
    Pulls are taken one after the other."""
    with conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('offer_switches', 0))")
        before = standing(conn).get(queue)
        conn.execute(
            "INSERT INTO offer_switches (queue, stopped, who, why, at) VALUES (%s, %s, %s, %s, %s)",
            (queue, stopped, who, why, at),
        )
    return before


def standing(conn: Connection) -> dict[str, Pull]:
    """The latest pull of each switch that was ever pulled, by queue."""
    with conn.cursor(row_factory=class_row(Pull)) as cursor:
        rows = cursor.execute(
            f"SELECT DISTINCT ON (queue) {_COLUMNS} FROM offer_switches ORDER BY queue, id DESC"
        ).fetchall()
    return {one.queue: one for one in rows}


def stopped(conn: Connection) -> list[str]:
    """The queues whose switch is pulled; ALL among them where the big one is."""
    return [one.queue for one in standing(conn).values() if one.stopped]


def history(conn: Connection, limit: int = 50) -> list[Pull]:
    """The latest pulls, newest first."""
    with conn.cursor(row_factory=class_row(Pull)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM offer_switches ORDER BY id DESC LIMIT %s", (limit,)).fetchall()
