"""Calls: one row a call, rewritten by each turn together with that turn's facts."""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import msgspec
from psycopg import Connection
from psycopg.rows import class_row, dict_row

from models.prepared import Prepared

_encode = msgspec.json.Encoder().encode


class Kept(NamedTuple):
    """What a turn needs of the turn before."""

    state: str
    turn: int
    reply: str
    texts: list[list[Any]] | None  # [article_id, status, error_code] of the call's texts


class NewFact(NamedTuple):
    """A fact about to be written with its turn."""

    name: str
    data: dict[str, Any]


class Turn(NamedTuple):
    """What a turn leaves behind."""

    call_sid: str
    turn: int  # the turn this one follows
    state: str
    reply: str
    stage: str
    language: str
    queue: str | None
    leaf: str | None
    position: int | None
    waited_s: int
    agent_call_sid: str | None
    at: datetime
    ended: bool
    plan_version: int
    index_version: str | None
    facts: Sequence[NewFact]


_LOAD = Prepared(
    "call_load",
    "SELECT state, turn, reply, (SELECT json_agg(json_build_array(article_id, status, error_code)) FROM texts"
    " WHERE texts.call_sid = calls.call_sid AND kind = 'link') FROM calls WHERE call_sid = %(call_sid)s",
)


def load(conn: Connection, call_sid: str) -> Kept | None:
    """The call as the last turn left it."""
    for state, turn, reply, texts in _LOAD.run(conn, {"call_sid": call_sid}):
        assert state is not None
        assert turn is not None
        assert reply is not None
        return Kept(state, int(turn), reply, json.loads(texts) if texts else None)
    return None


_MOVE = """
    UPDATE calls SET turn = turn + 1, state = %(state)s, reply = %(reply)s, stage = %(stage)s, language = %(language)s,
        queue = %(queue)s, leaf = %(leaf)s, position = %(position)s, waited_s = %(waited_s)s,
        agent_call_sid = %(agent_call_sid)s, updated_at = %(at)s,
        ended_at = CASE WHEN %(ended)s THEN coalesce(ended_at, %(at)s) ELSE ended_at END
    WHERE call_sid = %(call_sid)s AND turn = %(turn)s"""
_BEGIN = """
    INSERT INTO calls (call_sid, number, caller_key, language, plan_version, test, turn, stage, queue, leaf,
        position, waited_s, state, reply, started_at, updated_at)
    VALUES (%(call_sid)s, %(number)s, %(caller_key)s, %(language)s, %(plan_version)s, %(test)s, 1,
        %(stage)s, %(queue)s, %(leaf)s, %(position)s, %(waited_s)s, %(state)s, %(reply)s, %(at)s, %(at)s)
    ON CONFLICT (call_sid) DO NOTHING"""


@cache
def _with_facts(name: str, moving: str, count: int) -> Prepared:
    """A statement that moves a call on and writes `count` facts with it. One of its own for each number: the server
    spends its time on setting a statement up, and a fixed list is set up sooner than a list in JSON."""
    if not count:
        return Prepared(name, moving)
    listed = ", ".join(f"(%(name{n})s::text, %(data{n})s::jsonb)" for n in range(count))
    return Prepared(
        f"{name}_{count}",
        f"WITH moved AS ({moving} RETURNING 1)"
        " INSERT INTO facts (call_sid, name, at, plan_version, index_version, data)"
        " SELECT %(call_sid)s, f.name, %(at)s, %(plan_version)s, %(index_version)s, f.data"
        f" FROM moved, (VALUES {listed}) AS f (name, data)",
    )


def _write(conn: Connection, name: str, moving: str, turn: Turn, **more: Any) -> bool:
    values = turn._asdict() | more
    for n, fact in enumerate(turn.facts):
        values[f"name{n}"], values[f"data{n}"] = fact.name, _encode(fact.data).decode()
    return bool(_with_facts(name, moving, len(turn.facts)).change(conn, values))


def save(conn: Connection, turn: Turn) -> bool:
    """Write a turn and its facts in one statement. False when another request took that turn first."""
    return _write(conn, "call_save", _MOVE, turn)


def begin(conn: Connection, turn: Turn, *, number: str, caller_key: str | None, test: bool) -> bool:
    """Write a call's first turn. False when the call is already there."""
    return _write(conn, "call_begin", _BEGIN, turn, number=number, caller_key=caller_key, test=test)


class Profile(NamedTuple):
    """What is known of a caller when the call begins."""

    opted_out: bool
    texts_today: int
    leaf: str | None  # of the latest text within the time a return is recognised
    topic: str | None
    path: list[str] | None
    language: str | None
    discreet: bool | None


_PROFILE = Prepared(
    "call_profile",
    """
WITH keys AS (SELECT %(key)s AS k UNION SELECT b FROM linked_keys WHERE a = %(key)s
              UNION SELECT a FROM linked_keys WHERE b = %(key)s)
SELECT EXISTS (SELECT FROM optouts WHERE number_key = %(key)s AND active),
       (SELECT count(*) FROM texts WHERE to_key = %(key)s AND created_at > %(day_ago)s
           AND kind IN ('link', 'status') AND status <> 'canceled' AND NOT test),
       last.leaf, last.topic, last.path, last.language, last.discreet
FROM (SELECT 1) AS one LEFT JOIN LATERAL (
    SELECT leaf, topic, path, language, discreet FROM (
        SELECT t.* FROM keys JOIN texts t ON t.to_key = k AND t.created_at > %(since)s
        UNION ALL SELECT t.* FROM keys JOIN texts t ON t.caller_key = k AND t.created_at > %(since)s) AS near
    WHERE kind = 'link' AND status <> 'canceled' ORDER BY created_at DESC LIMIT 1) AS last ON true""",
)


def profile(conn: Connection, key: str, day_ago: datetime, returning_since: datetime) -> Profile:
    """Opt-out, texts of the last day, and the latest text of a caller, his typed numbers included."""
    values = {"key": key, "day_ago": day_ago, "since": returning_since}
    for opted_out, texts_today, leaf, topic, path, language, discreet in _PROFILE.run(conn, values):
        return Profile(
            opted_out=opted_out == "t",
            texts_today=int(texts_today or 0),
            leaf=leaf,
            topic=topic,
            path=json.loads(path) if path is not None else None,
            language=language,
            discreet=discreet == "t" if discreet is not None else None,
        )
    raise AssertionError("a row of subqueries is always there")


def by_agent(conn: Connection, agent_call_sid: str) -> str | None:
    """The caller's CallSid that an agent's call has taken, the latest one."""
    row = conn.execute(
        "SELECT call_sid FROM calls WHERE agent_call_sid = %s ORDER BY updated_at DESC LIMIT 1",
        (agent_call_sid,),
    ).fetchone()
    return str(row[0]) if row else None


def read(conn: Connection, call_sid: str) -> dict[str, Any] | None:
    """A call's row by column name."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT * FROM calls WHERE call_sid = %s", (call_sid,)).fetchone()


def unclosed(conn: Connection, before: datetime, limit: int = 100) -> list[str]:
    """The CallSids of calls without an end last heard of before a time, oldest first. Those whose state is erased
    (`models.erase`) have nothing left to end."""
    rows = conn.execute(
        "SELECT call_sid FROM calls WHERE ended_at IS NULL AND started_at < %(before)s AND updated_at < %(before)s"
        " AND state <> '{}' ORDER BY started_at LIMIT %(limit)s",
        {"before": before, "limit": limit},
    )
    return [str(row[0]) for row in rows]


class InTalk(NamedTuple):
    """A call that an agent's call has taken."""

    agent_call_sid: str
    queue: str | None
    at: datetime


def in_talk(conn: Connection, since: datetime, limit: int = 10) -> list[InTalk]:
    """The calls of agents that took somebody since a time and still talk, the latest first."""
    with conn.cursor(row_factory=class_row(InTalk)) as cursor:
        return cursor.execute(
            "SELECT agent_call_sid, queue, updated_at AS at FROM calls WHERE agent_call_sid IS NOT NULL"
            " AND stage = 'agent' AND ended_at IS NULL AND updated_at >= %s ORDER BY updated_at DESC LIMIT %s",
            (since, limit),
        ).fetchall()
