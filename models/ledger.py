"""The ledger's postings, append-only; their sums by month; and what they say of a call by now."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

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
