"""Webhooks out: who wants which facts, and what is to be sent to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from models.facts import FactRow

#: so many facts before the mark are looked at once more: a turn that took its number earlier may end later
LOOKED_BACK = 1000
TAKEN_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook. `names` empty: all facts. Secrets are sealed. `off_at` is set while it is switched off."""

    id: int
    url: str
    names: Sequence[str]
    secret: bytes
    old_secret: bytes | None
    old_until: datetime | None
    made_by: str
    made_at: datetime
    failing_since: datetime | None
    off_at: datetime | None
    off_why: str | None


class Message(NamedTuple):
    """A fact to be sent. `attempts` counts the one that begins now."""

    id: int
    attempts: int
    fact: FactRow
    test: bool


class Sent(NamedTuple):
    """What became of a message, for people."""

    id: int
    fact_id: int
    name: str
    state: str
    attempts: int
    due_at: datetime
    tried_at: datetime | None
    problem: str | None


class Tally(NamedTuple):
    """How many messages of a webhook are in each state."""

    waiting: int
    delivered: int
    given_up: int


_COLUMNS = "id, url, names, secret, old_secret, old_until, made_by, made_at, failing_since, off_at, off_why"


def add(conn: Connection, url: str, names: Sequence[str], secret: bytes, made_by: str, at: datetime) -> int:
    """A new webhook for the facts from now on; its id."""
    row = conn.execute(
        "WITH newest AS (SELECT coalesce(max(id), 0) AS id FROM facts)"
        " INSERT INTO hooks (url, names, secret, made_by, made_at, after, mark)"
        " SELECT %s, %s, %s, %s, %s, id, id FROM newest RETURNING id",
        (url, list(names), secret, made_by, at),
    ).fetchone()
    assert row is not None
    return int(row[0])


def listed(conn: Connection) -> list[Hook]:
    """All of them, oldest first."""
    with conn.cursor(row_factory=class_row(Hook)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM hooks ORDER BY id").fetchall()


def read(conn: Connection, hook_id: int) -> Hook | None:
    """One of them."""
    with conn.cursor(row_factory=class_row(Hook)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM hooks WHERE id = %s", (hook_id,)).fetchone()


def change(conn: Connection, hook_id: int, url: str, names: Sequence[str]) -> None:
    """Send it elsewhere, or other facts."""
    conn.execute("UPDATE hooks SET url = %s, names = %s WHERE id = %s", (url, list(names), hook_id))


def rotate(conn: Connection, hook_id: int, secret: bytes, old_until: datetime) -> None:
    """A new secret; the one before signs as well until a time."""
    conn.execute(
        "UPDATE hooks SET old_secret = secret, old_until = %s, secret = %s WHERE id = %s", (old_until, secret, hook_id)
    )


def remove(conn: Connection, hook_id: int) -> None:
    """Forget it, and what was to be sent."""
    conn.execute("DELETE FROM hooks WHERE id = %s", (hook_id,))


def switch_off(conn: Connection, hook_id: int, why: str, at: datetime) -> bool:
    """Send nothing any more; what happens meanwhile is sent later. Whether it was on."""
    return (
        conn.execute(
            "UPDATE hooks SET off_at = %s, off_why = %s WHERE id = %s AND off_at IS NULL", (at, why, hook_id)
        ).rowcount
        == 1
    )


def switch_on(conn: Connection, hook_id: int, at: datetime) -> bool:
    """Send again, at once what waits. Whether it was off."""
    switched = conn.execute(
        "UPDATE hooks SET off_at = NULL, off_why = NULL, failing_since = NULL WHERE id = %s AND off_at IS NOT NULL",
        (hook_id,),
    ).rowcount
    conn.execute(
        "UPDATE hook_messages SET due_at = least(due_at, %s) WHERE hook_id = %s AND state = 'waiting'", (at, hook_id)
    )
    return switched == 1


def take_new(conn: Connection, hook_id: int, at: datetime) -> int:
    """Put the next facts that a webhook wants on its list; how many. Safe to run twice at the same time."""
    row = conn.execute(
        "WITH hook AS (SELECT * FROM hooks WHERE id = %(hook)s AND off_at IS NULL FOR UPDATE),"
        " next AS (SELECT f.id, f.name FROM facts f, hook WHERE f.id > hook.mark ORDER BY f.id LIMIT %(most)s),"
        " late AS (SELECT f.id, f.name FROM facts f, hook"
        "  WHERE f.id > greatest(hook.after, hook.mark - %(back)s) AND f.id <= hook.mark),"
        " put AS (INSERT INTO hook_messages (hook_id, fact_id, due_at)"
        "  SELECT hook.id, f.id, %(at)s FROM (SELECT * FROM next UNION ALL SELECT * FROM late) f, hook"
        "  WHERE hook.names = '{}' OR f.name = ANY(hook.names) ORDER BY f.id ON CONFLICT DO NOTHING RETURNING 1),"
        " moved AS (UPDATE hooks SET mark = greatest(mark, (SELECT max(id) FROM next))"
        "  WHERE id = %(hook)s AND EXISTS (SELECT FROM next))"
        " SELECT count(*) FROM put",
        {"hook": hook_id, "at": at, "back": LOOKED_BACK, "most": TAKEN_AT_ONCE},
    ).fetchone()
    assert row is not None
    return int(row[0])


def claim(conn: Connection, hook_id: int, now: datetime, lost_at: datetime) -> Message | None:
    """The first message that is due, taken until `lost_at`; None: there is none."""
    row = conn.execute(
        "WITH due AS (SELECT id FROM hook_messages WHERE hook_id = %s AND state = 'waiting' AND due_at <= %s"
        "  ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED),"
        " taken AS (UPDATE hook_messages m SET due_at = %s, attempts = attempts + 1, tried_at = %s FROM due"
        "  WHERE m.id = due.id RETURNING m.id, m.attempts, m.fact_id)"
        " SELECT taken.id, taken.attempts, coalesce(calls.test, false), f.id, f.call_sid, f.name, f.at, f.plan_version,"
        " f.index_version, f.data FROM taken JOIN facts f ON f.id = taken.fact_id LEFT JOIN calls USING (call_sid)",
        (hook_id, now, lost_at, now),
    ).fetchone()
    return Message(row[0], row[1], FactRow(*row[3:]), row[2]) if row else None


def delivered(conn: Connection, hook_id: int, message_id: int) -> None:
    """It was taken: nothing is wrong with this webhook."""
    conn.execute("UPDATE hook_messages SET state = 'delivered', problem = NULL WHERE id = %s", (message_id,))
    conn.execute("UPDATE hooks SET failing_since = NULL WHERE id = %s AND failing_since IS NOT NULL", (hook_id,))


def failed(
    conn: Connection, hook_id: int, message_id: int, *, problem: str, at: datetime, again_at: datetime | None
) -> datetime:
    """It was not taken. `again_at` None: it is given up. Since when nothing was taken."""
    conn.execute(
        "UPDATE hook_messages SET problem = %s, due_at = coalesce(%s, due_at),"
        " state = CASE WHEN %s::timestamptz IS NULL THEN 'given_up' ELSE 'waiting' END WHERE id = %s",
        (problem, again_at, again_at, message_id),
    )
    row = conn.execute(
        "UPDATE hooks SET failing_since = coalesce(failing_since, %s) WHERE id = %s RETURNING failing_since",
        (at, hook_id),
    ).fetchone()
    since: datetime = row[0] if row else at
    return since


def messages(conn: Connection, hook_id: int, *, below: int | None = None, limit: int = 50) -> list[Sent]:
    """The latest messages of a webhook, newest first, with a number under `below`."""
    rows = conn.execute(
        "SELECT m.id, m.fact_id, f.name, m.state, m.attempts, m.due_at, m.tried_at, m.problem"
        " FROM hook_messages m JOIN facts f ON f.id = m.fact_id"
        " WHERE m.hook_id = %s AND (%s::bigint IS NULL OR m.id < %s) ORDER BY m.id DESC LIMIT %s",
        (hook_id, below, below, limit),
    )
    return [Sent(*row) for row in rows]


def tallies(conn: Connection) -> dict[int, Tally]:
    """By webhook how many of its messages are in each state, of those that are kept."""
    rows = conn.execute(
        "SELECT hook_id, count(*) FILTER (WHERE state = 'waiting'), count(*) FILTER (WHERE state = 'delivered'),"
        " count(*) FILTER (WHERE state = 'given_up') FROM hook_messages GROUP BY 1"
    )
    return {row[0]: Tally(*row[1:]) for row in rows}


def forget_old(conn: Connection, before: datetime) -> int:
    """Delete what was delivered or given up before a time, unless its fact is looked at once more; how many."""
    return conn.execute(
        "DELETE FROM hook_messages m USING hooks h WHERE h.id = m.hook_id AND m.state <> 'waiting'"
        " AND m.tried_at < %s AND m.fact_id <= h.mark - %s",
        (before, LOOKED_BACK),
    ).rowcount


def facts_after(conn: Connection, after: int, limit: int) -> list[tuple[FactRow, bool]]:
    """The next facts by number, each with whether its call is of the test phone."""
    rows = conn.execute(
        "SELECT coalesce(calls.test, false), f.id, f.call_sid, f.name, f.at, f.plan_version, f.index_version, f.data"
        " FROM facts f LEFT JOIN calls USING (call_sid) WHERE f.id > %s ORDER BY f.id LIMIT %s",
        (after, limit),
    )
    return [(FactRow(*row[1:]), row[0]) for row in rows]
