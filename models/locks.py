"""Work that one process at a time does, by PostgreSQL's advisory locks."""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import Connection


@contextmanager
def alone(conn: Connection, lock: int, *, wait: bool = False) -> Iterator[bool]:
    """Whether nobody else holds the lock of this number; with `wait` nobody does. `conn` stays in use."""
    function = "pg_advisory_lock" if wait else "pg_try_advisory_lock"
    row = conn.execute(f"SELECT {function}(%s)", (lock,)).fetchone()
    mine = wait or (row is not None and bool(row[0]))
    try:
        yield mine
    finally:
        if mine and not conn.closed:
            conn.execute("SELECT pg_advisory_unlock(%s)", (lock,))
