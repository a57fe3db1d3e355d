"""A few values that belong to the database as a whole."""

from datetime import datetime

from psycopg import Connection


def now(conn: Connection) -> datetime:
    """The time at the database, for a process that has no clock of ours."""
    row = conn.execute("SELECT now()").fetchone()
    assert row is not None
    at: datetime = row[0]
    return at


def get(conn: Connection, key: str) -> str | None:
    """The value under a key."""
    row = conn.execute("SELECT value FROM site WHERE key = %s", (key,)).fetchone()
    return str(row[0]) if row else None


def put(conn: Connection, key: str, value: str) -> None:
    """Set a value."""
    conn.execute(
        "INSERT INTO site (key, value) VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )


def put_once(conn: Connection, key: str, value: str) -> str:
    """Set a value if there is none; the value that stands."""
    conn.execute("INSERT INTO site (key, value) VALUES (%s, %s) ON CONFLICT DO NOTHING", (key, value))
    found = get(conn, key)
    assert found is not None
    return found
