"""Callers' numbers: sealed for delivery as long as needed, known by their keyed hash for everything else."""

from datetime import datetime

from psycopg import Connection


def keep(conn: Connection, number_key: str, sealed: bytes, at: datetime) -> int:
    """Keep a sealed number under its key, or renew it. Its id."""
    row = conn.execute(
        "INSERT INTO numbers (number_key, sealed, last_seen_at) VALUES (%s, %s, %s) ON CONFLICT (number_key)"
        " DO UPDATE SET sealed = excluded.sealed, last_seen_at = greatest(numbers.last_seen_at, excluded.last_seen_at)"
        " RETURNING id",
        (number_key, sealed, at),
    ).fetchone()
    assert row is not None
    return int(row[0])


def sealed(conn: Connection, number_id: int) -> bytes | None:
    """The sealed number, None once it was erased."""
    row = conn.execute("SELECT sealed FROM numbers WHERE id = %s", (number_id,)).fetchone()
    return bytes(row[0]) if row and row[0] is not None else None


def sealed_of(conn: Connection, number_key: str) -> bytes | None:
    """The sealed number of a key, None once it was erased."""
    row = conn.execute("SELECT sealed FROM numbers WHERE number_key = %s", (number_key,)).fetchone()
    return bytes(row[0]) if row and row[0] is not None else None


MOST_OF_ONE = 10  # numbers that another system may have for one person; an id that more have is nobody's


def link(conn: Connection, one: str, other: str) -> bool:
    """Remember that two keys are one person: the number called from and the one typed. Whether that is new."""
    a, b = sorted((one, other))
    written = "INSERT INTO linked_keys (a, b) VALUES (%s, %s) ON CONFLICT DO NOTHING"
    return a != b and conn.execute(written, (a, b)).rowcount > 0


def join(conn: Connection, number: str, customer: str) -> bool:
    """Remember that a number and another system's id are one person, who has all numbers of that id. Whether that is
    new."""
    if not link(conn, number, customer):
        return False
    others = [key for key in linked(conn, customer) if key not in (number, customer)]
    for key in others if len(others) < MOST_OF_ONE else ():
        link(conn, number, key)
    return True


def linked(conn: Connection, number_key: str) -> list[str]:
    """The key and those linked with it."""
    rows = conn.execute(
        "SELECT %(key)s UNION SELECT b FROM linked_keys WHERE a = %(key)s"
        " UNION SELECT a FROM linked_keys WHERE b = %(key)s",
        {"key": number_key},
    )
    return [str(row[0]) for row in rows]


def erase_unused(conn: Connection, before: datetime) -> int:
    """Empty the sealed numbers last seen before a time that no open text needs; how many."""
    return conn.execute(
        "UPDATE numbers SET sealed = NULL WHERE sealed IS NOT NULL AND last_seen_at < %s AND NOT EXISTS (SELECT FROM"
        " texts WHERE number_id = numbers.id AND status IN ('queued', 'sending', 'unknown') AND settled_at IS NULL)",
        (before,),
    ).rowcount
