"""What the API answered to requests with an Idempotency-Key: a repeat gets the same again."""

from datetime import datetime
from typing import NamedTuple

from psycopg import Connection


class Known(NamedTuple):
    """A request that came before: its hash, and what was answered (sealed)."""

    request: bytes
    status: int
    answer: bytes


def read(conn: Connection, token_id: int, key: str) -> Known | None:
    """What a token was answered to a request with this key."""
    row = conn.execute(
        "SELECT request, status, answer FROM api_answers WHERE token_id = %s AND key = %s", (token_id, key)
    ).fetchone()
    return Known(bytes(row[0]), row[1], bytes(row[2])) if row else None


def keep(conn: Connection, token_id: int, key: str, known: Known, at: datetime) -> bool:
    """Keep it in the transaction that did what was asked. False: another request with this key was quicker."""
    return (
        conn.execute(
            "INSERT INTO api_answers (token_id, key, request, status, answer, at) VALUES (%s, %s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            (token_id, key, *known, at),
        ).rowcount
        == 1
    )


def erase_before(conn: Connection, before: datetime) -> int:
    """Forget what was answered before a time; how many."""
    return conn.execute("DELETE FROM api_answers WHERE at < %s", (before,)).rowcount
