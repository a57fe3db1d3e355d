"""What goes on now and what went on today: a few queries, each fast beside a million facts."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import class_row


class Waiting(NamedTuple):
    """A caller on hold, as of the latest turn (`at`)."""

    queue: str
    position: int | None
    waited_s: int
    at: datetime


class Texts(NamedTuple):
    """Texts that do not get on."""

    stuck: int  # due before the time asked about, and not sent
    in_doubt: int  # the carrier may or may not have taken them; looked up again and again


_OPEN = (
    " FROM calls WHERE ended_at IS NULL AND started_at > %(began)s AND updated_at > %(heard)s AND stage = ANY(%(in)s)"
)


def count_in(conn: Connection, stages: Sequence[str], *, began: datetime, heard: datetime) -> int:
    """How many calls that began after a time, and were heard of after another, are at these stages."""
    row = conn.execute("SELECT count(*)" + _OPEN, {"began": began, "heard": heard, "in": list(stages)}).fetchone()
    assert row is not None
    return int(row[0])


def waiting(conn: Connection, *, began: datetime, heard: datetime) -> list[Waiting]:
    """Everyone on hold, the longest wait first."""
    with conn.cursor(row_factory=class_row(Waiting)) as cursor:
        return cursor.execute(
            "SELECT queue, position, waited_s, updated_at AS at" + _OPEN + " AND queue IS NOT NULL"
            " ORDER BY waited_s DESC, call_sid",
            {"began": began, "heard": heard, "in": ["hold"]},
        ).fetchall()


def count_facts(conn: Connection, names: Sequence[str], since: datetime, *, test: bool) -> dict[str, int]:
    """How often each of these facts came about since a time; those of follow-ups and of news are left out,
    and so are calls of the test phone unless `test`."""
    rows = conn.execute(
        "SELECT name, count(*) FROM facts WHERE at >= %(since)s AND name = ANY(%(names)s) AND NOT data ? 'kind'"
        " AND (%(test)s OR NOT EXISTS (SELECT FROM calls WHERE calls.call_sid = facts.call_sid AND calls.test))"
        " GROUP BY name",
        {"since": since, "names": list(names), "test": test},
    ).fetchall()
    return dict.fromkeys(names, 0) | {str(name): int(count) for name, count in rows}


def latest_fact_at(conn: Connection) -> datetime | None:
    """When the latest fact was told."""
    row = conn.execute("SELECT at FROM facts ORDER BY id DESC LIMIT 1").fetchone()
    return row[0] if row else None


def worker_seen_s(conn: Connection) -> float | None:
    """Seconds since a worker last gave a sign of life; None: there is none."""
    row = conn.execute("SELECT extract(epoch FROM now() - max(last_heartbeat)) FROM procrastinate_workers").fetchone()
    return None if row is None or row[0] is None else float(row[0])


def texts(conn: Connection, due_before: datetime) -> Texts:
    """Texts that should have gone by a time, and those in doubt."""
    row = conn.execute(
        "SELECT count(*) FILTER (WHERE status <> 'unknown' AND due_at < %s), count(*) FILTER (WHERE status = 'unknown')"
        " FROM texts WHERE status IN ('queued', 'sending', 'unknown') AND settled_at IS NULL",
        (due_before,),
    ).fetchone()
    assert row is not None
    return Texts(*row)


def states_of(conn: Connection, article_ids: Sequence[str]) -> dict[str, str]:
    """The state of those of these articles that there are: live, withdrawn or lapsed."""
    rows = conn.execute("SELECT id, state FROM articles WHERE id = ANY(%s)", (list(article_ids),)).fetchall()
    return {str(one): str(state) for one, state in rows}
