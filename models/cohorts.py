"""Callers of the experiment: the first exposure of each in a time, treated beside held out, counted by those alike.

Callers without a number, drawn arms that were forced, and (for `test` false) calls of the test phone are left out.
ivr/ledger/estimate.py says what the columns mean.
"""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from psycopg import Connection

from models.summaries import KEYS


class Period(NamedTuple):
    """Exposures since a time and before another; days and weeks are those of a zone. `experiment` None: of any."""

    since: datetime
    until: datetime
    zone: str
    window: timedelta
    experiment: str | None = None
    test: bool = False


class CellRow(NamedTuple):
    """Callers alike, see ivr.ledger.estimate.Cell."""

    queue: str
    week: date
    share: float
    arm: str
    contacted: bool
    agent_s: int
    callers: int


class Group(NamedTuple):
    """Callers alike in all but how long agents spoke with them."""

    queue: str
    week: date
    share: float
    arm: str
    contacted: bool


class TallyRow(NamedTuple):
    """Exposures of a live article, see ivr.ledger.guardrails.Tally. `article`: "" for those before its last change."""

    article: str
    queue: str
    week: date
    share: float
    arm: str
    callers: int
    silent: int
    matured: int
    agent: int
    repeat: int
    texted: int
    opted_out: int


class Uncounted(NamedTuple):
    """What the estimate leaves out: callers without a number who were drawn, treated and held out."""

    treated: int
    held_out: int


_SHARE = "round((CASE arm WHEN 'holdout' THEN probability ELSE 1 - probability END)::numeric, 4)::float8"
_WEEK = "date_trunc('week', started_at AT TIME ZONE %(zone)s)::date"
_DRAWN = """arm IS NOT NULL AND NOT forced AND test = %(test)s AND started_at >= %(since)s AND started_at < %(until)s
    AND (%(experiment)s::text IS NULL OR experiment = %(experiment)s)"""
_GONE = "arm = 'treat' AND delivered > 0 AND hung_up_at IS NOT NULL"
#: the first exposure of a person: of a key, unless another key of the same person was exposed before; whose chance in
#: the lot is not on record cannot be weighed
_EXPOSED = f"""
    SELECT DISTINCT ON (caller_key) *, coalesce(queue, '') AS of_queue, {_WEEK} AS week, {_SHARE} AS share,
        coalesce(least(agent_at, next_agent_at, next_other_at) < started_at + %(window)s, false) AS contacted
    FROM call_summaries s WHERE {_DRAWN} AND probability IS NOT NULL AND caller_key IS NOT NULL AND NOT EXISTS (
        SELECT FROM (SELECT b AS k FROM linked_keys WHERE a = s.caller_key
            UNION ALL SELECT a FROM linked_keys WHERE b = s.caller_key) AS others, LATERAL (
            SELECT FROM call_summaries WHERE caller_key = k AND {_DRAWN}
                AND (started_at, call_sid) < (s.started_at, s.call_sid) OFFSET 0) AS before)
    ORDER BY caller_key, started_at, call_sid"""


#: the calls of the person who was exposed in `s`, from then on until the window is over
WITHIN = f"""{KEYS} AS keys, LATERAL (
    SELECT * FROM call_summaries o WHERE o.caller_key = k AND o.test = s.test AND o.started_at >= s.started_at
        AND o.started_at < s.started_at + %(window)s OFFSET 0) AS o"""


def contacted(conn: Connection, period: Period) -> list[CellRow]:
    """Who needed an agent within the window, however long agents spoke with them (`agent_s` is 0)."""
    rows = conn.execute(
        f"WITH exposed AS ({_EXPOSED}) SELECT of_queue, week, share, arm, contacted, 0, count(*) FROM exposed"
        " GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5",
        period._asdict(),
    )
    return [CellRow(*row) for row in rows]


def cells(conn: Connection, period: Period) -> list[CellRow]:
    """Who needed an agent within the window, and for how long; `until` has to be the window ago for all to be known.
    Contacts by other channels count as needing an agent; how long they took is not known."""
    rows = conn.execute(
        f"""WITH exposed AS ({_EXPOSED})
        SELECT of_queue, week, share, arm, contacted, spoken.agent_s, count(*)
        FROM exposed s, LATERAL (SELECT coalesce(sum(agent_s), 0)::bigint AS agent_s FROM {WITHIN}) AS spoken
        GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6""",
        period._asdict(),
    )
    return [CellRow(*row) for row in rows]


def calls(conn: Connection, period: Period, group: Group, *, after: str = "", limit: int) -> list[str]:
    """The calls in which callers of a group were exposed first, by id: those after one."""
    rows = conn.execute(
        f"""WITH exposed AS ({_EXPOSED})
        SELECT call_sid FROM exposed WHERE of_queue = %(queue)s AND week = %(week)s AND arm = %(arm)s
            AND abs(share - %(share)s) < 0.00005 AND contacted = %(contacted)s AND call_sid > %(after)s
        ORDER BY call_sid LIMIT %(limit)s""",
        {**period._asdict(), **group._asdict(), "after": after, "limit": limit},
    )
    return [row[0] for row in rows]


def uncounted(conn: Connection, period: Period) -> Uncounted:
    """Callers without a number: each call is one."""
    row = conn.execute(
        "SELECT count(*) FILTER (WHERE arm = 'treat'), count(*) FILTER (WHERE arm = 'holdout') FROM call_summaries"
        f" WHERE {_DRAWN} AND caller_key IS NULL",
        period._asdict(),
    ).fetchone()
    assert row is not None
    return Uncounted(*row)


def delivered_and_gone(conn: Connection, period: Period) -> int:
    """The naive number: calls with a text delivered whose caller hung up while holding."""
    row = conn.execute(
        f"SELECT count(*) FROM call_summaries WHERE {_GONE} AND {_DRAWN}",
        period._asdict(),
    ).fetchone()
    assert row is not None
    return int(row[0])


def calls_gone(conn: Connection, period: Period, *, after: str = "", limit: int) -> list[str]:
    """The calls that `delivered_and_gone` counts, by id: those after one."""
    rows = conn.execute(
        f"SELECT call_sid FROM call_summaries WHERE {_GONE} AND {_DRAWN} AND call_sid > %(after)s"
        " ORDER BY call_sid LIMIT %(limit)s",
        {**period._asdict(), "after": after, "limit": limit},
    )
    return [row[0] for row in rows]


def tallies(conn: Connection, period: Period, matured_until: datetime) -> list[TallyRow]:
    """What may have got worse, by article that is live; `matured` are those before `matured_until`."""
    rows = conn.execute(
        f"""WITH exposed AS ({_EXPOSED})
        SELECT CASE WHEN e.started_at >= a.updated_at THEN a.id ELSE '' END, of_queue, week, share, arm,
            count(*), count(*) FILTER (WHERE hung_up_at IS NOT NULL AND used_at IS NULL),
            count(*) FILTER (WHERE matured), count(*) FILTER (WHERE matured AND contacted),
            count(*) FILTER (WHERE matured AND next_contact_at < started_at + %(window)s),
            count(*) FILTER (WHERE sent > 0), count(*) FILTER (WHERE sent > 0 AND opted_out)
        FROM exposed e JOIN articles a ON a.id = e.article AND a.state = 'live',
            LATERAL (SELECT started_at < %(matured_until)s AS matured) AS known
        GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5""",
        {**period._asdict(), "matured_until": matured_until},
    )
    return [TallyRow(*row) for row in rows]
