"""Sources of articles: where they are, how far they are trusted, and how their last sync went."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

LOCKS = 7_461_003  # our number among PostgreSQL's advisory locks; the second is the hash of the source's name


class SourceRow(NamedTuple):
    """One source as stored."""

    name: str
    kind: str
    url: str
    options: Mapping[str, str]
    credentials: str | None
    trust: str
    max_age_days: int | None
    language: str
    licence: str
    name_authors: bool
    every_minutes: int
    next_at: datetime
    cursor: str | None = None
    listed_at: datetime | None = None
    synced_at: datetime | None = None
    failures: int = 0
    problem: str | None = None
    unsettled: bool = False
    paused: bool = False
    asked_at: datetime | None = None
    read_so_far: int | None = None
    read_of: int | None = None
    told_at: datetime | None = None
    unread: Sequence[str] = ()


_COLUMNS = ", ".join(SourceRow._fields)
_ADD = """
    INSERT INTO sources (name, kind, url, options, credentials, trust, max_age_days, language, licence, name_authors,
                         every_minutes, next_at)
    VALUES (%(name)s, %(kind)s, %(url)s, %(options)s, %(credentials)s, %(trust)s, %(max_age_days)s, %(language)s,
            %(licence)s, %(name_authors)s, %(every_minutes)s, %(next_at)s)
    ON CONFLICT DO NOTHING
"""


def add(conn: Connection, source: SourceRow) -> bool:
    """Store a new source; False when the name is taken."""
    values: dict[str, Any] = source._asdict() | {"options": Jsonb(dict(source.options))}
    return conn.execute(_ADD, values).rowcount == 1


def remove(conn: Connection, name: str) -> None:
    """Forget a source and its threads. What to do with its articles is the caller's."""
    conn.execute("DELETE FROM sources WHERE name = %s", (name,))


def read(conn: Connection, name: str) -> SourceRow | None:
    """The source of that name."""
    with conn.cursor(row_factory=class_row(SourceRow)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM sources WHERE name = %s", (name,)).fetchone()


def list_all(conn: Connection) -> list[SourceRow]:
    """All sources by name."""
    with conn.cursor(row_factory=class_row(SourceRow)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM sources ORDER BY name").fetchall()


def due(conn: Connection, now: datetime) -> list[str]:
    """The names of those to be synced: those somebody asked for, then the one that waits longest. A paused one is only
    if asked for."""
    return [
        str(name)
        for (name,) in conn.execute(
            "SELECT name FROM sources WHERE asked_at IS NOT NULL OR next_at <= %s AND NOT paused"
            " ORDER BY asked_at IS NULL, next_at",
            (now,),
        )
    ]


@contextmanager
def alone(conn: Connection, name: str) -> Iterator[bool]:
    """Within it no other process syncs this source; False when one does already. `conn` stays in use."""
    row = conn.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (LOCKS, name)).fetchone()
    taken = row == (True,)
    try:
        yield taken
    finally:
        if taken:
            conn.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", (LOCKS, name))


def go_on_from(conn: Connection, name: str, cursor: str | None, *, changed: bool) -> None:
    """Keep where the next pull goes on, and whether threads `changed`: then they are to be settled."""
    conn.execute("UPDATE sources SET cursor = %s, unsettled = unsettled OR %s WHERE name = %s", (cursor, changed, name))


def note_unsettled(conn: Connection, name: str) -> None:
    """Its threads are to be settled, by the next sync at the latest."""
    conn.execute("UPDATE sources SET unsettled = true WHERE name = %s", (name,))


def note_settled(conn: Connection, name: str) -> None:
    """The articles are what the threads make of them. Holds the source's row until the transaction ends."""
    conn.execute("UPDATE sources SET unsettled = false WHERE name = %s", (name,))


def note_listed(conn: Connection, name: str, now: datetime) -> None:
    """Everything the source has was listed just now."""
    conn.execute("UPDATE sources SET listed_at = %s WHERE name = %s", (now, name))


def note_unread(conn: Connection, name: str, lines: Sequence[str]) -> None:
    """What of the source could not be read: an address and a reason each."""
    conn.execute("UPDATE sources SET unread = %s WHERE name = %s", (list(lines), name))


def note_synced(conn: Connection, name: str, now: datetime, next_at: datetime) -> None:
    """A sync ended well."""
    conn.execute(
        "UPDATE sources SET synced_at = %s, next_at = %s, failures = 0, problem = NULL, asked_at = NULL"
        " WHERE name = %s",
        (now, next_at, name),
    )


def note_problem(conn: Connection, name: str, problem: str, now: datetime, longest: timedelta) -> None:
    """A sync did not end well, and why. The next waits twice as long as the one before, `longest` at most."""
    conn.execute(
        "UPDATE sources SET problem = %s, failures = failures + 1, asked_at = NULL,"
        " next_at = %s + least(%s, every_minutes * interval '1 minute' * 2 ^ least(failures, 10)) WHERE name = %s",
        (problem, now, longest, name),
    )


def note_rest(conn: Connection, name: str, problem: str, next_at: datetime) -> None:
    """The source told nothing, and asks to be left alone until then."""
    conn.execute(
        "UPDATE sources SET problem = %s, failures = failures + 1, asked_at = NULL, next_at = %s WHERE name = %s",
        (problem, next_at, name),
    )


def start_over(conn: Connection, name: str) -> None:
    """The next pull begins at the beginning and lists everything."""
    conn.execute("UPDATE sources SET cursor = NULL, listed_at = NULL WHERE name = %s", (name,))


def ask(conn: Connection, name: str, now: datetime) -> None:
    """Somebody wants it synced now."""
    conn.execute(
        "UPDATE sources SET asked_at = coalesce(asked_at, %s), read_so_far = NULL WHERE name = %s", (now, name)
    )


def forget_asked(conn: Connection, name: str) -> None:
    """It is being done by another process."""
    conn.execute("UPDATE sources SET asked_at = NULL WHERE name = %s", (name,))


def note_progress(conn: Connection, name: str, done: int, of: int | None, now: datetime) -> None:
    """How far the sync under way has read."""
    conn.execute(
        "UPDATE sources SET read_so_far = %s, read_of = %s, told_at = %s WHERE name = %s", (done, of, now, name)
    )


def pause(conn: Connection, name: str, *, paused: bool) -> bool:
    """Sync it by itself no more, or again; whether that changed anything."""
    return (
        conn.execute("UPDATE sources SET paused = %s WHERE name = %s AND paused <> %s", (paused, name, paused)).rowcount
        == 1
    )


def being_synced(conn: Connection) -> frozenset[str]:
    """The sources a process syncs at this moment."""
    rows = conn.execute(
        "SELECT s.name FROM sources s JOIN pg_locks l ON l.locktype = 'advisory' AND l.classid = %s AND l.granted"
        " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND l.objid::bigint = (hashtext(s.name)::bigint & 4294967295)",
        (LOCKS,),
    )
    return frozenset(str(row[0]) for row in rows)


def live_articles(conn: Connection) -> dict[str, int]:
    """Source -> how many of its articles callers may get."""
    rows = conn.execute("SELECT source, count(*) FROM articles WHERE state = 'live' GROUP BY source")
    return {str(source): int(count) for source, count in rows}
