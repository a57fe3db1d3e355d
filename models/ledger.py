"""The ledger's postings, append-only; their sums by month; and which calls are still to be settled."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from models.summaries import COLUMNS, KEYS

LOCK = 7_461_050  # our number among PostgreSQL's advisory locks; migration 0015 has 7_461_051


class PostingRow(NamedTuple):
    """One entry as stored; ivr/ledger/books.py says what the fields mean."""

    id: int
    call_sid: str
    kind: str
    item: str
    seq: int
    month: date
    at: datetime
    posted_at: datetime
    queue: str
    currency: str
    amount: int
    contacts: int
    agent_ms: int
    quantity: int
    facts: list[int]
    card: int | None
    rule: int
    baseline: date | None
    share: int | None
    undoes: int | None
    contact: str
    reason: str


class LineRow(NamedTuple):
    """The sum of the postings of a month, kind, queue and currency."""

    month: date
    kind: str
    queue: str
    currency: str
    entries: int
    amount: int
    contacts: int
    agent_ms: int
    quantity: int


class StandingRow(NamedTuple):
    """What the books say by now of a call's kind and item, in one queue and currency."""

    call_sid: str
    kind: str
    item: str
    queue: str
    currency: str
    month: date
    last: int
    seq: int
    amount: int
    contacts: int
    agent_ms: int
    quantity: int


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


_COLUMNS = ", ".join(PostingRow._fields)


# ---- for pages and statements


def lines(conn: Connection, month: date) -> list[LineRow]:
    """A month's sums: a row for each kind, queue and currency that occurs. Memo kinds included."""
    rows = conn.execute(f"{_LINES} WHERE month = %s ORDER BY currency, kind, queue", (month,))
    return [_line(row) for row in rows]


def all_lines(conn: Connection, until: date | None = None) -> list[LineRow]:
    """The sums of all months, of those before `until` if it is given."""
    rows = conn.execute(
        f"{_LINES} WHERE %(until)s::date IS NULL OR month < %(until)s ORDER BY month, currency, kind, queue",
        {"until": until},
    )
    return [_line(row) for row in rows]


_LINES = (
    "SELECT month, kind, queue, currency, entries, amount::bigint, contacts::bigint, agent_ms::bigint,"
    " quantity::bigint FROM month_lines"
)


def _line(row: Sequence[Any]) -> LineRow:
    return LineRow(*row)


def lines_from_postings(conn: Connection) -> list[LineRow]:
    """The same sums as `all_lines`, added up anew: what the kept ones must equal."""
    rows = conn.execute(
        "SELECT month, kind, queue, currency, count(*), sum(amount)::bigint, sum(contacts)::bigint,"
        " sum(agent_ms)::bigint, sum(quantity)::bigint FROM postings GROUP BY 1, 2, 3, 4 ORDER BY 1, 4, 2, 3"
    )
    return [_line(row) for row in rows]


def months(conn: Connection) -> list[date]:
    """The months that have postings, oldest first."""
    return [row[0] for row in conn.execute("SELECT DISTINCT month FROM month_lines ORDER BY month")]


def postings(
    conn: Connection,
    month: date,
    *,
    kinds: Sequence[str] = (),
    queue: str | None = None,
    currency: str | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[PostingRow]:
    """A month's entries by number: of some kinds (all without any), of a queue, in a currency ("" for those without
    a price), with numbers over `after`."""
    with conn.cursor(row_factory=class_row(PostingRow)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM postings WHERE month = %(month)s AND id > %(after)s"
            " AND (%(kinds)s::text[] = '{}' OR kind = ANY(%(kinds)s))"
            " AND (%(queue)s::text IS NULL OR queue = %(queue)s)"
            " AND (%(currency)s::text IS NULL OR currency = %(currency)s) ORDER BY id LIMIT %(limit)s",
            {
                "month": month,
                "after": after,
                "kinds": list(kinds),
                "queue": queue,
                "currency": currency,
                "limit": limit,
            },
        ).fetchall()


def stream(conn: Connection, month: date) -> Iterator[PostingRow]:
    """All entries of a month by number, a few thousand in memory at a time."""
    with conn.transaction(), conn.cursor("postings_stream", row_factory=class_row(PostingRow)) as cursor:
        cursor.itersize = 5000
        cursor.execute(f"SELECT {_COLUMNS} FROM postings WHERE month = %s ORDER BY id", (month,))
        yield from cursor


def of_call(conn: Connection, call_sid: str) -> list[PostingRow]:
    """All entries of a call by number."""
    with conn.cursor(row_factory=class_row(PostingRow)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM postings WHERE call_sid = %s ORDER BY id", (call_sid,)
        ).fetchall()


def read(conn: Connection, posting_id: int) -> PostingRow | None:
    """An entry by number."""
    with conn.cursor(row_factory=class_row(PostingRow)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM postings WHERE id = %s", (posting_id,)).fetchone()


# ---- for the settlement


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


def standing(conn: Connection, call_sids: Sequence[str]) -> list[StandingRow]:
    """What the books say of calls by now; "" is what no call caused."""
    rows = conn.execute(
        "SELECT call_sid, kind, item, queue, currency, max(month), max(id), max(seq), sum(amount)::bigint,"
        " sum(contacts)::bigint, sum(agent_ms)::bigint, sum(quantity)::bigint FROM postings WHERE call_sid = ANY(%s)"
        " GROUP BY call_sid, kind, item, queue, currency",
        (list(call_sids),),
    )
    return [StandingRow(*row) for row in rows]


def numbers(conn: Connection, count: int) -> list[int]:
    """Numbers for that many new entries, ascending."""
    rows = conn.execute(
        "SELECT nextval(pg_get_serial_sequence('postings', 'id')) FROM generate_series(1, %s)", (count,)
    )
    return sorted(int(row[0]) for row in rows)


_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _copied(row: PostingRow) -> str:
    """An entry as a line of COPY's text format (PostgreSQL's documentation of COPY, "Text Format")."""
    words = (row.call_sid, row.item, row.queue, row.contact, row.reason)
    call_sid, item, queue, contact, reason = (word.translate(_ESCAPED) if word else word for word in words)
    maybe = (row.card, row.baseline, row.share, row.undoes)
    card, baseline, share, undoes = ("\\N" if one is None else one for one in maybe)
    facts = ",".join(map(str, row.facts))
    return (
        f"{row.id}\t{call_sid}\t{row.kind}\t{item}\t{row.seq}\t{row.month}\t{row.at.isoformat()}"
        f"\t{row.posted_at.isoformat()}\t{queue}\t{row.currency}\t{row.amount}\t{row.contacts}\t{row.agent_ms}"
        f"\t{row.quantity}\t{{{facts}}}\t{card}\t{row.rule}\t{baseline}\t{share}\t{undoes}\t{contact}\t{reason}\n"
    )


def add(conn: Connection, rows: Iterable[PostingRow]) -> None:
    """Write entries. Raises CheckViolation for a closed month, UniqueViolation for one that is there."""
    text = "".join(map(_copied, rows))
    with conn.cursor() as cursor, cursor.copy(f"COPY postings ({_COLUMNS}) FROM STDIN") as copy:
        copy.write(text)


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


def baselines(conn: Connection, days: Sequence[date]) -> list[BaselineRow]:
    """The haircuts that were made for days."""
    rows = conn.execute(
        "SELECT day, queue, bin, held_out, gave_up, share, agent_ms FROM baselines WHERE day = ANY(%s)", (list(days),)
    )
    return [BaselineRow(*row) for row in rows]


def keep_baselines(conn: Connection, rows: Sequence[BaselineRow]) -> None:
    """Keep the haircuts of days, once."""
    given = [[row.day.isoformat(), *row[1:]] for row in rows]
    conn.execute(
        "INSERT INTO baselines (day, queue, bin, held_out, gave_up, share, agent_ms)"
        " SELECT (r->>0)::date, r->>1, (r->>2)::int, (r->>3)::int, (r->>4)::int, (r->>5)::int, (r->>6)::bigint"
        " FROM jsonb_array_elements(%s::jsonb) AS r ON CONFLICT DO NOTHING",
        (json.dumps(given),),
    )


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
