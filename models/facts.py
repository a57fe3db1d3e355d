"""Facts: append-only, in call order."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from models.prepared import Prepared


class FactRow(NamedTuple):
    """One fact as stored."""

    id: int
    call_sid: str
    name: str
    at: datetime
    plan_version: int | None
    index_version: str | None
    data: dict[str, Any]


_ADD = Prepared(
    "fact_add",
    "INSERT INTO facts (call_sid, name, at, plan_version, index_version, data, once) VALUES (%(call_sid)s, %(name)s,"
    " %(at)s, %(plan_version)s, %(index_version)s, %(data)s, %(once)s)"
    " ON CONFLICT (once) WHERE once IS NOT NULL DO NOTHING RETURNING 1",
)


def add(
    conn: Connection,
    call_sid: str,
    name: str,
    at: datetime,
    data: dict[str, Any] | None = None,
    *,
    once: str | None = None,
    plan_version: int | None = None,
    index_version: str | None = None,
) -> bool:
    """Write one fact. With `once`, a fact already written under that key is not written again. Whether it is new."""
    given = {"call_sid": call_sid, "name": name, "at": at, "plan_version": plan_version}
    given |= {"index_version": index_version, "data": json.dumps(data or {}), "once": once}
    return bool(_ADD.run(conn, given))


def of_call(conn: Connection, call_sid: str) -> list[FactRow]:
    """All facts of a call in the order they were written."""
    with conn.cursor(row_factory=class_row(FactRow)) as cursor:
        return cursor.execute(
            "SELECT id, call_sid, name, at, plan_version, index_version, data FROM facts"
            " WHERE call_sid = %s ORDER BY id",
            (call_sid,),
        ).fetchall()


def count(conn: Connection) -> int:
    """How many facts there are."""
    row = conn.execute("SELECT count(*) FROM facts").fetchone()
    assert row is not None
    return int(row[0])


def stream(conn: Connection, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[FactRow]:
    """All facts by id, a few thousand in memory at a time. `since` <= at < `until`."""
    with conn.transaction(), conn.cursor("facts_stream", row_factory=class_row(FactRow)) as cursor:
        cursor.itersize = 5000
        cursor.execute(
            "SELECT id, call_sid, name, at, plan_version, index_version, data FROM facts"
            " WHERE (%(since)s::timestamptz IS NULL OR at >= %(since)s)"
            " AND (%(until)s::timestamptz IS NULL OR at < %(until)s) ORDER BY id",
            {"since": since, "until": until},
        )
        yield from cursor


def gate_logits(conn: Connection, since: datetime, limit: int) -> list[tuple[str, float]]:
    """(language, the gate's logit) of the latest searches in calls, newest first, of indexes with the live one's
    encoder: those of another say something else. Calls of the test phone do not count."""
    rows = conn.execute(
        "SELECT language, (data->>'logit')::float8 FROM facts JOIN calls USING (call_sid)"
        " WHERE name IN ('match_found', 'match_refused') AND at >= %s AND NOT test"
        " AND facts.index_version IN (SELECT one.version FROM index_versions one"
        " JOIN index_versions live ON live.state = 'live' AND live.model_id = one.model_id)"
        " AND jsonb_typeof(data->'logit') = 'number' ORDER BY at DESC LIMIT %s",
        (since, limit),
    )
    return [(str(language), float(logit)) for language, logit in rows]


def answers(conn: Connection, since: datetime, limit: int = 400) -> list[tuple[str, datetime]]:
    """(queue, when) of the latest answered calls, newest first: what an expected wait rests on."""
    return [
        (str(queue), at)
        for queue, at in conn.execute(
            "SELECT data->>'queue', at FROM facts WHERE name = 'agent_connected' AND at >= %s"
            " AND data->>'queue' IS NOT NULL ORDER BY at DESC LIMIT %s",
            (since, limit),
        )
    ]
