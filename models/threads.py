"""The threads of the sources as last pulled, cleaned; which of them are articles, and why the others are not."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row
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


class Waiting(NamedTuple):
    """A thread that its source's rule alone keeps from callers; `calls` it would have served of late."""

    article_id: str
    source: str
    thread: dict[str, Any]
    content_hash: str
    refusal: str
    calls: int


class Decided(NamedTuple):
    """A thread somebody said yes or no to; `how`: approved, refused, or changed (the words are others now)."""

    article_id: str
    source: str
    title: str
    content_hash: str
    how: str
    who: str
    at: datetime


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


def some(conn: Connection, source: str, article_ids: Sequence[str]) -> Iterator[ThreadRow]:
    """As `stream`, those of some articles."""
    rows = conn.execute(
        "SELECT id, article_id, thread, coalesce(approved_hash = content_hash, false), written_hash"
        " FROM threads WHERE source = %s AND article_id = ANY(%s) AND NOT gone ORDER BY id",
        (source, list(article_ids)),
    ).fetchall()
    return (ThreadRow(*row) for row in rows)


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
        "UPDATE threads SET approved_hash = content_hash, refused_hash = NULL"
        " WHERE article_id = %s AND NOT gone RETURNING source",
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


_DECISIONS = {
    "approve": "approved_hash = t.content_hash, refused_hash = NULL, decided_by = %(who)s, decided_at = %(at)s",
    "refuse": "refused_hash = t.content_hash, approved_hash = NULL, decided_by = %(who)s, decided_at = %(at)s",
    "undo": "refused_hash = NULL, approved_hash = NULL, decided_by = NULL, decided_at = NULL",
}


def decide(conn: Connection, how: str, seen: Mapping[str, str], who: str, at: datetime) -> dict[str, str]:
    """Say yes ("approve") or no ("refuse") to threads, or take either back ("undo"): article id -> content hash as
    they were `seen`. Gives article id -> source of those that still are as they were."""
    rows = conn.execute(
        f"UPDATE threads t SET {_DECISIONS[how]} FROM unnest(%(ids)s::text[], %(hashes)s::text[]) AS seen (id, hash)"
        " WHERE t.article_id = seen.id AND t.content_hash = seen.hash AND NOT t.gone RETURNING t.article_id, t.source",
        {"ids": list(seen), "hashes": list(seen.values()), "who": who, "at": at},
    )
    return {str(row[0]): str(row[1]) for row in rows}


def sources_of(conn: Connection, article_ids: Iterable[str]) -> list[str]:
    """The sources that threads came from."""
    rows = conn.execute(
        "SELECT DISTINCT source FROM threads WHERE article_id = ANY(%s) ORDER BY 1", (list(article_ids),)
    )
    return [str(row[0]) for row in rows]


_WAITING = "t.article_id, t.source, t.thread, t.content_hash, t.refusal"
_WAITS = "t.refusal = ANY(%(reasons)s) AND NOT t.gone AND t.refused_hash IS DISTINCT FROM t.content_hash"


def waiting(
    conn: Connection,
    reasons: Sequence[str],
    source: str,
    served: Mapping[str, int],
    after: tuple[int, str] | None,
    limit: int,
) -> list[Waiting]:
    """The next threads (of a source, "" of any) refused for one of the reasons alone and not by a person: those that
    would have `served` calls (article id -> calls) first, the most first, then the others by id. `after`: calls and id
    of the line before."""
    where = _WAITS + (" AND t.source = %(source)s" if source else "")
    given = {"reasons": list(reasons), "source": source, "ids": list(served), "numbers": list(served.values())}
    rows: list[Waiting] = []
    with conn.cursor(row_factory=class_row(Waiting)) as cursor:
        if served and (after is None or after[0]):
            place = {"n": after[0] if after else None, "id": after[1] if after else None, "limit": limit}
            rows = cursor.execute(
                f"SELECT {_WAITING}, s.n AS calls FROM unnest(%(ids)s::text[], %(numbers)s::bigint[]) AS s (id, n)"
                f" JOIN threads t ON t.article_id = s.id WHERE {where} AND (%(n)s::bigint IS NULL"
                " OR (-s.n, s.id) > (-%(n)s::bigint, %(id)s)) ORDER BY s.n DESC, s.id LIMIT %(limit)s",
                given | place,
            ).fetchall()
        if len(rows) < limit:
            place = {"id": after[1] if after and not after[0] else "", "limit": limit - len(rows)}
            rows += cursor.execute(
                f"SELECT {_WAITING}, 0 AS calls FROM threads t WHERE {where} AND t.article_id > %(id)s"
                " AND t.article_id <> ALL (%(ids)s::text[]) ORDER BY t.article_id LIMIT %(limit)s",
                given | place,
            ).fetchall()
    return rows


def waiting_one(conn: Connection, article_id: str) -> Waiting | None:
    """One thread, whatever became of it ("" for no refusal)."""
    with conn.cursor(row_factory=class_row(Waiting)) as cursor:
        return cursor.execute(
            "SELECT article_id, source, thread, content_hash, coalesce(refusal, '') AS refusal, 0 AS calls"
            " FROM threads WHERE article_id = %s AND NOT gone",
            (article_id,),
        ).fetchone()


def count_waiting(conn: Connection, reasons: Sequence[str]) -> list[tuple[str, str, int]]:
    """(source, reason, threads) that wait for a person."""
    rows = conn.execute(
        f"SELECT t.source, t.refusal, count(*) FROM threads t WHERE {_WAITS} GROUP BY 1, 2 ORDER BY 1, 2",
        {"reasons": list(reasons)},
    )
    return [(str(source), str(reason), int(count)) for source, reason, count in rows]


def decided(conn: Connection, limit: int) -> list[Decided]:
    """What was decided last."""
    with conn.cursor(row_factory=class_row(Decided)) as cursor:
        return cursor.execute(
            "SELECT article_id, source, thread ->> 'title' AS title, content_hash, CASE content_hash"
            " WHEN approved_hash THEN 'approved' WHEN refused_hash THEN 'refused' ELSE 'changed' END AS how,"
            " decided_by AS who, decided_at AS at FROM threads WHERE decided_at IS NOT NULL AND NOT gone"
            " ORDER BY decided_at DESC, article_id LIMIT %s",
            (limit,),
        ).fetchall()
