"""Versions of the search index: which were built, which one is live, their files in chunks, who uses which."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import psycopg
from psycopg import Connection

BUILDING = 7_461_004  # our number among PostgreSQL's advisory locks


class BeingBuilt(Exception):
    """Another process builds an index; its message says which."""


class Held(Exception):
    """A rollback put the live version in place, and it is to stay."""


@dataclass(frozen=True)
class IndexVersion:
    """One built bundle; its files lie in the folder named `version`. `state`: built, live or retired."""

    version: str
    built_at: datetime
    article_count: int
    model_id: str
    content_digest: str
    state: str = "built"
    read_at: str | None = None  # `snapshot` before the articles were read
    held: bool = False  # live by a rollback: only a build that someone asks for takes its place


class Chunk(NamedTuple):
    """A part of a bundle's file."""

    sha256: bytes
    content: bytes


class Change(NamedTuple):
    """An article that changed: its content's hash, None when it may not be found any more."""

    id: str
    content_hash: str | None


_COLUMNS = "version, built_at, article_count, model_id, content_digest, state, read_at::text, held"


def add(conn: Connection, built: IndexVersion) -> None:
    """Record a finished bundle; it is not live before `publish`."""
    conn.execute(
        "INSERT INTO index_versions (version, built_at, article_count, model_id, content_digest, state, read_at)"
        " VALUES (%s, %s, %s, %s, %s, 'built', %s::text::xid8)",
        (built.version, built.built_at, built.article_count, built.model_id, built.content_digest, built.read_at),
    )


def current(conn: Connection) -> IndexVersion | None:
    """The live version, None before the first."""
    row = conn.execute(f"SELECT {_COLUMNS} FROM index_versions WHERE state = 'live'").fetchone()
    return IndexVersion(*row) if row else None


def list_all(conn: Connection) -> list[IndexVersion]:
    """Every version, newest first."""
    rows = conn.execute(f"SELECT {_COLUMNS} FROM index_versions ORDER BY built_at DESC, version DESC")
    return [IndexVersion(*row) for row in rows]


def publish(conn: Connection, version: str, over: str | None = None) -> None:
    """Make `version` the live one and retire the one before. Raises `LookupError` for an unknown one and `Held` when a
    rollback put another than `over`, the live version its builder knew, in place."""
    with conn.transaction():
        conn.execute("LOCK TABLE index_versions IN SHARE ROW EXCLUSIVE MODE")
        live = current(conn)
        if live is not None and live.held and live.version != over:
            raise Held(f"{live.version} was rolled back to")
        _put_live(conn, version, held=False)


def roll_back(conn: Connection, version: str) -> None:
    """Make an earlier version the live one and hold it; no rollback chooses those newer than it by itself any more.

    Raises `LookupError` for an unknown one.
    """
    with conn.transaction():
        conn.execute("LOCK TABLE index_versions IN SHARE ROW EXCLUSIVE MODE")
        _put_live(conn, version, held=True)
        conn.execute(
            "UPDATE index_versions SET left_at = now()"
            " WHERE left_at IS NULL AND built_at > (SELECT built_at FROM index_versions WHERE version = %s)",
            (version,),
        )


def _put_live(conn: Connection, version: str, *, held: bool) -> None:
    conn.execute(
        "UPDATE index_versions SET state = 'retired', held = false WHERE state = 'live' AND version <> %s", (version,)
    )
    found = conn.execute(
        "UPDATE index_versions SET state = 'live', held = %s, left_at = NULL WHERE version = %s", (held, version)
    )
    if found.rowcount != 1:
        raise LookupError(f"there is no index version {version}")


def before_current(conn: Connection) -> IndexVersion | None:
    """The newest version that was live, is older than the live one and was not left by a rollback: what the next one
    goes back to."""
    row = conn.execute(
        f"SELECT {_COLUMNS} FROM index_versions WHERE state = 'retired' AND left_at IS NULL"
        " AND built_at < (SELECT built_at FROM index_versions WHERE state = 'live')"
        " ORDER BY built_at DESC LIMIT 1"
    ).fetchone()
    return IndexVersion(*row) if row else None


def kept(conn: Connection, versions: int) -> Sequence[str]:
    """The live version and the newest that once were, `versions` in all: their files stay. Those that a rollback left
    come last: of several bad ones in a row none takes the place of the good one."""
    rows = conn.execute(
        "SELECT version FROM index_versions WHERE state <> 'built'"
        " ORDER BY state = 'live' DESC, left_at IS NULL DESC, built_at DESC LIMIT %s",
        (versions,),
    )
    return [row[0] for row in rows]


def outdated(conn: Connection, keep: Iterable[str]) -> Sequence[str]:
    """The versions that once were live, but for these."""
    rows = conn.execute(
        "SELECT version FROM index_versions WHERE state = 'retired' AND version <> ALL(%s)", (list(keep),)
    )
    return [row[0] for row in rows]


@contextmanager
def building(conn: Connection, builder: str) -> Iterator[None]:
    """Within it nobody else builds, and who tries is told of `builder`. The lock goes with the connection, which is to
    be used for all of the build: one that has lost the lock cannot publish. Raises `BeingBuilt`."""
    conn.execute("SELECT set_config('application_name', %s, false)", (builder,))
    if conn.execute("SELECT pg_try_advisory_lock(%s)", (BUILDING,)).fetchone() != (True,):
        row = conn.execute(
            "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory'"
            " AND granted AND classid = 0 AND objid = %s AND objsubid = 1"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            (BUILDING,),
        ).fetchone()
        raise BeingBuilt(f"{row[0] if row else 'another process'} is building an index")
    try:
        yield
    finally:
        with suppress(psycopg.Error):  # it is gone, and the lock with it
            conn.execute("SELECT pg_advisory_unlock(%s)", (BUILDING,))


def put_chunk(conn: Connection, version: str, file: str, place: int, content: bytes) -> None:
    """Keep a part of a file of a version; once kept it stays as it is."""
    conn.execute(
        "INSERT INTO index_chunks (version, file, place, sha256, content) VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (version, file, place, hashlib.sha256(content).digest(), content),
        binary=True,
    )


def chunk(conn: Connection, version: str, file: str, place: int) -> Chunk | None:
    """A part of a file, None behind the last."""
    row = conn.execute(
        "SELECT sha256, content FROM index_chunks WHERE version = %s AND file = %s AND place = %s",
        (version, file, place),
        binary=True,
    ).fetchone()
    return Chunk(bytes(row[0]), bytes(row[1])) if row else None


def size_bytes(conn: Connection, version: str) -> int:
    """Of all files of a version."""
    row = conn.execute(
        "SELECT coalesce(sum(octet_length(content)), 0) FROM index_chunks WHERE version = %s", (version,)
    ).fetchone()
    return int(row[0]) if row else 0


def forget(conn: Connection, version: str) -> None:
    """Drop a version that never was live, its files with it."""
    conn.execute("DELETE FROM index_versions WHERE version = %s AND state = 'built'", (version,))


def forget_chunks(conn: Connection, keep: Iterable[str]) -> None:
    """Drop the files of all versions but these."""
    conn.execute("DELETE FROM index_chunks WHERE version <> ALL(%s)", (list(keep),))


def note_use(conn: Connection, process: str, version: str) -> None:
    """A process serves this version now."""
    conn.execute(
        "INSERT INTO index_uses (process, version, seen_at) VALUES (%s, %s, now())"
        " ON CONFLICT (process) DO UPDATE SET version = excluded.version, seen_at = excluded.seen_at",
        (process, version),
    )


def uses(conn: Connection, within_s: float) -> list[tuple[str, str]]:
    """(process, version) of all that were heard of lately; those silent for a day are forgotten."""
    conn.execute("DELETE FROM index_uses WHERE seen_at < now() - interval '1 day'")
    rows = conn.execute(
        "SELECT process, version FROM index_uses WHERE seen_at > now() - make_interval(secs => %s) ORDER BY 1",
        (within_s,),
    )
    return [(row[0], row[1]) for row in rows]


def snapshot(conn: Connection) -> str:
    """The oldest transaction still under way: the changes of all before it can be seen."""
    row = conn.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text").fetchone()
    assert row is not None  # a select without a table always gives a row
    return str(row[0])


def changed_since(conn: Connection, read_at: str, limit: int) -> list[Change]:
    """Articles that changed in transactions from `read_at` (a `snapshot`) on, the earliest first.

    An article can be told more than once: as long as an older transaction is under way, `snapshot` stands still.
    A number beyond this server's own transactions comes from another server's copy and tells nothing: such an article
    is passed over, such a `read_at` stands for the beginning.
    """
    rows = conn.execute(
        "SELECT id, CASE WHEN state = 'live' THEN content_hash END FROM articles,"
        " (SELECT %s::text::xid8 AS read_at, pg_snapshot_xmax(pg_current_snapshot()) AS ours) AS at"
        " WHERE changed_in >= CASE WHEN read_at > ours THEN '0' ELSE read_at END AND changed_in < ours"
        " ORDER BY changed_in, id LIMIT %s",
        (read_at, limit),
    )
    return [Change(row[0], row[1]) for row in rows]


def helped(conn: Connection) -> dict[str, int]:
    """How many callers each live article helped, of those that helped any."""
    rows = conn.execute("SELECT id, helped FROM articles WHERE state = 'live' AND helped > 0")
    return {row[0]: row[1] for row in rows}
