"""Calls as people look for them: newest first, a page at a time, by what their summaries say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; None: whatever. `keys`: of one person; `before`: the last call of the page before."""

    since: datetime | None = None
    until: datetime | None = None
    queue: str | None = None
    leaf: str | None = None
    article: str | None = None
    outcome: str | None = None
    keys: Sequence[str] | None = None
    before: tuple[datetime, str] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One call of a list. `outcome` None: it is too fresh to be summarized."""

    call_sid: str
    started_at: datetime
    language: str
    test: bool
    queue: str | None
    leaf: str | None
    article: str | None
    offered: bool
    accepted: bool
    waited_s: int | None
    outcome: str | None


_CONDITIONS = {
    "since": "started_at >= %(since)s",
    "until": "started_at < %(until)s",
    "queue": "queue = %(queue)s",
    "leaf": "leaf = %(leaf)s",
    "outcome": "outcome = %(outcome)s",
    "keys": "caller_key = ANY(%(keys)s)",
}
_BEFORE = "started_at <= %(before_at)s AND (started_at, call_sid) < (%(before_at)s, %(before_sid)s)"


def find(conn: Connection, wanted: Wanted, limit: int) -> list[Row]:
    """Summarized calls, newest first."""
    given = {name: getattr(wanted, name) for name in _CONDITIONS}
    values = {**given, "article": wanted.article, "limit": limit}
    conditions = [condition for name, condition in _CONDITIONS.items() if given[name] is not None]
    if wanted.before is not None:
        values |= {"before_at": wanted.before[0], "before_sid": wanted.before[1]}
        conditions.append(_BEFORE)
    articles = ["article = %(article)s", "further = %(article)s AND article <> %(article)s"]
    parts = [
        "(SELECT call_sid, started_at, language, test, queue, leaf, article, offered_at IS NOT NULL AS offered,"
        " accepted_at IS NOT NULL AS accepted, waited_s, outcome FROM call_summaries"
        f" WHERE {' AND '.join([*conditions, one])}"
        " ORDER BY started_at DESC, call_sid DESC LIMIT %(limit)s)"
        for one in (articles if wanted.article is not None else ["true"])
    ]
    with conn.cursor(row_factory=class_row(Row)) as cursor:
        return cursor.execute(
            f"SELECT * FROM ({' UNION ALL '.join(parts)}) AS found"
            " ORDER BY started_at DESC, call_sid DESC LIMIT %(limit)s",
            values,
        ).fetchall()


def fresh(conn: Connection, wanted: Wanted, since: datetime, limit: int) -> list[Row]:
    """Calls begun since a time that are not summarized yet, newest first; by queue, leaf and person."""
    given = {name: getattr(wanted, name) for name in ("queue", "leaf", "keys")}
    conditions = [f"c.{_CONDITIONS[name]}" for name, value in given.items() if value is not None]
    with conn.cursor(row_factory=class_row(Row)) as cursor:
        return cursor.execute(
            "SELECT call_sid, started_at, language, test, queue, leaf, NULL AS article, false AS offered,"
            " false AS accepted, waited_s, NULL AS outcome FROM calls c"
            f" WHERE {' AND '.join(['c.started_at >= %(fresh_since)s', *conditions])}"
            " AND NOT EXISTS (SELECT FROM call_summaries s WHERE s.call_sid = c.call_sid)"
            " ORDER BY started_at DESC, call_sid DESC LIMIT %(limit)s",
            {**given, "fresh_since": since, "limit": limit},
        ).fetchall()


def queues_and_leaves(conn: Connection, since: datetime) -> tuple[list[str], list[str]]:
    """The names calls of a time had, those of older plans too."""
    rows = conn.execute("SELECT DISTINCT queue, leaf FROM place_days WHERE day >= %s", (since.date(),)).fetchall()
    return sorted({row[0] for row in rows if row[0]}), sorted({row[1] for row in rows if row[1]})
