"""Versions of the search index: which were built, which one is live."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection


@dataclass(frozen=True)
class IndexVersion:
    """One built bundle; its files lie in the folder named `version`. `state`: built, live or retired."""

    version: str
    built_at: datetime
    article_count: int
    model_id: str
    content_digest: str
    state: str = "built"


_COLUMNS = "version, built_at, article_count, model_id, content_digest, state"


def add(conn: Connection, built: IndexVersion) -> None:
    """Record a finished bundle; it is not live before `publish`."""
    conn.execute(
        f"INSERT INTO index_versions ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, 'built')",
        (built.version, built.built_at, built.article_count, built.model_id, built.content_digest),
    )


def current(conn: Connection) -> IndexVersion | None:
    """The live version, None before the first."""
    row = conn.execute(f"SELECT {_COLUMNS} FROM index_versions WHERE state = 'live'").fetchone()
    return IndexVersion(*row) if row else None


def list_all(conn: Connection) -> list[IndexVersion]:
    """Every version, newest first."""
    rows = conn.execute(f"SELECT {_COLUMNS} FROM index_versions ORDER BY built_at DESC, version DESC")
    return [IndexVersion(*row) for row in rows]


def publish(conn: Connection, version: str) -> None:
    """Make `version` the live one and retire the one before. Raises `LookupError` for an unknown one."""
    with conn.transaction():
        conn.execute("LOCK TABLE index_versions IN SHARE ROW EXCLUSIVE MODE")
        conn.execute("UPDATE index_versions SET state = 'retired' WHERE state = 'live' AND version <> %s", (version,))
        found = conn.execute("UPDATE index_versions SET state = 'live' WHERE version = %s", (version,))
        if found.rowcount != 1:
            raise LookupError(f"there is no index version {version}")


def before_current(conn: Connection) -> IndexVersion | None:
    """The newest version that was live and is older than the live one: what a rollback goes back to."""
    row = conn.execute(
        f"SELECT {_COLUMNS} FROM index_versions WHERE state = 'retired'"
        " AND built_at < (SELECT built_at FROM index_versions WHERE state = 'live')"
        " ORDER BY built_at DESC LIMIT 1"
    ).fetchone()
    return IndexVersion(*row) if row else None


def kept(conn: Connection, versions: int) -> Sequence[str]:
    """The live version and the newest others, `versions` in all: their files stay."""
    rows = conn.execute(
        "SELECT version FROM index_versions ORDER BY state = 'live' DESC, built_at DESC LIMIT %s", (versions,)
    )
    return [row[0] for row in rows]
