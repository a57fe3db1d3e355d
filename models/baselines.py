"""What holdout callers did and how long agents spoke, day by day; and the haircuts made of it, kept once."""

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from psycopg import Connection

from models.summaries import KEYS


class BaselineRow(NamedTuple):
    """What holdout callers of a queue and wait did, as known on a day. `bin` -1: the whole queue."""

    day: date
    queue: str
    bin: int
    held_out: int
    gave_up: int
    share: int
    agent_ms: int | None


class HeldOut(NamedTuple):
    """Holdout callers who called on one day, see ivr.ledger.baselines.HeldOut. Days as the site's zone has them."""

    day: date
    queue: str
    bin: int
    held_out: int
    gave_up: int
    told_on: date | None


class Handled(NamedTuple):
    """Conversations with agents that began on one day."""

    day: date
    queue: str
    calls: int
    agent_s: int


def held_out(
    conn: Connection, since: datetime, until: datetime, *, zone: str, bins: Sequence[int], window: timedelta, test: bool
) -> list[HeldOut]:
    """What holdout callers who held in a time did, by day, queue and wait: `gave_up` had no agent, in this call or in
    another within the window; `told_on`: the day on which an import told that they reached us by another channel
    within it. Callers without a number are left out."""
    rows = conn.execute(
        f"""
        SELECT (started_at AT TIME ZONE %(zone)s)::date, coalesce(queue, ''),
            width_bucket(extract(epoch FROM eligible_at - held_at)::float8, %(bins)s::float8[]), count(*),
            count(*) FILTER (WHERE gave_up), CASE WHEN gave_up THEN (told_at AT TIME ZONE %(zone)s)::date END
        FROM (SELECT *, agent_at IS NULL AND hung_up_at IS NOT NULL
                AND coalesce(next_agent_at >= started_at + %(window)s, true) AS gave_up FROM call_summaries) AS s
            LEFT JOIN LATERAL (SELECT min(i.at) AS told_at FROM {KEYS} AS keys JOIN contacts c ON c.caller_key = k
                JOIN contact_imports i ON i.id = c.import_id
                WHERE c.at > coalesce(s.ended_at, s.started_at) AND c.at < s.started_at + %(window)s) AS other
            ON gave_up AND next_other_at < started_at + %(window)s
        WHERE arm = 'holdout' AND NOT forced AND caller_key IS NOT NULL AND test = %(test)s
            AND eligible_at IS NOT NULL AND held_at IS NOT NULL AND started_at >= %(since)s AND started_at < %(until)s
        GROUP BY 1, 2, 3, 6""",
        {"since": since, "until": until, "zone": zone, "bins": list(bins), "window": window, "test": test},
    )
    return [HeldOut(*row) for row in rows]


def handled(conn: Connection, since: datetime, until: datetime, *, zone: str, test: bool) -> list[Handled]:
    """How long agents spoke, by day and queue."""
    rows = conn.execute(
        "SELECT (started_at AT TIME ZONE %s)::date, coalesce(queue, ''), count(*), sum(agent_s)::bigint"
        " FROM call_summaries WHERE agent_s > 0 AND test = %s AND started_at >= %s AND started_at < %s GROUP BY 1, 2",
        (zone, test, since, until),
    )
    return [Handled(*row) for row in rows]


def of_days(conn: Connection, days: Sequence[date]) -> list[BaselineRow]:
    """The haircuts that were made for days."""
    rows = conn.execute(
        "SELECT day, queue, bin, held_out, gave_up, share, agent_ms FROM baselines WHERE day = ANY(%s)", (list(days),)
    )
    return [BaselineRow(*row) for row in rows]


def keep(conn: Connection, rows: Sequence[BaselineRow]) -> None:
    """Keep the haircuts of days, once."""
    given = [[row.day.isoformat(), *row[1:]] for row in rows]
    conn.execute(
        "INSERT INTO baselines (day, queue, bin, held_out, gave_up, share, agent_ms)"
        " SELECT (r->>0)::date, r->>1, (r->>2)::int, (r->>3)::int, (r->>4)::int, (r->>5)::int, (r->>6)::bigint"
        " FROM jsonb_array_elements(%s::jsonb) AS r ON CONFLICT DO NOTHING",
        (json.dumps(given),),
    )
