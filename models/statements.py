"""What a statement counts of a month's calls, statements as they were signed, and their exports."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any, NamedTuple

from psycopg import Connection

from models import ledger
from models.cohorts import _EXPOSED, WITHIN, CellRow, Period

GRAIN_S = 10  # seconds are counted in tens: many callers alike make an estimate quick


class CountsRow(NamedTuple):
    """Calls of a time, see ivr.ledger.statement.Counts."""

    calls: int
    without_number: int
    used: int
    said_solved: int
    said_not: int


class Signed(NamedTuple):
    """A signed statement. `document` is canonical JSON, the bytes that `signature` is over."""

    month: date
    document: str
    key: bytes
    signature: bytes
    signed_at: datetime


def counts(conn: Connection, since: datetime, until: datetime, *, test: bool) -> CountsRow:
    """All calls of a time; `used`: an article was used and the caller hung up while holding."""
    row = conn.execute(
        "SELECT count(*), count(*) FILTER (WHERE caller_key IS NULL), count(*) FILTER (WHERE used),"
        " count(*) FILTER (WHERE used AND solved_at IS NOT NULL),"
        " count(*) FILTER (WHERE used AND solved_at IS NULL AND not_at IS NOT NULL) FROM (SELECT *,"
        " used_at IS NOT NULL AND hung_up_at IS NOT NULL AND agent_at IS NULL AND arm = 'treat' AS used"
        " FROM call_summaries WHERE started_at >= %s AND started_at < %s AND test = %s) AS s",
        (since, until, test),
    ).fetchone()
    assert row is not None
    return CountsRow(*row)


def spent(conn: Connection, period: Period, what: str) -> list[CellRow]:
    """As `models.cohorts.cells`, with other seconds in the place of agents': what callers spent within the window, in
    tens. `what`: "waited_s" (holding) or "duration_s" (on the line)."""
    assert what in ("waited_s", "duration_s"), what
    rows = conn.execute(
        f"""WITH exposed AS ({_EXPOSED})
        SELECT of_queue, week, share, arm, contacted, spent.s, count(*)
        FROM exposed s, LATERAL (
            SELECT coalesce(round(sum({what})::numeric / %(grain)s), 0)::bigint * %(grain)s AS s FROM {WITHIN}) AS spent
        GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6""",
        {**period._asdict(), "grain": GRAIN_S},
    )
    return [CellRow(*row) for row in rows]


def digest(conn: Connection, month: date) -> tuple[int, str]:
    """(how many, SHA-256 in hexadecimal) of a month's entries: a line of JSON each, by number."""
    found, entries = sha256(), 0
    for row in ledger.stream(conn, month):
        found.update(line(row))
        entries += 1
    return entries, found.hexdigest()


def line(row: ledger.PostingRow) -> bytes:
    """An entry as it is hashed: a JSON list of its fields in their order, times in UTC, and a line feed."""
    return json.dumps([_plain(value) for value in row], separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value.isoformat() if isinstance(value, date) else value


# ---- signed


_SIGNED = "SELECT month, document, key, signature, signed_at FROM statements"


def sign(conn: Connection, one: Signed) -> None:
    """Keep a signed statement; who comes second changes nothing."""
    conn.execute(
        "INSERT INTO statements (month, document, key, signature, signed_at) VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        one,
    )


def signed(conn: Connection, month: date) -> Signed | None:
    """A month's, once it is closed."""
    row = conn.execute(f"{_SIGNED} WHERE month = %s", (month,)).fetchone()
    return Signed(*row) if row else None


def all_signed(conn: Connection, before: date | None = None) -> list[Signed]:
    """Every one, of months before one if that is given; oldest first."""
    rows = conn.execute(
        f"{_SIGNED} WHERE %(before)s::date IS NULL OR month < %(before)s ORDER BY month", {"before": before}
    )
    return [Signed(*row) for row in rows]


# ---- where they go by themselves


class Export(NamedTuple):
    """Where statements go: `target` is an address, or "file"; `secret` is sealed."""

    id: int
    form: str
    target: str
    secret: bytes | None
    since: date
    made_by: str
    made_at: datetime
    off_at: datetime | None


class Run(NamedTuple):
    """A month's way out. `next_at` None: done or given up; `problem`: the last one."""

    export_id: int
    month: date
    attempts: int
    next_at: datetime | None
    done_at: datetime | None
    problem: str | None


def add_export(conn: Connection, one: Sequence[Any]) -> int:
    """(form, target, sealed secret, first month, who, when): its number."""
    row = conn.execute(
        "INSERT INTO exports (form, target, secret, since, made_by, made_at) VALUES (%s, %s, %s, %s, %s, %s)"
        " RETURNING id",
        one,
    ).fetchone()
    assert row is not None
    return int(row[0])


_EXPORT = "SELECT id, form, target, secret, since, made_by, made_at, off_at FROM exports"


def exports(conn: Connection) -> list[Export]:
    """All that are on, oldest first."""
    return [Export(*row) for row in conn.execute(f"{_EXPORT} WHERE off_at IS NULL ORDER BY id")]


def end_export(conn: Connection, export_id: int, at: datetime) -> Export | None:
    """Send nothing more; None when there is none that is on."""
    row = conn.execute(
        "UPDATE exports SET off_at = %s WHERE id = %s AND off_at IS NULL"
        " RETURNING id, form, target, secret, since, made_by, made_at, off_at",
        (at, export_id),
    ).fetchone()
    return Export(*row) if row else None


def enrol(conn: Connection, now: datetime) -> None:
    """Note every signed statement that an export has not sent yet."""
    conn.execute(
        "INSERT INTO export_runs (export_id, month, attempts, next_at) SELECT e.id, s.month, 0, %s"
        " FROM exports e JOIN statements s ON s.month >= e.since WHERE e.off_at IS NULL ON CONFLICT DO NOTHING",
        (now,),
    )


def take_run(conn: Connection, now: datetime, again: datetime) -> tuple[Export, Run] | None:
    """The next that is due; taken until `again`, so that two workers do not send it at once."""
    row = conn.execute(
        "WITH due AS (SELECT r.export_id, r.month FROM export_runs r JOIN exports e ON e.id = r.export_id"
        " WHERE r.next_at <= %s AND e.off_at IS NULL ORDER BY r.next_at, r.month LIMIT 1 FOR UPDATE OF r SKIP LOCKED)"
        " UPDATE export_runs r SET attempts = r.attempts + 1, next_at = %s FROM due"
        " WHERE r.export_id = due.export_id AND r.month = due.month"
        " RETURNING r.export_id, r.month, r.attempts, r.next_at, r.done_at, r.problem",
        (now, again),
    ).fetchone()
    if row is None:
        return None
    run = Run(*row)
    found = conn.execute(f"{_EXPORT} WHERE id = %s", (run.export_id,)).fetchone()
    assert found is not None
    return Export(*found), run


def finish_run(conn: Connection, run: Run) -> None:
    """Keep how it went."""
    conn.execute(
        "UPDATE export_runs SET next_at = %s, done_at = %s, problem = %s WHERE export_id = %s AND month = %s",
        (run.next_at, run.done_at, run.problem, run.export_id, run.month),
    )


def runs(conn: Connection, limit: int = 50) -> list[Run]:
    """The latest, newest month first."""
    rows = conn.execute(
        "SELECT export_id, month, attempts, next_at, done_at, problem FROM export_runs"
        " ORDER BY month DESC, export_id DESC LIMIT %s",
        (limit,),
    )
    return [Run(*row) for row in rows]
