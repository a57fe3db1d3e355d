"""What callers said, sealed, for 30 days."""

from datetime import datetime

from psycopg import Connection


def add(conn: Connection, call_sid: str, turn: int, sealed: bytes, at: datetime) -> None:
    """Keep one transcript of a call."""
    conn.execute(
        "INSERT INTO transcripts (call_sid, turn, sealed, at) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (call_sid, turn, sealed, at),
    )


def of_call(conn: Connection, call_sid: str) -> list[bytes]:
    """The sealed transcripts of a call, in order."""
    rows = conn.execute("SELECT sealed FROM transcripts WHERE call_sid = %s ORDER BY turn", (call_sid,))
    return [bytes(row[0]) for row in rows]


def told(conn: Connection, call_sid: str) -> list[tuple[datetime, bytes]]:
    """The same, each with when it was said."""
    rows = conn.execute("SELECT at, sealed FROM transcripts WHERE call_sid = %s ORDER BY turn", (call_sid,))
    return [(at, bytes(sealed)) for at, sealed in rows]


def erase_before(conn: Connection, before: datetime) -> int:
    """Delete transcripts older than a time; how many."""
    return conn.execute("DELETE FROM transcripts WHERE at < %s", (before,)).rowcount
