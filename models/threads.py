"""The threads of the sources as last pulled, cleaned; which of them are articles, and why the others are not."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.types.json import Jsonb

BATCH = 500


class ThreadRow(NamedTuple):
    """One thread as stored; `approved`: somebody said yes to these very words."""

    id: str
    article_id: str
    thread: dict[str, Any]
    approved: bool
    written_hash: str | None


class NewThread(NamedTuple):
    """One thread as pulled just now."""

    id: str
    article_id: str
    version: str
    thread: dict[str, Any]
    content_hash: str


class Verdict(NamedTuple):
    """What became of a thread: an article (`written_hash`), the double of one, or none, and why."""

    id: str
    refusal: str | None
    folded_into: str | None
    written_hash: str | None


_PUT = """
    INSERT INTO threads (source, id, article_id, version, thread, content_hash)
    SELECT %(source)s, id, article_id, version, thread, content_hash
    FROM jsonb_to_recordset(%(rows)s) AS given (id text, article_id text, version text, thread jsonb, content_hash text)
    ON CONFLICT (source, id) DO UPDATE SET
        version = excluded.version, thread = excluded.thread, content_hash = excluded.content_hash, gone = false
"""

_JUDGE = """
    UPDATE threads SET refusal = given.refusal, folded_into = given.folded_into, written_hash = given.written_hash
    FROM jsonb_to_recordset(%(rows)s) AS given (id text, refusal text, folded_into text, written_hash text)
    WHERE threads.source = %(source)s AND threads.id = given.id
      AND (threads.refusal, threads.folded_into, threads.written_hash)
          IS DISTINCT FROM (given.refusal, given.folded_into, given.written_hash)
"""


def put(conn: Connection, source: str, given: Sequence[NewThread]) -> None:
    """Add or replace threads; each id once."""
    if given:
        conn.execute(_PUT, {"source": source, "rows": Jsonb([one._asdict() for one in given])})


def note_gone(conn: Connection, source: str, ids: Sequence[str]) -> int:
    """The source has these no more; how many of them we had."""
    done = conn.execute(
        "UPDATE threads SET gone = true WHERE source = %s AND id = ANY(%s) AND NOT gone", (source, list(ids))
    )
    return done.rowcount


def compare(conn: Connection, source: str, listing: Iterable[str]) -> int:
    """What is not in `listing` is gone, what is in it is not; how many of ours that changed."""
    ids = list(listing)
    gone = conn.execute(
        "UPDATE threads SET gone = true WHERE source = %s AND NOT gone"
        " AND NOT EXISTS (SELECT FROM unnest(%s::text[]) AS listed (id) WHERE listed.id = threads.id)",
        (source, ids),
    )
    back = conn.execute(
        "UPDATE threads SET gone = false WHERE source = %s AND gone"
        " AND EXISTS (SELECT FROM unnest(%s::text[]) AS listed (id) WHERE listed.id = threads.id)",
        (source, ids),
    )
    return gone.rowcount + back.rowcount


def versions(conn: Connection, source: str) -> dict[str, str]:
    """id -> version of every thread we have."""
    return {
        str(row[0]): str(row[1]) for row in conn.execute("SELECT id, version FROM threads WHERE source = %s", (source,))
    }


def stream(conn: Connection, source: str) -> Iterator[ThreadRow]:
    """The threads the source has, in the order of ids, as of one moment, never all in memory."""
    with conn.transaction(), conn.cursor(name="threads") as cursor:
        cursor.itersize = BATCH
        cursor.execute(
            "SELECT id, article_id, thread, coalesce(approved_hash = content_hash, false), written_hash"
            " FROM threads WHERE source = %s AND NOT gone ORDER BY id",
            (source,),
        )
        for row in cursor:
            yield ThreadRow(*row)


def judge(conn: Connection, source: str, verdicts: Iterable[Verdict]) -> None:
    """Write down what became of the threads."""
    rows = [one._asdict() for one in verdicts]
    for start in range(0, len(rows), BATCH):
        conn.execute(_JUDGE, {"source": source, "rows": Jsonb(rows[start : start + BATCH])})


def forget_gone(conn: Connection, source: str) -> None:
    """Delete what the source has no more."""
    conn.execute("DELETE FROM threads WHERE source = %s AND gone", (source,))


def approve(conn: Connection, article_id: str) -> str | None:
    """Somebody says yes to a thread as it stands; its source, or None when there is no such thread."""
    row = conn.execute(
        "UPDATE threads SET approved_hash = content_hash WHERE article_id = %s AND NOT gone RETURNING source",
        (article_id,),
    ).fetchone()
    return str(row[0]) if row else None


def refusals(conn: Connection, source: str) -> list[tuple[str, int]]:
    """Why how many threads are no articles, the most frequent reason first."""
    rows = conn.execute(
        "SELECT coalesce(refusal, 'double'), count(*) FROM threads"
        " WHERE source = %s AND (refusal IS NOT NULL OR folded_into IS NOT NULL) GROUP BY 1 ORDER BY 2 DESC, 1",
        (source,),
    )
    return [(str(reason), int(count)) for reason, count in rows]


def refused(conn: Connection, source: str, reason: str) -> list[tuple[str, str]]:
    """(article id, title) of the threads refused for this reason."""
    rows = conn.execute(
        "SELECT article_id, thread ->> 'title' FROM threads"
        " WHERE source = %s AND refusal = %s AND NOT gone ORDER BY id",
        (source, reason),
    )
    return [(str(article_id), str(title)) for article_id, title in rows]
