"""What was worked out about callers of the last days: what each leaf finds (a mapping), what a draft would change (a
rehearsal). And the calls that both go by."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

MAPPING, REHEARSAL = "mapping", "rehearsal"
MAPPING_CALLS = 20_000  # the latest
MOST_TRIES = 2


@dataclass(frozen=True, slots=True)
class Study:
    """One piece of work. `state`: asked, running, done, failed; `told` its figures, `words` what is sealed."""

    id: int
    kind: str
    draft_id: int | None
    revision: int | None
    calls: int
    state: str
    asked_by: str
    asked_at: datetime
    heard_at: datetime | None
    tries: int
    done: int
    total: int
    ended_at: datetime | None
    plan_version: int | None
    index_version: str | None
    told: dict[str, Any] | None
    words: bytes | None

    @property
    def is_open(self) -> bool:
        """Whether it is still to be done."""
        return self.state in ("asked", "running")


class TakenAway(Exception):
    """A piece of work is not its worker's any more: words it goes by were forgotten, or somebody else began it anew."""


class Recorded(NamedTuple):
    """A call that came to the queue, or would have: where it went and the sealed words said last, never the number."""

    call_sid: str
    started_at: datetime
    language: str
    path: tuple[str, ...]
    leaf: str | None
    position: int | None
    waited_s: int
    described: bool
    sealed: bytes | None


class Outcome(NamedTuple):
    """What a piece of work came to."""

    plan_version: int
    index_version: str | None
    told: dict[str, Any]
    words: bytes
    words_until: datetime | None


_COLUMNS = ", ".join(Study.__slots__)


def ask(
    conn: Connection,
    kind: str,
    who: str,
    at: datetime,
    *,
    calls: int,
    draft_id: int | None = None,
    revision: int | None = None,
) -> int:
    """Want a piece of work done; gives its id, that of the same one where it is wanted already."""
    with conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(hashtext('studies'))")
        row = (
            conn.execute(
                "SELECT id FROM studies WHERE state IN ('asked', 'running') AND (kind, calls) = (%s, %s)"
                " AND draft_id IS NOT DISTINCT FROM %s AND revision IS NOT DISTINCT FROM %s ORDER BY id LIMIT 1",
                (kind, calls, draft_id, revision),
            ).fetchone()
            or conn.execute(
                "INSERT INTO studies (kind, calls, draft_id, revision, asked_by, asked_at)"
                " VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
                (kind, calls, draft_id, revision, who, at),
            ).fetchone()
        )
    assert row is not None
    return int(row[0])


_WAITING = "(state = 'asked' OR state = 'running' AND heard_at < %(silent_since)s)"


def is_waiting(conn: Connection, silent_since: datetime) -> bool:
    """Whether there is work that nobody does: asked for, or begun by someone not heard of since a time."""
    given = {"silent_since": silent_since}
    return conn.execute(f"SELECT FROM studies WHERE {_WAITING} LIMIT 1", given).fetchone() is not None


def claim(conn: Connection, at: datetime, silent_since: datetime) -> Study | None:
    """Take the oldest piece of work that nobody does; None when there is none. That whose workers died too often is
    given up."""
    conn.execute(
        f"UPDATE studies SET state = 'failed', ended_at = %(at)s"
        f" WHERE state = 'running' AND {_WAITING} AND tries >= %(most)s",
        {"at": at, "silent_since": silent_since, "most": MOST_TRIES},
    )
    with conn.cursor(row_factory=class_row(Study)) as cursor:
        return cursor.execute(
            "UPDATE studies SET state = 'running', heard_at = %(at)s, tries = tries + 1, done = 0 WHERE id ="
            f" (SELECT id FROM studies WHERE {_WAITING} ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1)"
            f" RETURNING {_COLUMNS}",
            {"at": at, "silent_since": silent_since},
        ).fetchone()


#: `tries` grows whenever a piece of work is begun: whoever began it earlier does not touch it any more
_MINE = "id = %(id)s AND state = 'running' AND tries = %(tries)s"


def progress(conn: Connection, study: Study, done: int, total: int, at: datetime) -> None:
    """Say how far the work is. Raises TakenAway."""
    _change(conn, study, "done = %(done)s, total = %(total)s, heard_at = %(at)s", done=done, total=total, at=at)


def finish(conn: Connection, study: Study, outcome: Outcome, at: datetime) -> None:
    """The work is done. Words that are to be forgotten by now are not kept. Of mappings, and of rehearsals of one
    draft, the latest few are kept. Raises TakenAway."""
    due = outcome.words_until is not None and outcome.words_until <= at
    with conn.transaction():
        _change(
            conn,
            study,
            "state = 'done', ended_at = %(at)s, done = total, plan_version = %(plan_version)s,"
            " index_version = %(index_version)s, told = %(told)s, words = %(words)s, words_until = %(words_until)s",
            at=at,
            plan_version=outcome.plan_version,
            index_version=outcome.index_version,
            told=json.dumps(outcome.told),
            words=None if due else outcome.words,
            words_until=None if due else outcome.words_until,
        )
        conn.execute(
            "DELETE FROM studies WHERE state IN ('done', 'failed') AND id IN (SELECT o.id FROM studies o JOIN studies s"
            " ON s.kind = o.kind AND s.draft_id IS NOT DISTINCT FROM o.draft_id WHERE s.id = %s"
            " ORDER BY o.id DESC OFFSET 5)",
            (study.id,),
        )


def fail(conn: Connection, study: Study, at: datetime) -> None:
    """It cannot be done. Raises TakenAway."""
    _change(conn, study, "state = 'failed', ended_at = %(at)s", at=at)


def _change(conn: Connection, study: Study, changes: str, **given: object) -> None:
    given |= {"id": study.id, "tries": study.tries}
    if not conn.execute(f"UPDATE studies SET {changes} WHERE {_MINE}", given).rowcount:
        raise TakenAway(f"study {study.id} is not this worker's any more")


def read(conn: Connection, study_id: int) -> Study | None:
    """One piece of work, None when there is none of that id."""
    with conn.cursor(row_factory=class_row(Study)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM studies WHERE id = %s", (study_id,)).fetchone()


def latest(conn: Connection, kind: str, *, state: str | None = None) -> Study | None:
    """The latest piece of work of a kind (in a state)."""
    with conn.cursor(row_factory=class_row(Study)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM studies WHERE kind = %(kind)s AND (%(state)s::text IS NULL OR state = %(state)s)"
            " ORDER BY id DESC LIMIT 1",
            {"kind": kind, "state": state},
        ).fetchone()


def of_draft(conn: Connection, draft_id: int) -> list[Study]:
    """The rehearsals of a draft, newest first, without their words."""
    columns = _COLUMNS.replace("words", "NULL AS words")
    with conn.cursor(row_factory=class_row(Study)) as cursor:
        return cursor.execute(
            f"SELECT {columns} FROM studies WHERE kind = 'rehearsal' AND draft_id = %s ORDER BY id DESC", (draft_id,)
        ).fetchall()


def forget_words(conn: Connection, now: datetime) -> int:
    """Forget the words of callers that are due to be forgotten; how many pieces of work had some. Their figures
    stay."""
    return conn.execute(
        "UPDATE studies SET words = NULL, words_until = NULL WHERE words IS NOT NULL AND words_until <= %s", (now,)
    ).rowcount


def forget_all_words(conn: Connection) -> int:
    """Forget the words of all callers, where one is erased; how many pieces of work had some, or may have. Their
    figures stay. What is under way may have read words of that caller: it is begun anew, and whoever does it hears so
    (TakenAway).

    In the transaction in which the transcripts went; until its end nobody begins or ends a piece of work.
    """
    conn.execute("LOCK TABLE studies IN SHARE ROW EXCLUSIVE MODE")  # no statement after this misses one begun before it
    return conn.execute(
        "UPDATE studies SET words = NULL, words_until = NULL, state = CASE state WHEN 'running' THEN 'asked' ELSE state"
        " END WHERE words IS NOT NULL OR state = 'running'"
    ).rowcount


def recorded(conn: Connection, since: datetime, limit: int) -> list[Recorded]:
    """The latest calls since a time in which an article was looked for, oldest first. None of the test phone."""
    rows = conn.execute(
        "SELECT s.*, t.sealed FROM (SELECT call_sid, started_at, language, path, leaf, position,"
        " coalesce(waited_s, 0) AS waited_s, described > 0 AS described FROM call_summaries WHERE started_at >= %s"
        " AND NOT test AND NOT rejoined AND (held_at IS NOT NULL OR closed IS NOT NULL)"
        " ORDER BY started_at DESC LIMIT %s) s"
        " LEFT JOIN LATERAL (SELECT sealed FROM transcripts WHERE call_sid = s.call_sid ORDER BY turn DESC LIMIT 1) t"
        " ON true ORDER BY s.started_at",
        (since, limit),
    )
    return [
        Recorded(sid, at, language, tuple(path), leaf, position, waited, described, sealed and bytes(sealed))
        for sid, at, language, path, leaf, position, waited, described, sealed in rows
    ]
