"""Every change by anyone: who, when, what, before, after, why. Append-only; each line's hash covers the one before."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg import Connection

LOCK = 7_461_008  # our number among PostgreSQL's advisory locks
BEGINNING = bytes(32)


@dataclass(frozen=True, slots=True)
class Entry:
    """One change. `who` is staff:ID, token:ID or cli:LOGIN; `name` is who that is, where it is one of the staff."""

    id: int
    at: datetime
    who: str
    name: str | None
    what: str
    on: str
    before: Any
    after: Any
    why: str


@dataclass(frozen=True, slots=True)
class Chain:
    """What a look over all lines found. `broken_at` is the first line that does not fit; `head` the last one's hash."""

    lines: int
    head: str
    broken_at: int | None


def note(
    conn: Connection,
    *,
    who: int | str,
    what: str,
    on: str,
    before: Any = None,
    after: Any = None,
    why: str = "",
    at: datetime,
) -> int:
    """Write a change down in the transaction that makes it; its number.

    `who` is an id of staff, or "token:ID", "cli:LOGIN". `before` and `after` are what JSON can say. Only one
    transaction at a time may have noted something and not ended: note last. Raises ValueError outside of one.
    """
    if conn.autocommit and conn.info.transaction_status == conn.info.transaction_status.IDLE:
        raise ValueError("a change is noted in the transaction that makes it")
    person = f"staff:{who}" if isinstance(who, int) else who
    conn.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
    last = conn.execute("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    number, previous = (last[0] + 1, bytes(last[1])) if last else (1, BEGINNING)
    texts = _text(before), _text(after)
    digest = _hash(previous, number, at, person, what, on, *texts, why)
    conn.execute(
        'INSERT INTO audit (id, at, who, what, "on", before, after, why, hash)'
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (number, at, person, what, on, *texts, why, digest),
    )
    return int(number)


def _text(value: Any) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True)


def _hash(previous: bytes, number: int, at: datetime, *parts: str | None) -> bytes:
    line = json.dumps([number, at.astimezone(UTC).isoformat(timespec="microseconds"), *parts])
    return hashlib.sha256(previous + line.encode()).digest()


_ENTRY = """
    SELECT a.id, a.at, a.who, s.name, a.what, a."on", a.before, a.after, a.why
    FROM audit a LEFT JOIN staff s ON a.who = 'staff:' || s.id
"""


def find(
    conn: Connection,
    *,
    who: str | None = None,
    what: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    below: int | None = None,
    limit: int = 50,
) -> list[Entry]:
    """Changes, newest first: by `who` exactly, by `what` exactly or by its first word ("menu"), of a time (half open),
    with a number under `below`."""
    rows = conn.execute(
        _ENTRY + " WHERE (%(who)s::text IS NULL OR a.who = %(who)s)"
        " AND (%(what)s::text IS NULL OR a.what = %(what)s OR split_part(a.what, '.', 1) = %(what)s)"
        " AND (%(since)s::timestamptz IS NULL OR a.at >= %(since)s)"
        " AND (%(until)s::timestamptz IS NULL OR a.at < %(until)s)"
        " AND (%(below)s::bigint IS NULL OR a.id < %(below)s)"
        " ORDER BY a.id DESC LIMIT %(limit)s",
        {"who": who, "what": what, "since": since, "until": until, "below": below, "limit": limit},
    )
    return [Entry(*row) for row in rows]


def verify(conn: Connection, *, remembered: str | None = None) -> Chain:
    """Look over all lines. `remembered` is a head that an earlier look gave: without its line, the log was cut."""
    previous, expected, head_seen = BEGINNING, 1, remembered is None
    for number, at, *parts, stored in _lines(conn):
        digest = _hash(previous, number, at, *parts)
        if number != expected or digest != bytes(stored):
            return Chain(expected - 1, previous.hex(), expected)
        previous, expected = digest, expected + 1
        head_seen = head_seen or digest.hex() == remembered
    return Chain(expected - 1, previous.hex(), None if head_seen else expected)


def _lines(conn: Connection) -> Iterator[tuple[Any, ...]]:
    with conn.transaction(), conn.cursor(name="audit_lines") as cursor:
        cursor.itersize = 1000
        yield from cursor.execute(
            'SELECT id, at, who, what, "on", before::text, after::text, why, hash FROM audit ORDER BY id'
        )


def people(conn: Connection) -> list[tuple[str, str | None]]:
    """Who ever changed something, with the name where it is one of the staff."""
    rows = conn.execute(
        "SELECT DISTINCT a.who, s.name FROM audit a LEFT JOIN staff s ON a.who = 'staff:' || s.id ORDER BY 2, 1"
    )
    return [(who, name) for who, name in rows]


def kinds(conn: Connection) -> list[str]:
    """Every kind of change there was."""
    return [row[0] for row in conn.execute("SELECT DISTINCT what FROM audit ORDER BY what")]
