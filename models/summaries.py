"""One row a call of what became of it, made from its facts, and what the same person did afterwards."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from psycopg import Connection
from psycopg.rows import dict_row

from models.facts import FactRow

_decode = msgspec.json.Decoder(dict[str, Any]).decode  # four times as fast as the driver's
_encode = msgspec.json.Encoder().encode  # ten times as fast as json.dumps

LOCK = 7_461_020  # our number among PostgreSQL's advisory locks
COMMITTED_AFTER = timedelta(minutes=2)  # a number of a fact is given before its commit; no statement takes that long
LOOK_BACK = timedelta(days=30)  # a saving may be taken back for so long
LONGEST_CALL = timedelta(hours=4)  # the carrier's own limit; of one whose end was never told the duration is not known

#: column -> type, as given by whoever makes the rows
COLUMNS = {
    "call_sid": "text", "started_at": "timestamptz", "ended_at": "timestamptz", "duration_s": "int", "contact": "bool",
    "caller_key": "text", "caller": "text", "came_back": "bool", "language": "text", "test": "bool",
    "plan_version": "int", "index_version": "text", "path": "text[]", "leaf": "text", "queue": "text",
    "described": "int", "found": "text", "refusal": "text", "held_at": "timestamptz", "position": "int",
    "waited_s": "int", "eligible_at": "timestamptz", "arm": "text", "probability": "float8", "experiment": "text",
    "forced": "bool", "article": "text", "further": "text", "offered_at": "timestamptz", "offer_refusal": "text",
    "accepted_at": "timestamptz", "declined_at": "timestamptz", "heard_at": "timestamptz", "texts": "int",
    "segments": "int", "sent": "int", "delivered": "int", "failed": "int", "delivered_at": "timestamptz",
    "opened_at": "timestamptz", "scanned": "bool", "used_at": "timestamptz", "solved_at": "timestamptz",
    "not_at": "timestamptz", "asked_at": "timestamptz", "opted_out": "bool", "follow_ups": "int",
    "follow_up_segments": "int", "reply_segments": "int", "hung_up_at": "timestamptz", "agent_at": "timestamptz",
    "agent_s": "int", "left_how": "text", "rejoined": "bool", "closed": "text", "overflowed": "bool",
    "offers": "jsonb", "facts": "int", "evidence": "jsonb",
}  # fmt: skip
_JUDGED = {"outcome": "text", "outcome_at": "timestamptz", "judge_at": "timestamptz"}


class Mark(NamedTuple):
    """Up to which fact every call is in: see `summaries_mark`."""

    mark: int
    next: int
    next_at: datetime | None


class CallRow(NamedTuple):
    """What a call's own row knows and its facts do not say."""

    call_sid: str
    caller_key: str | None
    language: str
    test: bool
    started_at: datetime
    queue: str | None
    leaf: str | None


class Told(NamedTuple):
    """A call and all its facts."""

    call: CallRow
    facts: list[FactRow]


class Judged(NamedTuple):
    """What became of a call; `judge_at`: when time will change it."""

    call_sid: str
    outcome: str
    outcome_at: datetime
    judge_at: datetime | None


class Later(NamedTuple):
    """A contact after a call, by the same person. `fact`: that of its beginning, where it was a call."""

    of: str
    ref: str
    at: datetime
    channel: str
    same_topic: bool
    fact: int | None


def mark(conn: Connection) -> Mark:
    """How far the summaries are."""
    row = conn.execute("SELECT mark, next, next_at FROM summaries_mark").fetchone()
    assert row is not None
    return Mark(*row)


def set_mark(conn: Connection, to: Mark) -> None:
    """Note how far the summaries are."""
    conn.execute("UPDATE summaries_mark SET mark = %s, next = %s, next_at = %s", to)


def calls(conn: Connection) -> int:
    """How many calls there are to summarize."""
    row = conn.execute("SELECT count(*) FROM calls").fetchone()
    assert row is not None
    return int(row[0])


def newest_fact(conn: Connection) -> int:
    """The greatest number of a fact, 0 before the first."""
    row = conn.execute("SELECT coalesce(max(id), 0) FROM facts").fetchone()
    assert row is not None
    return int(row[0])


def changed(conn: Connection, after: int, limit: int) -> tuple[int | None, list[str]]:
    """Of the next `limit` facts after one: the last of them (None: there are none), and the calls among them that have
    more facts than their summary was made from."""
    rows = conn.execute("SELECT id, call_sid FROM facts WHERE id > %s ORDER BY id LIMIT %s", (after, limit)).fetchall()
    if not rows:
        return None, []
    found = conn.execute(
        "SELECT c.call_sid FROM calls c LEFT JOIN call_summaries s USING (call_sid) WHERE c.call_sid = ANY(%s)"
        " AND s.facts IS DISTINCT FROM (SELECT count(*) FROM facts f WHERE f.call_sid = c.call_sid)",
        (list({row[1] for row in rows}),),
    )
    return int(rows[-1][0]), [str(row[0]) for row in found]


def begun(conn: Connection, after: int, limit: int) -> tuple[int | None, list[str]]:
    """The calls of the next `limit` beginnings after a fact, and the last of these (None: there are none)."""
    rows = conn.execute(
        "SELECT id, call_sid FROM facts WHERE id > %s AND name = 'call_started' ORDER BY id LIMIT %s", (after, limit)
    ).fetchall()
    return (int(rows[-1][0]), [str(row[1]) for row in rows]) if rows else (None, [])


def told(conn: Connection, call_sids: Sequence[str]) -> list[Told]:
    """Calls with their facts. The facts are read first: a row that is newer than they are is read again next time,
    facts newer than their row would not be."""
    by_call: defaultdict[str, list[FactRow]] = defaultdict(list)
    for row in conn.execute(
        "SELECT id, call_sid, name, at, plan_version, index_version, data::text FROM facts WHERE call_sid = ANY(%s)",
        (list(call_sids),),
    ):
        by_call[row[1]].append(FactRow._make((*row[:-1], _decode(row[-1]))))
    rows = conn.execute(
        "SELECT call_sid, caller_key, language, test, started_at, queue, leaf FROM calls WHERE call_sid = ANY(%s)",
        (list(by_call),),
    )
    return [Told(CallRow._make(row), by_call[row[0]]) for row in rows]


def _put_sql() -> str:
    given = COLUMNS | _JUDGED
    read = {**given, "path": "json"}
    alone = "call_summaries.next_contact_at IS NULL"
    judged = {name: f"call_summaries.{name}" for name in _JUDGED} | {"judge_at": "%(now)s"}
    values = [f"ARRAY(SELECT json_array_elements_text({name}))" if name == "path" else name for name in given]
    kept = [f"{name} = excluded.{name}" for name in COLUMNS if name != "call_sid"]
    kept += [f"{name} = CASE WHEN {alone} THEN excluded.{name} ELSE {stays} END" for name, stays in judged.items()]
    old, new = (", ".join(f"{side}.{name}" for name in given) for side in ("call_summaries", "excluded"))
    return f"""
        INSERT INTO call_summaries ({", ".join(given)}) SELECT {", ".join(values)}
        FROM json_to_recordset(%(rows)s::json) AS given ({", ".join(f"{name} {kind}" for name, kind in read.items())})
        ON CONFLICT (call_sid) DO UPDATE SET {", ".join(kept)}
        WHERE NOT ({alone}) OR ({old}) IS DISTINCT FROM ({new})"""


_PUT = _put_sql()


def put(conn: Connection, rows: Iterable[Mapping[str, Any]], now: datetime) -> None:
    """Write summaries, each with its outcome as it is without what came after the call; those of which something is
    known to have come after are judged again. A row that stays as it is is not written."""
    conn.execute(_PUT, {"rows": _encode(list(rows)).decode(), "now": now})


#: the keys of the person that has key `s.caller_key`; OFFSET 0 below keeps PostgreSQL at looking for one key after the
#: other: left to itself it walks all calls of the time
KEYS = """(SELECT s.caller_key AS k UNION ALL SELECT b FROM linked_keys WHERE a = s.caller_key
            UNION ALL SELECT a FROM linked_keys WHERE b = s.caller_key)"""
_RELATE = f"""
WITH given AS (
    SELECT caller_key, min(started_at) AS first FROM call_summaries s
    WHERE call_sid = ANY(%(sids)s) AND caller_key IS NOT NULL GROUP BY caller_key
), people AS (
    SELECT k, min(first) AS first FROM given s, LATERAL {KEYS} AS keys GROUP BY k
), after AS (
    SELECT s.call_sid, next.call_at, next.agent_at
    FROM people JOIN call_summaries s ON s.caller_key = people.k AND s.started_at >= people.first - %(back)s,
        LATERAL (SELECT coalesce(s.ended_at, s.started_at) AS at) AS over,
        LATERAL (SELECT min(greatest(o.started_at, over.at)) FILTER (WHERE o.contact) AS call_at,
                min(o.agent_at) FILTER (WHERE o.agent_at > s.started_at) AS agent_at
            FROM {KEYS} AS keys, LATERAL (
                SELECT started_at, contact, agent_at FROM call_summaries o
                WHERE o.caller_key = k AND o.started_at > s.started_at - %(longest)s AND o.test = s.test
                    AND (o.started_at > over.at OR o.duration_s IS NOT NULL AND o.ended_at > over.at)
                    AND o.started_at <= s.started_at + %(back)s AND o.call_sid <> s.call_sid OFFSET 0) AS o) AS next
)
UPDATE call_summaries s SET next_call_at = after.call_at, next_agent_at = after.agent_at,
    judge_at = CASE WHEN s.used_at IS NULL OR s.hung_up_at IS NULL THEN s.judge_at ELSE %(now)s END
FROM after WHERE s.call_sid = after.call_sid AND (
    (s.next_call_at, s.next_agent_at) IS DISTINCT FROM (after.call_at, after.agent_at)
    OR s.used_at IS NOT NULL AND s.hung_up_at IS NOT NULL AND after.call_at IS NOT NULL)"""


def of_people(conn: Connection, keys: Sequence[str]) -> list[str]:
    """All calls of the people who have these keys."""
    rows = conn.execute(
        f"SELECT DISTINCT o.call_sid FROM unnest(%s::text[]) AS s (caller_key), LATERAL {KEYS} AS keys"
        " JOIN call_summaries o ON o.caller_key = k",
        (list(keys),),
    )
    return [str(row[0]) for row in rows]


def relate(conn: Connection, call_sids: Sequence[str], now: datetime) -> None:
    """Note, at every call of the people of these calls, when they called next and when an agent answered such a call;
    savings among them are judged again. A call beside one that goes on after it counts from its end on. Looks LOOK_BACK
    back and ahead."""
    given = {"sids": list(call_sids), "now": now, "back": LOOK_BACK, "longest": LONGEST_CALL}
    conn.execute(_RELATE, given)


_NOTE = f"""
WITH given AS (
    SELECT * FROM unnest(%(keys)s::text[], %(times)s::timestamptz[]) AS given (caller_key, at)
), known AS (
    SELECT k, at FROM given s, LATERAL {KEYS} AS keys
), first AS (
    SELECT s.call_sid, min(known.at) AS at FROM known JOIN call_summaries s ON s.caller_key = known.k
        AND s.started_at < known.at AND s.started_at >= known.at - %(back)s
        AND known.at > coalesce(s.ended_at, s.started_at)
    GROUP BY s.call_sid
)
UPDATE call_summaries s SET next_other_at = first.at,
    judge_at = CASE WHEN s.hung_up_at IS NULL THEN s.judge_at ELSE %(now)s END
FROM first WHERE s.call_sid = first.call_sid AND (s.next_other_at IS NULL OR first.at < s.next_other_at)"""


def note_contacts(conn: Connection, contacts: Sequence[tuple[str, datetime]], now: datetime) -> int:
    """(caller_key, when) of contacts by other channels: noted at the calls before them, which are judged again. How
    many calls that changed. Any order, and again: the same. Waits for a run of the job to end."""
    with conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        return conn.execute(
            _NOTE,
            {
                "keys": [key for key, _ in contacts],
                "times": [at for _, at in contacts],
                "now": now,
                "back": LOOK_BACK,
            },
        ).rowcount


def due(conn: Connection, now: datetime, limit: int) -> list[dict[str, Any]]:
    """The summaries whose outcome is to be looked at now."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            f"SELECT {', '.join(COLUMNS)} FROM call_summaries WHERE judge_at <= %s ORDER BY judge_at LIMIT %s",
            (now, limit),
        ).fetchall()


def judge_again(conn: Connection, since: datetime) -> None:
    """Have the savings among the calls that began since a time judged again."""
    conn.execute(
        "UPDATE call_summaries SET judge_at = '-infinity'"
        " WHERE started_at >= %s AND used_at IS NOT NULL AND hung_up_at IS NOT NULL",
        (since,),
    )


def later(conn: Connection, call_sids: Sequence[str]) -> list[Later]:
    """The contacts of the same people within LOOK_BACK after they hung up in these calls; of other channels the first
    one. A call that goes on beside one and after it is a contact too: nobody is saved twice, or while at another phone.
    """
    rows = conn.execute(
        f"""
        SELECT s.call_sid, o.call_sid, greatest(o.started_at, s.hung_up_at + interval '1 microsecond'), 'call',
            o.leaf = s.leaf OR o.article = s.article, (o.evidence->>'call_started')::bigint
        FROM call_summaries s, LATERAL {KEYS} AS keys, LATERAL (
            SELECT call_sid, started_at, leaf, article, evidence FROM call_summaries o
            WHERE o.caller_key = k AND o.started_at > s.hung_up_at - %(longest)s
                AND (o.started_at > s.hung_up_at OR o.duration_s IS NOT NULL AND o.ended_at > s.hung_up_at)
                AND o.started_at <= s.hung_up_at + %(back)s
                AND o.contact AND o.test = s.test AND o.call_sid <> s.call_sid OFFSET 0) AS o
        WHERE s.call_sid = ANY(%(sids)s) AND s.hung_up_at IS NOT NULL
        UNION ALL
        SELECT call_sid, 'other', next_other_at, 'other', false, NULL FROM call_summaries
        WHERE call_sid = ANY(%(sids)s) AND next_other_at > hung_up_at""",
        {"sids": list(call_sids), "back": LOOK_BACK, "longest": LONGEST_CALL},
    )
    return [Later(row[0], row[1], row[2], row[3], bool(row[4]), row[5]) for row in rows]


def judged(conn: Connection, rows: Sequence[Judged]) -> None:
    """Write outcomes down."""
    conn.execute(
        "UPDATE call_summaries s SET outcome = given.outcome, outcome_at = given.outcome_at, judge_at = given.judge_at"
        " FROM jsonb_to_recordset(%s::jsonb) AS given"
        " (call_sid text, outcome text, outcome_at timestamptz, judge_at timestamptz)"
        " WHERE s.call_sid = given.call_sid",
        (_encode([row._asdict() for row in rows]).decode(),),
    )


def read(conn: Connection, call_sid: str) -> dict[str, Any] | None:
    """A call's row by column name, what came after the call and the outcome included."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT * FROM call_summaries WHERE call_sid = %s", (call_sid,)).fetchone()
