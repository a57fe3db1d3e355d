"""Forgetting the working state of calls long over; their facts stay."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from psycopg import Connection

from models.db import patient


@contextmanager
def unhurried(conn: Connection) -> Iterator[None]:
    """Let statements of `conn` take their time: years of calls are not walked within the limit a webhook has."""
    with patient(conn):
        conn.execute("SET statement_timeout = 0")
        try:
            yield
        finally:
            if not conn.broken:
                conn.execute("RESET statement_timeout")


def call_states(conn: Connection, before: datetime) -> int:
    """Empty the state and the latest document of calls last heard of before a time; how many."""
    return conn.execute(
        "UPDATE calls SET state = '{}', reply = '' WHERE updated_at < %s AND state <> '{}'", (before,)
    ).rowcount


# ---- one person's number

#: where the key of a number leads to somebody: table -> its columns
LOOK_UPS = {
    "numbers": ("number_key",),
    "linked_keys": ("a", "b"),
    "calls": ("caller_key",),
    "call_summaries": ("caller_key",),
    "texts": ("caller_key", "to_key"),
    "inbound_texts": ("number_key",),
    "contacts": ("caller_key",),
}


def look_up(conn: Connection, key: str) -> dict[str, int]:
    """By table how many rows the key of a number leads to."""
    found = {}
    for table, columns in LOOK_UPS.items():
        condition = " OR ".join(f"{column} = %(key)s" for column in columns)
        row = conn.execute(f"SELECT count(*) FROM {table} WHERE {condition}", {"key": key}).fetchone()
        found[table] = int(row[0]) if row else 0
    return found


def is_busy(conn: Connection, key: str, heard_since: datetime) -> bool:
    """Whether this number is in a call, heard of since a time, or a text to it is just being sent."""
    return bool(
        conn.execute(
            "SELECT FROM calls WHERE caller_key = %(key)s AND ended_at IS NULL AND updated_at > %(since)s UNION ALL"
            " SELECT FROM texts WHERE (caller_key = %(key)s OR to_key = %(key)s) AND status IN ('sending', 'unknown')"
            " AND settled_at IS NULL LIMIT 1",
            {"key": key, "since": heard_since},
        ).fetchall()
    )


def messages_of(conn: Connection, key: str) -> list[str]:
    """The carrier's ids of all texts to and from a number, and of those its calls asked for."""
    rows = conn.execute(
        "SELECT message_sid FROM texts WHERE (caller_key = %(key)s OR to_key = %(key)s) AND message_sid IS NOT NULL"
        " UNION SELECT message_sid FROM inbound_texts WHERE number_key = %(key)s",
        {"key": key},
    )
    return [str(row[0]) for row in rows]


def calls_of(conn: Connection, key: str) -> list[str]:
    """The carrier's ids of all calls from a number."""
    return [str(row[0]) for row in conn.execute("SELECT call_sid FROM calls WHERE caller_key = %s", (key,))]


def person(conn: Connection, key: str, stranger: str) -> dict[str, int]:
    """Forget whoever has a number: what was said, the wording of texts, the number itself. What its key led to is put
    under `stranger`, a key of no number, so that figures stay. An opt-out stays too: it is how STOP is kept. In a
    transaction of the caller's; how much of each."""
    keys = {"key": key, "stranger": stranger}

    def done(statement: str) -> int:
        return conn.execute(statement, keys).rowcount

    return {
        "transcripts": done(
            "DELETE FROM transcripts WHERE call_sid IN (SELECT call_sid FROM calls WHERE caller_key = %(key)s)"
        ),
        "calls": done(
            "UPDATE calls SET caller_key = %(stranger)s, state = '{}', reply = '' WHERE caller_key = %(key)s"
        ),
        "summaries": done("UPDATE call_summaries SET caller_key = %(stranger)s WHERE caller_key = %(key)s"),
        "texts": done(
            "UPDATE texts SET token = replace(gen_random_uuid()::text, '-', ''), body = '', topic = '', path = '[]',"
            " prefix_key = NULL, message_sid = NULL,"
            " status = CASE status WHEN 'queued' THEN 'canceled' ELSE status END,"
            " caller_key = CASE caller_key WHEN %(key)s THEN %(stranger)s ELSE caller_key END,"
            " to_key = CASE to_key WHEN %(key)s THEN %(stranger)s ELSE to_key END"
            " WHERE caller_key = %(key)s OR to_key = %(key)s"
        ),
        "replies": done(
            "UPDATE inbound_texts SET reply = NULL, prefix_key = NULL, number_key = %(stranger)s"
            " WHERE number_key = %(key)s"
        ),
        "contacts": done("UPDATE contacts SET caller_key = %(stranger)s WHERE caller_key = %(key)s"),
        "links": done("DELETE FROM linked_keys WHERE a = %(key)s OR b = %(key)s"),
        "numbers": done("UPDATE numbers SET sealed = NULL, number_key = %(stranger)s WHERE number_key = %(key)s"),
    }


# ---- what comes in of a person who was erased


def mark(conn: Connection, number_mark: str, at: datetime) -> None:
    """Remember that a number was erased, by a hash that leads to nothing."""
    conn.execute(
        "INSERT INTO erased_numbers (mark, at) VALUES (%s, %s) ON CONFLICT (mark) DO UPDATE SET at = excluded.at",
        (number_mark, at),
    )


def was_marked(conn: Connection, number_mark: str, told: datetime) -> bool:
    """Whether a number was erased after something of it had been told."""
    found = conn.execute("SELECT FROM erased_numbers WHERE mark = %s AND at >= %s", (number_mark, told))
    return found.fetchone() is not None


def forget_marks(conn: Connection, before: datetime) -> int:
    """Drop what was remembered before a time; how many."""
    return conn.execute("DELETE FROM erased_numbers WHERE at < %s", (before,)).rowcount
