"""Which version of the schema this code wants, and which one a database has: no migration tool needed to ask."""

from pathlib import Path

from psycopg import Connection

_VERSIONS = Path(__file__).parent / "migrations" / "versions"


def head() -> str:
    """The newest version: the greatest number that begins a migration's file name."""
    return max(file.name.partition("_")[0] for file in _VERSIONS.glob("[0-9]*_*.py"))


def version(conn: Connection) -> str | None:
    """The schema version of the database, None before the first migration."""
    if conn.execute("SELECT to_regclass('alembic_version') IS NULL").fetchone() == (True,):
        return None
    row = conn.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None
