"""What the API answered to requests with an Idempotency-Key: a repeat gets the same again."""

from datetime import datetime
from typing import NamedTuple

from psycopg import Connection


class Known(NamedTuple):
    """A request that came before. `status` None: it is still being answered."""

    request: bytes
    status: int | None
    answer: bytes | None


def begin(
    conn: Connection, token_id: int, key: str, request: bytes, at: datetime, lost_before: datetime
) -> Known | None:
    """Take a request; None when it is new, or began before `lost_before` and was never answered."""
    taken = conn.execute(
        "INSERT INTO api_answers (token_id, key, request, at) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (token_id, key) DO UPDATE SET at = excluded.at, request = excluded.request"
        " WHERE api_answers.status IS NULL AND api_answers.at < %s RETURNING 1",
        (token_id, key, request, at, lost_before),
    ).fetchone()
    if taken:
        return None
    row = conn.execute(
        "SELECT request, status, answer FROM api_answers WHERE token_id = %s AND key = %s", (token_id, key)
    ).fetchone()
    return Known(bytes(row[0]), row[1], bytes(row[2]) if row[2] is not None else None) if row else None


def finish(conn: Connection, token_id: int, key: str, status: int, answer: bytes) -> None:
    """Keep what was answered, sealed."""
    conn.execute(
        "UPDATE api_answers SET status = %s, answer = %s WHERE token_id = %s AND key = %s",
        (status, answer, token_id, key),
    )


def drop(conn: Connection, token_id: int, key: str) -> None:
    """Nothing was done: the same key may try again."""
    conn.execute("DELETE FROM api_answers WHERE token_id = %s AND key = %s", (token_id, key))


def erase_before(conn: Connection, before: datetime) -> int:
    """Forget what was answered before a time; how many."""
    return conn.execute("DELETE FROM api_answers WHERE at < %s", (before,)).rowcount
