"""Texts that came in: one row a message, with the reply given, so that a repeat gets the same."""

from datetime import datetime
from typing import NamedTuple

from psycopg import Connection


class Known(NamedTuple):
    """A message that came before."""

    reply: str | None


class Answered(NamedTuple):
    """How many messages were answered."""

    in_prefix: int  # of numbers that begin alike
    in_all: int


def begin(conn: Connection, message_sid: str, number_key: str, prefix_key: str, at: datetime) -> Known | None:
    """Take a message; None when it is new. A repeat at the same instant waits here until the first is answered.

    `prefix_key` is the key of how the number begins.
    """
    taken = conn.execute(
        "INSERT INTO inbound_texts (message_sid, number_key, prefix_key, at, kind) VALUES (%s, %s, %s, %s, 'new')"
        " ON CONFLICT DO NOTHING",
        (message_sid, number_key, prefix_key, at),
    ).rowcount
    if taken:
        return None
    row = conn.execute("SELECT reply FROM inbound_texts WHERE message_sid = %s", (message_sid,)).fetchone()
    return Known(row[0] if row else None)


def finish(conn: Connection, message_sid: str, kind: str, reply: str | None) -> None:
    """Keep what the message was and what was answered."""
    conn.execute("UPDATE inbound_texts SET kind = %s, reply = %s WHERE message_sid = %s", (kind, reply, message_sid))


def replies_since(conn: Connection, number_key: str, since: datetime, kinds: tuple[str, ...] = ()) -> int:
    """How many messages of a number (of these kinds, all without any) were answered since a time."""
    row = conn.execute(
        "SELECT count(*) FROM inbound_texts WHERE number_key = %s AND at > %s AND reply IS NOT NULL"
        " AND (%s::text[] = '{}' OR kind = ANY(%s::text[]))",
        (number_key, since, list(kinds), list(kinds)),
    ).fetchone()
    assert row is not None
    return int(row[0])


def answered_since(conn: Connection, prefix_key: str, since: datetime) -> Answered:
    """How many messages were answered since a time: of numbers that begin alike, and altogether."""
    row = conn.execute(
        "SELECT count(*) FILTER (WHERE prefix_key = %s), count(*) FROM inbound_texts"
        " WHERE at > %s AND reply IS NOT NULL",
        (prefix_key, since),
    ).fetchone()
    assert row is not None
    return Answered(*row)


def erase_replies(conn: Connection, before: datetime) -> int:
    """Forget the wording of replies given before a time; how many."""
    return conn.execute("UPDATE inbound_texts SET reply = NULL WHERE at < %s AND reply IS NOT NULL", (before,)).rowcount
