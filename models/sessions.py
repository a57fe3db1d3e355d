"""Who is signed in to the console, by the hash of what the browser holds."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import Connection

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whose session it is, and when it was last used."""

    staff_id: int
    name: str
    role: str
    language: str
    email: str
    seen_at: datetime


def begin(conn: Connection, id_hash: bytes, staff_id: int, at: datetime) -> None:
    """Begin a session; those that are over are cleared away."""
    conn.execute("DELETE FROM staff_sessions WHERE seen_at <= %s OR begun_at <= %s", (at - IDLE, at - ABSOLUTE))
    conn.execute(
        "INSERT INTO staff_sessions (id_hash, staff_id, begun_at, seen_at) VALUES (%s, %s, %s, %s)",
        (id_hash, staff_id, at, at),
    )


def find(conn: Connection, id_hash: bytes, now: datetime) -> SignedIn | None:
    """Who has this session; None when it is over or the account is switched off."""
    row = conn.execute(
        "SELECT s.id, s.name, s.role, s.language, s.email, t.seen_at FROM staff_sessions t"
        " JOIN staff s ON s.id = t.staff_id AND s.active"
        " WHERE t.id_hash = %s AND t.seen_at > %s AND t.begun_at > %s",
        (id_hash, now - IDLE, now - ABSOLUTE),
    ).fetchone()
    return SignedIn(*row) if row else None


def seen(conn: Connection, id_hash: bytes, at: datetime) -> None:
    """Used just now."""
    conn.execute("UPDATE staff_sessions SET seen_at = %s WHERE id_hash = %s", (at, id_hash))


def end(conn: Connection, id_hash: bytes) -> None:
    """End one session."""
    conn.execute("DELETE FROM staff_sessions WHERE id_hash = %s", (id_hash,))


def end_all(conn: Connection, staff_id: int, *, but: bytes | None = None) -> int:
    """End all sessions of one person, `but` for one; how many."""
    ended = conn.execute(
        "DELETE FROM staff_sessions WHERE staff_id = %s AND id_hash IS DISTINCT FROM %s", (staff_id, but)
    )
    return ended.rowcount
