"""Which version of the schema this code wants, and which one a database has: no migration tool needed to ask."""

from functools import cache
from pathlib import Path

from psycopg import Connection

_VERSIONS = Path(__file__).parent / "migrations" / "versions"


@cache
def head() -> str:
    """The newest version: the greatest number that begins a migration's file name. Looked up once: reading their folder
    takes longer than a look at whether a process is ready may."""
    return max(file.name.partition("_")[0] for file in _VERSIONS.glob("[0-9]*_*.py"))


def version(conn: Connection) -> str | None:
    """The schema version of the database, None before the first migration."""
    if conn.execute("SELECT to_regclass('alembic_version') IS NULL").fetchone() == (True,):
        return None
    row = conn.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def suffices(version: str | None) -> bool:
    """Whether this code can work with a database at that version: its own, or a newer one. While machines are replaced
    one after another the newest code has brought the database further already, by additions only."""
    return version is not None and version >= head()
