"""Forgetting the working state of calls long over; their facts stay."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from psycopg import Connection


@contextmanager
def unhurried(conn: Connection) -> Iterator[None]:
    """Let statements of `conn` take their time: years of calls are not walked within the limit a webhook has."""
    conn.execute("SET statement_timeout = 0")
    try:
        yield
    finally:
        if not conn.broken:
            conn.execute("RESET statement_timeout")


def call_states(conn: Connection, before: datetime) -> int:
    """Empty the state and the latest document of calls last heard of before a time; how many."""
    return conn.execute(
        "UPDATE calls SET state = '{}', reply = '' WHERE updated_at < %s AND state <> '{}'", (before,)
    ).rowcount
