"""How far what waits in the database is behind: for whoever watches the service. Each statement is quick however much
there is: what it counts is in an index of what is open, and counted up to a bound."""

from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection

MOST_COUNTED = 100_000


class Open(NamedTuple):
    """How many of something wait, and since when the oldest of them is due (None: none is)."""

    waiting: int
    due_at: datetime | None


class Source(NamedTuple):
    """A source of articles: when it was last in step with its community, and how often in a row it was not since."""

    name: str
    synced_at: datetime | None
    failures: int
    paused: bool


class Standing(NamedTuple):
    """Everything at one instant."""

    texts: dict[str, Open]  # by status; "sending" is due when its lease ends, "unknown" since the text was asked for
    jobs: Open
    hook_messages: Open
    settlement: Open  # calls to be settled
    summaries_at: datetime | None  # up to when every call is surely in its row
    calls_open: int
    index_built_at: datetime | None
    index_articles: int
    plan_published_at: datetime | None
    sources: list[Source]
    offers_stopped_by: dict[str, int]  # "guardrail" or "people" -> switches pulled


STATUSES = ("queued", "sending", "unknown")
_TEXTS = (
    "SELECT status, count(*), min(CASE status WHEN 'queued' THEN due_at WHEN 'sending' THEN lease_until"
    " ELSE created_at END) FROM (SELECT status, due_at, lease_until, created_at FROM texts"
    " WHERE status IN ('queued', 'sending', 'unknown') AND settled_at IS NULL"
    " ORDER BY due_at LIMIT %s) AS open GROUP BY status"
)
_JOBS = (
    "SELECT count(*), min(at) FROM (SELECT coalesce(j.scheduled_at, (SELECT min(e.at) FROM procrastinate_events e"
    " WHERE e.job_id = j.id)) AS at FROM procrastinate_jobs j WHERE j.status = 'todo' LIMIT %s) AS open"
)
_HOOKS = (
    "SELECT count(*), min(due_at) FROM (SELECT m.due_at FROM hook_messages m JOIN hooks h ON h.id = m.hook_id"
    " WHERE m.state = 'waiting' AND h.off_at IS NULL LIMIT %s) AS open"
)
_SETTLEMENT = (
    "SELECT count(*), min(due_at) FILTER (WHERE due_at > '-infinity') FROM"
    " (SELECT due_at FROM unsettled WHERE due_at <= %s ORDER BY due_at, call_sid LIMIT %s) AS open"
)
_REST = (
    "SELECT (SELECT next_at FROM summaries_mark),"
    " (SELECT count(*) FROM (SELECT FROM calls WHERE ended_at IS NULL LIMIT %s) AS open),"
    " (SELECT built_at FROM index_versions WHERE state = 'live'),"
    " (SELECT article_count FROM index_versions WHERE state = 'live'),"
    " (SELECT published_at FROM plans JOIN live_plan USING (version))"
)


def standing(conn: Connection, now: datetime) -> Standing:
    """What stands at `now`."""
    texts = {str(status): Open(int(count), due) for status, count, due in conn.execute(_TEXTS, (MOST_COUNTED,))}
    summaries_at, calls_open, built_at, article_count, published_at = _row(conn, _REST, (MOST_COUNTED,))
    by = conn.execute(
        "SELECT who = 'guardrail', count(*) FROM (SELECT DISTINCT ON (queue) stopped, who FROM offer_switches"
        " ORDER BY queue, id DESC) AS latest WHERE stopped GROUP BY 1"
    )
    stopped = {"guardrail" if guardrail else "people": int(count) for guardrail, count in by}
    return Standing(
        texts={status: texts.get(status, Open(0, None)) for status in STATUSES},
        jobs=Open(*_row(conn, _JOBS, (MOST_COUNTED,))),
        hook_messages=Open(*_row(conn, _HOOKS, (MOST_COUNTED,))),
        settlement=Open(*_row(conn, _SETTLEMENT, (now, MOST_COUNTED))),
        summaries_at=summaries_at,
        calls_open=calls_open,
        index_built_at=built_at,
        index_articles=article_count or 0,
        plan_published_at=published_at,
        sources=[Source(*row) for row in conn.execute("SELECT name, synced_at, failures, paused FROM sources")],
        offers_stopped_by={who: stopped.get(who, 0) for who in ("guardrail", "people")},
    )


def _row(conn: Connection, statement: str, values: tuple[object, ...]) -> tuple[Any, ...]:
    row = conn.execute(statement, values).fetchone()
    assert row is not None
    return row
