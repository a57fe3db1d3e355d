"""Published plans, which one is live, drafts on trial, and the switches that close a queue by hand."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection

from models.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Published:
    """One line of the plan's history. `source_version` is set when an older version was brought back."""

    version: int
    published_at: datetime
    published_by: str
    reason: str
    source_version: int | None
    live: bool


@dataclass(frozen=True, slots=True)
class QueueSwitch:
    """The last word on a queue: closed or open, by whom and why."""

    queue: str
    closed: bool
    who: str
    why: str
    at: datetime


def publish(
    conn: Connection,
    yaml: str,
    by: str,
    reason: str,
    *,
    at: datetime | None = None,
    source: int | None = None,
    draft_id: int | None = None,
) -> int:
    """Keep the file's text as a new version and make it the live one, both or neither. `at` None: now."""
    with conn.transaction():
        row = conn.execute(
            "INSERT INTO plans (yaml, published_at, published_by, reason, source_version, draft_id)"
            " VALUES (%s, coalesce(%s, now()), %s, %s, %s, %s) RETURNING version",
            (yaml, at, by, reason, source, draft_id),
        ).fetchone()
        assert row is not None
        version: int = row[0]
        conn.execute(
            "INSERT INTO live_plan (version) VALUES (%s) ON CONFLICT (one) DO UPDATE SET version = excluded.version",
            (version,),
        )
    return version


_LIVE = Prepared("plan_live", "SELECT version FROM live_plan")


def live_version(conn: Connection) -> int | None:
    """The version new calls get, None before the first publication."""
    for (version,) in _LIVE.run(conn, {}):
        return int(version or 0)
    return None


def yaml(conn: Connection, version: int) -> str | None:
    """The text of a version as it was published, None when there is no such version."""
    row = conn.execute("SELECT yaml FROM plans WHERE version = %s", (version,)).fetchone()
    return row[0] if row else None


def published_at(conn: Connection, version: int) -> datetime:
    """When a version was published. Raises LookupError when there is none."""
    row = conn.execute("SELECT published_at FROM plans WHERE version = %s", (version,)).fetchone()
    if row is None:
        raise LookupError(f"there is no plan {version}")
    at: datetime = row[0]
    return at


def history(conn: Connection) -> list[Published]:
    """Every version that was live, newest first."""
    rows = conn.execute(
        "SELECT p.version, p.published_at, p.published_by, p.reason, p.source_version, l.version IS NOT NULL"
        " FROM plans p LEFT JOIN live_plan l ON l.version = p.version WHERE NOT p.on_trial ORDER BY p.version DESC"
    )
    return [Published(*row) for row in rows]


def put_on_trial(conn: Connection, yaml: str, draft_id: int, by: str, at: datetime) -> int:
    """Keep a draft's text as a version that only calls of the test phone can get; the one it has when nothing changed
    since. Never live."""
    row = (
        conn.execute(
            "SELECT version FROM plans WHERE on_trial AND draft_id = %s AND yaml = %s ORDER BY version DESC LIMIT 1",
            (draft_id, yaml),
        ).fetchone()
        or conn.execute(
            "INSERT INTO plans (yaml, published_at, published_by, reason, draft_id, on_trial)"
            " VALUES (%s, %s, %s, '', %s, true) RETURNING version",
            (yaml, at, by, draft_id),
        ).fetchone()
    )
    assert row is not None
    return int(row[0])


def is_on_trial(conn: Connection, version: int) -> bool:
    """Whether a version is a draft's, kept for the test phone."""
    return conn.execute("SELECT FROM plans WHERE version = %s AND on_trial", (version,)).fetchone() is not None


def switch_queue(conn: Connection, queue: str, *, closed: bool, who: str, why: str, at: datetime | None = None) -> None:
    """Close a queue by hand, or open it again. `at` None: now."""
    with conn.transaction():
        conn.execute(
            "INSERT INTO queue_switches (queue, closed, who, why, at)"
            " VALUES (%s, %s, %s, %s, coalesce(%s, now()))"
            " ON CONFLICT (queue) DO UPDATE SET closed = excluded.closed, who = excluded.who,"
            " why = excluded.why, at = excluded.at",
            (queue, closed, who, why, at),
        )


def closed_queues(conn: Connection) -> list[str]:
    """The names of the queues closed by hand."""
    return [row[0] for row in conn.execute("SELECT queue FROM queue_switches WHERE closed ORDER BY queue")]


def queue_switches(conn: Connection) -> list[QueueSwitch]:
    """The last switch of each queue that was ever switched."""
    rows = conn.execute("SELECT queue, closed, who, why, at FROM queue_switches ORDER BY queue")
    return [QueueSwitch(*row) for row in rows]
