"""What a settlement goes by: the calls still to be settled, their rows, the facts that cost something, and what the
carrier took for their texts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection

from models.summaries import COLUMNS


class UsageRow(NamedTuple):
    """A fact that cost something. `since`: of `described`, when the caller had chosen what the call is about."""

    call_sid: str
    id: int
    name: str
    at: datetime
    text_id: str | None
    segments: int
    since: datetime | None
    message_sid: str | None


def take_due(
    conn: Connection, now: datetime, after: tuple[datetime | None, str], limit: int
) -> tuple[tuple[datetime | None, str], list[str]]:
    """Take the next calls that are due out of the list, in its order after a place in it; (the place of the last, the
    calls). In the transaction that settles them: whoever changes such a call meanwhile waits, and puts it back."""
    rows = conn.execute(
        "WITH page AS (SELECT call_sid, due_at FROM unsettled WHERE due_at <= %(now)s"
        " AND (due_at, call_sid) > (coalesce(%(at)s, '-infinity'::timestamptz), %(sid)s)"
        " ORDER BY due_at, call_sid LIMIT %(limit)s FOR UPDATE SKIP LOCKED)"
        " DELETE FROM unsettled u USING page WHERE u.call_sid = page.call_sid"
        " RETURNING nullif(u.due_at, '-infinity'), u.call_sid",
        {"now": now, "at": after[0], "sid": after[1], "limit": limit},
    ).fetchall()
    if not rows:
        return after, []
    last = max(((at, sid) for at, sid in rows), key=lambda row: (row[0] is not None, row[0], row[1]))
    return last, [sid for _, sid in rows]


def settle_again(conn: Connection, since: datetime) -> int:
    """Put the calls that began since a time back on the list; how many."""
    return conn.execute(
        "INSERT INTO unsettled SELECT call_sid, '-infinity' FROM call_summaries WHERE started_at >= %s"
        " ON CONFLICT (call_sid) DO UPDATE SET due_at = excluded.due_at",
        (since,),
    ).rowcount


def look_again(conn: Connection, calls: Sequence[tuple[str, datetime]]) -> None:
    """Note when time alone will change what calls came to."""
    conn.execute(
        "INSERT INTO unsettled SELECT * FROM unnest(%s::text[], %s::timestamptz[])"
        " ON CONFLICT (call_sid) DO UPDATE SET due_at = least(unsettled.due_at, excluded.due_at)",
        ([sid for sid, _ in calls], [at for _, at in calls]),
    )


def waiting(conn: Connection, now: datetime) -> int:
    """How many calls are due to be settled."""
    row = conn.execute("SELECT count(*) FROM unsettled WHERE due_at <= %s", (now,)).fetchone()
    assert row is not None
    return int(row[0])


#: the columns of a call's row that a settlement goes by
_READ = frozenset(
    ("call_sid", "started_at", "ended_at", "caller_key", "queue", "held_at", "waited_s", "eligible_at", "arm", "texts",
     "heard_at", "used_at", "solved_at", "not_at", "asked_at", "hung_up_at", "agent_at")
)  # fmt: skip
_EVIDENCE = "CASE WHEN used_at IS NOT NULL AND hung_up_at IS NOT NULL THEN evidence ELSE '{}' END"
_SUMMARIES = (
    f"SELECT {', '.join(_EVIDENCE if name == 'evidence' else name if name in _READ else 'NULL' for name in COLUMNS)}"
    " FROM call_summaries WHERE call_sid = ANY(%s) AND test = %s"
)


def summaries(conn: Connection, call_sids: Sequence[str], *, test: bool) -> list[tuple[Any, ...]]:
    """The rows of calls in the order of `ivr.ledger.summary.Summary`; what a settlement does not go by is None, and
    evidence is left out where nothing can be saved. `test`: calls of the test phone, or the others."""
    return conn.execute(_SUMMARIES, (list(call_sids), test)).fetchall()


_COSTLY = ("text_queued", "news_queued", "follow_up_queued", "sent", "undelivered", "replied", "described")
_SPOKEN = ("menu_chosen", "accepted", "declined")


def usage(conn: Connection, call_sids: Sequence[str]) -> list[UsageRow]:
    """The facts of calls that cost something, by number."""
    rows = conn.execute(
        "SELECT call_sid, id, name, at, data->>'text_id', coalesce((data->>'segments')::int, 0), CASE name"
        " WHEN 'described' THEN (SELECT max(m.at) FROM facts m WHERE m.call_sid = f.call_sid AND m.id < f.id"
        " AND m.name = 'menu_chosen') END, data->>'message_sid'"
        " FROM facts f WHERE call_sid = ANY(%s) AND (name = ANY(%s) OR name = ANY(%s) AND data->>'by' = 'speech')"
        " ORDER BY id",
        (list(call_sids), list(_COSTLY), list(_SPOKEN)),
    )
    return [UsageRow(*row) for row in rows]


class PriceRow(NamedTuple):
    """A text whose price is asked for, or known. `price` in micro-units."""

    text_id: str
    message_sid: str
    call_sid: str
    price: int | None
    currency: str | None
    attempts: int


_PRICE = "SELECT text_id, message_sid, call_sid, price, currency, attempts FROM message_prices"


def enrol_texts(conn: Connection, texts: Sequence[tuple[str, str, str, datetime]]) -> None:
    """(text id, message SID, call SID, when to ask) of texts whose price is to be asked for; those known stay."""
    conn.execute(
        "INSERT INTO message_prices (text_id, message_sid, call_sid, next_at)"
        " SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[]) ON CONFLICT DO NOTHING",
        [list(column) for column in zip(*texts, strict=True)],
    )


def prices(conn: Connection, call_sids: Sequence[str]) -> list[PriceRow]:
    """The prices that are known of calls' texts."""
    rows = conn.execute(f"{_PRICE} WHERE call_sid = ANY(%s) AND price IS NOT NULL", (list(call_sids),))
    return [PriceRow(*row) for row in rows]


def prices_to_ask(conn: Connection, now: datetime, limit: int) -> list[PriceRow]:
    """Texts whose price is to be asked for now."""
    rows = conn.execute(f"{_PRICE} WHERE next_at <= %s ORDER BY next_at LIMIT %s", (now, limit))
    return [PriceRow(*row) for row in rows]


def keep_price(conn: Connection, text_id: str, price: int, currency: str, now: datetime) -> None:
    """Keep what a text cost; its call is settled again."""
    with conn.transaction():
        conn.execute(
            "UPDATE message_prices SET price = %s, currency = %s, fetched_at = %s, next_at = NULL WHERE text_id = %s",
            (price, currency, now, text_id),
        )
        conn.execute(
            "INSERT INTO unsettled SELECT call_sid, '-infinity' FROM message_prices WHERE text_id = %s"
            " ON CONFLICT (call_sid) DO UPDATE SET due_at = excluded.due_at",
            (text_id,),
        )


def ask_price_again(conn: Connection, text_id: str, at: datetime | None) -> None:
    """Ask later, or (None) no more."""
    conn.execute("UPDATE message_prices SET attempts = attempts + 1, next_at = %s WHERE text_id = %s", (at, text_id))
