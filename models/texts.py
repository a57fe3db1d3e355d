"""Texts: one row each from the caller's yes to the carrier's receipt. A status only moves forward.

A text is claimed by compare-and-set with a lease, sent outside any transaction, and finished only by the claim that
sent it: `attempts` is the claim's number. Facts are written in the transaction that changes the status.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from models import facts, optouts
from models.prepared import Prepared

#: A receipt moves a text to a higher rank only, so that any order of receipts ends the same. What we gave up ourselves
#: (failed, expired, canceled) ranks lowest: a receipt proves that the carrier has it all the same.
RANK = {"sent": 1, "undelivered": 2, "delivered": 3}

OPTED_OUT = 21610  # the carrier's code for a number that sent it STOP
#: The carrier did not take it, because the line takes no texts: it never was a text, and another number may get one.
_NO_LINE = "(status = 'failed' AND message_sid IS NULL AND coalesce(error_code, 0) IN (21614, 21635))"


class Text(NamedTuple):
    """One text as stored."""

    id: str
    call_sid: str
    article_id: str
    kind: str  # link | follow_up | reply | status
    caller_key: str | None
    to_key: str
    number_id: int
    from_number: str
    language: str
    leaf: str | None
    topic: str
    discreet: bool
    path: list[str]
    body: str
    segments: int
    token: str
    typed: bool
    test: bool
    status: str
    attempts: int
    due_at: datetime
    lease_until: datetime | None
    message_sid: str | None
    error_code: int | None
    created_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None
    prefix_key: str | None


class NewText(NamedTuple):
    """A text about to be queued."""

    id: str
    call_sid: str
    article_id: str
    kind: str
    caller_key: str | None
    to_key: str
    number_id: int
    from_number: str
    language: str
    leaf: str | None
    topic: str
    discreet: bool
    path: Sequence[str]
    body: str
    segments: int
    token: str
    typed: bool
    test: bool
    due_at: datetime
    created_at: datetime
    expires_at: datetime
    status: str = "queued"
    prefix_key: str | None = None  # of a text a call asked for: the key of how its number begins


class Asked(NamedTuple):
    """What speaks against a text that a call asks for. Texts of the test phone do not count against a day."""

    article: str | None  # live, or withdrawn (by us or by its source); None for no such article
    opted_out: bool
    again: bool  # this call has such a text with this article, or of this incident
    in_call: int
    in_day: int  # to the number within 24 h
    typed_in_day: int  # of these, where the number was typed
    in_prefix: int  # within 24 h to numbers that begin alike
    typed_in_prefix: int


_COLUMNS = ", ".join(Text._fields)
_DAY = timedelta(days=1)
_INTS = frozenset({"number_id", "segments", "attempts", "error_code"})
_BOOLS = frozenset({"discreet", "typed", "test"})
_TIMES = frozenset({"due_at", "lease_until", "created_at", "expires_at", "sent_at", "settled_at"})


def _read(name: str) -> Callable[[str], Any]:
    """How a column is read from the text a prepared statement gives."""
    if name in _INTS:
        return int
    if name in _BOOLS:
        return "t".__eq__
    if name in _TIMES:
        return datetime.fromisoformat
    return json.loads if name == "path" else str


_READ = tuple(_read(name) for name in Text._fields)


def _as_text(row: Sequence[str | None]) -> Text:
    return Text._make(None if value is None else read(value) for read, value in zip(_READ, row, strict=True))


_LOCK = Prepared("text_lock", "SELECT pg_advisory_xact_lock(hashtextextended(%(key)s, 0))")


def lock_number(conn: Connection, to_key: str) -> None:
    """Let texts to one number (or to those of one prefix) be counted and queued by one transaction at a time."""
    _LOCK.run(conn, {"key": to_key})


_ASKED = Prepared(
    "text_asked",
    f"""
SELECT (SELECT CASE state WHEN 'live' THEN 'live' ELSE 'withdrawn' END FROM articles WHERE id = %(article_id)s),
       EXISTS (SELECT FROM optouts WHERE number_key = %(to_key)s AND active), near.*, alike.*
FROM (SELECT coalesce(bool_or(call_sid = %(call_sid)s AND article_id = %(article_id)s AND kind = %(kind)s),
                      false),
             count(*) FILTER (WHERE call_sid = %(call_sid)s),
             count(*) FILTER (WHERE to_key = %(to_key)s AND created_at > %(since)s AND NOT test),
             count(*) FILTER (WHERE to_key = %(to_key)s AND created_at > %(since)s AND NOT test AND typed)
      FROM texts WHERE kind IN ('link', 'status') AND status <> 'canceled' AND NOT {_NO_LINE}
        AND (call_sid = %(call_sid)s OR to_key = %(to_key)s AND created_at > %(since)s)) AS near,
     (SELECT count(*), count(*) FILTER (WHERE typed) FROM texts WHERE prefix_key = %(prefix_key)s
        AND created_at > %(since)s AND kind IN ('link', 'status') AND status <> 'canceled' AND NOT test) AS alike""",
)


def asked(
    conn: Connection, *, call_sid: str, article_id: str, to_key: str, prefix_key: str, now: datetime, kind: str = "link"
) -> Asked:
    """What speaks against a text of a call with an article, or of an incident, to a number."""
    values = {"call_sid": call_sid, "article_id": article_id, "kind": kind}
    values |= {"to_key": to_key, "prefix_key": prefix_key}
    ((article, opted_out, again, *counts),) = _ASKED.run(conn, values | {"since": now - _DAY})
    return Asked(article, opted_out == "t", again == "t", *(int(count or 0) for count in counts))


_NEW = Prepared(
    "text_new",
    f"INSERT INTO texts ({', '.join(NewText._fields)}) VALUES ({', '.join(f'%({name})s' for name in NewText._fields)})"
    f" ON CONFLICT (call_sid, article_id, kind) DO NOTHING RETURNING {_COLUMNS}",
)


def queue(conn: Connection, new: NewText) -> tuple[Text, bool]:
    """Insert a text; one of the same call, article and kind that is there already stays, unless the carrier refused
    its line. (row, whether it is new)."""
    if new.typed:  # perhaps instead of a number that the carrier refused; the facts keep that
        conn.execute(
            f"DELETE FROM texts WHERE call_sid = %s AND article_id = %s AND kind = %s AND {_NO_LINE}",
            (new.call_sid, new.article_id, new.kind),
        )
    values = {**new._asdict(), "path": json.dumps(list(new.path))}
    for row in _NEW.run(conn, values):
        return _as_text(row), True
    with conn.cursor(row_factory=class_row(Text)) as cursor:
        kept = cursor.execute(
            f"SELECT {_COLUMNS} FROM texts WHERE call_sid = %s AND article_id = %s AND kind = %s",
            (new.call_sid, new.article_id, new.kind),
        ).fetchone()
    assert kept is not None
    return kept, False


def _one(conn: Connection, condition: str, values: Sequence[Any]) -> Text | None:
    with conn.cursor(row_factory=class_row(Text)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM texts WHERE {condition}", values).fetchone()


def read(conn: Connection, text_id: str) -> Text | None:
    """A text by id."""
    return _one(conn, "id = %s", (text_id,))


def by_token(conn: Connection, *tokens: str) -> Text | None:
    """A text by the token of its link, in any of the forms it may be stored in."""
    return _one(conn, "token = ANY(%s)", (list(tokens),))


def latest_to(conn: Connection, to_key: str, since: datetime) -> Text | None:
    """The latest text to a number since a time: what an answer from there is about. A "did it help?" is about the
    text before it, so that an answer and a tap on its page count once; news of an incident ask nothing."""
    return _one(
        conn,
        "to_key = %s AND created_at > %s AND status <> 'canceled' AND kind NOT IN ('follow_up', 'status')"
        " ORDER BY created_at DESC, id LIMIT 1",
        (to_key, since),
    )


def of_call(conn: Connection, call_sid: str) -> list[Text]:
    """All texts of a call, oldest first."""
    with conn.cursor(row_factory=class_row(Text)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM texts WHERE call_sid = %s ORDER BY created_at, id", (call_sid,)
        ).fetchall()


_CLAIM = Prepared(
    "text_claim",
    "UPDATE texts SET status = 'sending', attempts = attempts + 1, lease_until = %(lease_until)s"
    " WHERE id = %(id)s AND status = 'queued' AND due_at <= %(now)s AND expires_at > %(now)s AND NOT EXISTS"
    " (SELECT FROM optouts WHERE number_key = texts.to_key AND active)"
    f" RETURNING {_COLUMNS}",
)


def claim(conn: Connection, text_id: str, now: datetime, lease: timedelta) -> Text | None:
    """Take a queued text for sending, for the time of a lease.

    None when it is not queued, not due, too late, or its number has opted out meanwhile.
    """
    for row in _CLAIM.run(conn, {"id": text_id, "now": now, "lease_until": now + lease}):
        return _as_text(row)
    return None


_MINE = " WHERE id = %(id)s AND status = 'sending' AND attempts = %(attempts)s"


def _tell(
    conn: Connection,
    text: Text,
    name: str,
    at: datetime,
    data: dict[str, Any] | None = None,
    *,
    once: str | None = None,
) -> bool:
    kind = {} if text.kind == "link" else {"kind": text.kind}
    plan = conn.execute("SELECT plan_version FROM calls WHERE call_sid = %s", (text.call_sid,)).fetchone()
    return facts.add(
        conn,
        text.call_sid,
        name,
        at,
        {"text_id": text.id, **kind, **(data or {})},
        once=once or f"{name}:{text.id}",
        plan_version=plan[0] if plan else None,
    )


#: the facts of a text that `moved` in the same statement, once each
_TOLD = """
    INSERT INTO facts (call_sid, name, at, plan_version, data, once)
    SELECT moved.call_sid, fact.name, %(now)s, (SELECT plan_version FROM calls WHERE call_sid = moved.call_sid),
        jsonb_build_object('text_id', moved.id) || fact.data
            || CASE moved.kind WHEN 'link' THEN '{}' ELSE jsonb_build_object('kind', moved.kind) END,
        fact.name || ':' || moved.id
    FROM moved, ROWS FROM (jsonb_to_recordset(%(facts)s::jsonb) AS (name text, data jsonb))
        WITH ORDINALITY AS fact (name, data, n)
    ORDER BY fact.n
    ON CONFLICT (once) WHERE once IS NOT NULL DO NOTHING"""


def _facts(*told: tuple[str, dict[str, Any]]) -> str:
    return json.dumps([{"name": name, "data": data} for name, data in told])


def sent(conn: Connection, claimed: Text, message_sid: str, now: datetime) -> bool:
    """The carrier took it. False when the row has moved on; a receipt that was quicker is no harm."""
    with conn.transaction():
        moved = conn.execute(
            "UPDATE texts SET status = 'sent', message_sid = %(sid)s, sent_at = %(now)s, lease_until = NULL" + _MINE,
            {"sid": message_sid, "now": now, "id": claimed.id, "attempts": claimed.attempts},
        ).rowcount
        if moved:
            _tell(conn, claimed, "sent", now, {"message_sid": message_sid})
        return bool(moved)


def refused(conn: Connection, claimed: Text, code: int | None, now: datetime) -> bool:
    """The carrier refused it for good. 21610 is an opt-out. False when the row has moved on."""
    with conn.transaction():
        moved = conn.execute(
            "UPDATE texts SET status = 'failed', error_code = %(code)s, settled_at = %(now)s, lease_until = NULL"
            + _MINE,
            {"code": code, "now": now, "id": claimed.id, "attempts": claimed.attempts},
        ).rowcount
        if moved:
            _tell(conn, claimed, "send_failed", now, {"code": code})
            _after_refusal(conn, claimed, code, now)
        return bool(moved)


def put_back(conn: Connection, claimed: Text, due_at: datetime) -> bool:
    """The carrier surely did not take it: queued again, and the claim does not count as an attempt."""
    return bool(
        conn.execute(
            "UPDATE texts SET status = 'queued', attempts = attempts - 1, due_at = %(due)s, lease_until = NULL" + _MINE,
            {"due": due_at, "id": claimed.id, "attempts": claimed.attempts},
        ).rowcount
    )


def unknown(conn: Connection, text: Text, now: datetime, look_at: datetime) -> bool:
    """The carrier may or may not have taken this attempt; it is looked up there at `look_at`."""
    with conn.transaction():
        moved = conn.execute(
            "UPDATE texts SET status = 'unknown', due_at = %(look)s, lease_until = NULL" + _MINE,
            {"look": look_at, "id": text.id, "attempts": text.attempts},
        ).rowcount
        if moved:
            _tell(
                conn,
                text,
                "unknown",
                now,
                {"attempt": text.attempts},
                once=f"unknown:{text.id}:{text.attempts}",
            )
        return bool(moved)


_UNKNOWN = " WHERE id = %(id)s AND status = 'unknown' AND attempts = %(attempts)s AND settled_at IS NULL"


def found(conn: Connection, text: Text, message_sid: str, now: datetime) -> bool:
    """The look-up at the carrier found an unknown text there: it is sent."""
    with conn.transaction():
        moved = conn.execute(
            "UPDATE texts SET status = 'sent', message_sid = %(sid)s, sent_at = %(now)s" + _UNKNOWN,
            {"sid": message_sid, "now": now, "id": text.id, "attempts": text.attempts},
        ).rowcount
        if moved:
            _tell(conn, text, "sent", now, {"message_sid": message_sid, "how": "looked_up"})
        return bool(moved)


def look_again(conn: Connection, text: Text, at: datetime) -> bool:
    """The look-up itself failed: another one later."""
    return bool(
        conn.execute(
            "UPDATE texts SET due_at = %(at)s" + _UNKNOWN,
            {"at": at, "id": text.id, "attempts": text.attempts},
        ).rowcount
    )


def send_again(conn: Connection, text: Text, now: datetime) -> bool:
    """The carrier does not have it: queued for the one further attempt."""
    return bool(
        conn.execute(
            "UPDATE texts SET status = 'queued', due_at = %(now)s" + _UNKNOWN,
            {"now": now, "id": text.id, "attempts": text.attempts},
        ).rowcount
    )


def leave_unknown(conn: Connection, text: Text, now: datetime) -> bool:
    """Nothing more is done about an unknown text: a missing one costs less than two. A late receipt still counts."""
    return bool(
        conn.execute(
            "UPDATE texts SET settled_at = %(now)s" + _UNKNOWN,
            {"now": now, "id": text.id, "attempts": text.attempts},
        ).rowcount
    )


def expire(conn: Connection, text: Text, now: datetime) -> bool:
    """Too late to be of use and surely not sent."""
    with conn.transaction():
        moved = conn.execute(
            "UPDATE texts SET status = 'expired', settled_at = %s WHERE id = %s AND status IN ('queued', 'unknown')"
            " AND attempts = %s AND expires_at <= %s AND settled_at IS NULL",
            (now, text.id, text.attempts, now),
        ).rowcount
        if moved:
            _tell(conn, text, "text_expired", now)
            if text.kind == "link":
                cancel_follow_ups(conn, text.call_sid)
        return bool(moved)


def cancel(conn: Connection, text: Text, now: datetime, reason: str) -> bool:
    """Not sent after all, because of `reason` (opted_out ...). Only what is still queued can be canceled."""
    with conn.transaction():
        moved = conn.execute(
            "UPDATE texts SET status = 'canceled', settled_at = %s WHERE id = %s AND status = 'queued'",
            (now, text.id),
        ).rowcount
        if moved and text.kind in ("link", "status"):
            _tell(conn, text, "text_refused", now, {"reason": reason, "article": text.article_id})
        return bool(moved)


def cancel_follow_ups(conn: Connection, call_sid: str) -> int:
    """Whoever answered, tapped or reached an agent is not asked later. How many were canceled."""
    return conn.execute(
        "UPDATE texts SET status = 'canceled' WHERE call_sid = %s AND kind = 'follow_up' AND status = 'queued'",
        (call_sid,),
    ).rowcount


def cancel_to(conn: Connection, to_key: str, now: datetime, reason: str) -> None:
    """Cancel everything still queued to a number."""
    with conn.transaction(), conn.cursor(row_factory=class_row(Text)) as cursor:
        open_ones = cursor.execute(
            f"SELECT {_COLUMNS} FROM texts WHERE to_key = %s AND status = 'queued' FOR UPDATE", (to_key,)
        ).fetchall()
        for text in open_ones:
            cancel(conn, text, now, reason)


class Due(NamedTuple):
    """What the sweep has to look at, by id."""

    queued: list[str]
    stalled: list[Text]  # in 'sending' with the lease over
    unknown: list[Text]


def due(conn: Connection, now: datetime, grace: timedelta, limit: int = 200) -> Due:
    """Rows that need a hand: queued since `grace` without being taken, leases run out, unknown ones to look up."""
    with conn.cursor(row_factory=class_row(Text)) as cursor:
        rows = cursor.execute(
            f"SELECT {_COLUMNS} FROM texts WHERE status IN ('queued', 'sending', 'unknown') AND settled_at IS NULL AND"
            " (CASE status WHEN 'sending' THEN lease_until <= %(now)s WHEN 'queued' THEN due_at <= %(taken)s"
            " ELSE due_at <= %(now)s END) ORDER BY due_at LIMIT %(limit)s",
            {"now": now, "taken": now - grace, "limit": limit},
        ).fetchall()
    return Due(
        [row.id for row in rows if row.status == "queued"],
        [row for row in rows if row.status == "sending"],
        [row for row in rows if row.status == "unknown"],
    )


_RANKED = " ".join(f"WHEN '{status}' THEN {rank}" for status, rank in RANK.items())
_RECEIVED = Prepared(
    "text_received",
    f"""
WITH moved AS (
    UPDATE texts SET status = %(reached)s, message_sid = %(sid)s, sent_at = coalesce(sent_at, %(now)s),
        lease_until = NULL, error_code = NULL, settled_at = CASE WHEN %(final)s THEN %(now)s::timestamptz END
    WHERE id = %(id)s AND coalesce(message_sid, %(sid)s) = %(sid)s
        AND %(rank)s::int > CASE status {_RANKED} ELSE 0 END
    RETURNING id, call_sid, kind
), told AS ({_TOLD})
SELECT EXISTS (SELECT FROM texts WHERE id = %(id)s AND coalesce(message_sid, %(sid)s) = %(sid)s)""",
)


def receipt(conn: Connection, text_id: str, message_sid: str, reached: str, code: int | None, now: datetime) -> bool:
    """Take a receipt: `reached` is sent, delivered or undelivered. Any order, any number, also before the send's
    answer. False for a text or message that is not ours."""
    if reached == "undelivered":
        return _undelivered(conn, text_id, message_sid, code, now)
    final = reached != "sent"
    told = [("sent", {"message_sid": message_sid, "how": "receipt"})]  # nothing where that is on record already
    values = {"id": text_id, "sid": message_sid, "reached": reached, "rank": RANK[reached], "final": final, "now": now}
    values["facts"] = _facts(*told, *([(reached, {})] if final else []))
    return _RECEIVED.run(conn, values) == [("t",)]


def _undelivered(conn: Connection, text_id: str, message_sid: str, code: int | None, now: datetime) -> bool:
    with conn.transaction(), conn.cursor(row_factory=class_row(Text)) as cursor:
        text = cursor.execute(f"SELECT {_COLUMNS} FROM texts WHERE id = %s FOR UPDATE", (text_id,)).fetchone()
        if text is None or text.message_sid not in (None, message_sid):
            return False
        if RANK["undelivered"] <= RANK.get(text.status, 0):
            return True
        cursor.execute(
            "UPDATE texts SET status = 'undelivered', message_sid = %(sid)s, sent_at = coalesce(sent_at, %(now)s),"
            " lease_until = NULL, error_code = %(code)s, settled_at = %(now)s WHERE id = %(id)s",
            {"sid": message_sid, "now": now, "code": code, "id": text_id},
        )
        if text.sent_at is None:
            _tell(conn, text, "sent", now, {"message_sid": message_sid, "how": "receipt"})
        _tell(conn, text, "undelivered", now, {"code": code})
        _after_refusal(conn, text, code, now)
        return True


def _after_refusal(conn: Connection, text: Text, code: int | None, now: datetime) -> None:
    if code == OPTED_OUT and optouts.opt_out(conn, text.to_key, now, "carrier"):
        _tell(conn, text, "opted_out", now, {"how": "carrier"}, once=f"opted_out:{text.id}")
    if text.kind == "link":
        cancel_follow_ups(conn, text.call_sid)


def erase_bodies(conn: Connection, before: datetime) -> int:
    """Forget the wording of texts older than a time; how many."""
    return conn.execute("UPDATE texts SET body = '' WHERE created_at < %s AND body <> ''", (before,)).rowcount
