"""Contacts by other channels: who (keyed), when, by which; and how each import went."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from psycopg import Connection

from models.summaries import KEYS, LOOK_BACK


class NewContact(NamedTuple):
    """A contact about to be kept. `caller_key`: of the number, or of the customer's id."""

    caller_key: str
    at: datetime
    topic: str


class Import(NamedTuple):
    """How an import went. `newest_at`: the latest contact in it; `refused`: rows parked."""

    id: int
    channel: str
    source: str
    who: str
    at: datetime
    rows: int
    fresh: int
    refused: int
    newest_at: datetime | None


class Parked(NamedTuple):
    """A row that could not be read."""

    import_id: int
    line: int
    reason: str


def begin(conn: Connection, channel: str, source: str, who: str, at: datetime) -> int:
    """A new import; its number."""
    row = conn.execute(
        "INSERT INTO contact_imports (channel, source, who, at, rows, fresh, refused) VALUES (%s, %s, %s, %s, 0, 0, 0)"
        " RETURNING id",
        (channel, source, who, at),
    ).fetchone()
    assert row is not None
    return int(row[0])


def add(conn: Connection, import_id: int, channel: str, rows: Sequence[NewContact]) -> int:
    """Keep contacts; how many are new."""
    return conn.execute(
        "INSERT INTO contacts (channel, caller_key, at, topic, import_id)"
        " SELECT %s, key, at, topic, %s FROM unnest(%s::text[], %s::timestamptz[], %s::text[]) AS g (key, at, topic)"
        " ON CONFLICT DO NOTHING",
        (channel, import_id, [row.caller_key for row in rows], [row.at for row in rows], [row.topic for row in rows]),
    ).rowcount


def park(conn: Connection, rows: Sequence[Parked]) -> None:
    """Keep what is wrong with rows."""
    with conn.cursor() as cursor:
        cursor.executemany("INSERT INTO parked_contacts (import_id, line, reason) VALUES (%s, %s, %s)", rows)


def finish(conn: Connection, done: Import) -> None:
    """Keep how an import went."""
    conn.execute(
        "UPDATE contact_imports SET rows = %s, fresh = %s, refused = %s, newest_at = %s, finished = true WHERE id = %s",
        (done.rows, done.fresh, done.refused, done.newest_at, done.id),
    )


_IMPORT = "SELECT id, channel, source, who, at, rows, fresh, refused, newest_at FROM contact_imports"


def imports(conn: Connection, limit: int = 50) -> list[Import]:
    """The latest imports, newest first."""
    return [Import(*row) for row in conn.execute(f"{_IMPORT} ORDER BY id DESC LIMIT %s", (limit,))]


def feeds(conn: Connection) -> list[Import]:
    """The last import of each channel that came to its end, by the channel's name. One of which no row could be read
    told nothing."""
    rows = conn.execute(
        "SELECT DISTINCT ON (channel) id, channel, source, who, at, rows, fresh, refused, newest_at"
        " FROM contact_imports WHERE finished AND (rows = 0 OR refused < rows) ORDER BY channel, at DESC, id DESC"
    )
    return [Import(*row) for row in rows]


def parked(conn: Connection, import_id: int, limit: int = 100) -> list[Parked]:
    """The rows of an import that could not be read, by line."""
    rows = conn.execute(
        "SELECT import_id, line, reason FROM parked_contacts WHERE import_id = %s ORDER BY line LIMIT %s",
        (import_id, limit),
    )
    return [Parked(*row) for row in rows]


_RELATED = f"""
WITH first AS (
    SELECT s.call_sid, min(c.at) AS at FROM call_summaries s, LATERAL {KEYS} AS keys
        JOIN contacts c ON c.caller_key = k
    WHERE s.call_sid = ANY(%(sids)s) AND c.at > coalesce(s.ended_at, s.started_at)
        AND c.at <= s.started_at + %(within)s
    GROUP BY s.call_sid
)
UPDATE call_summaries s SET next_other_at = first.at,
    judge_at = CASE WHEN s.hung_up_at IS NULL THEN s.judge_at ELSE '-infinity' END FROM first
WHERE s.call_sid = first.call_sid AND s.next_other_at IS DISTINCT FROM first.at"""


def relate(conn: Connection, call_sids: Sequence[str]) -> None:
    """Note, at calls that were heard of after the contacts, the first contact after each; they are judged again."""
    conn.execute(_RELATED, {"sids": list(call_sids), "within": LOOK_BACK})


def settle_again(conn: Connection, keys: Sequence[str], since: datetime) -> int:
    """Put the calls of people since a time on the ledger's list; how many."""
    return conn.execute(
        "WITH given AS (SELECT unnest(%(keys)s::text[]) AS caller_key), people AS ("
        f" SELECT DISTINCT k FROM given s, LATERAL {KEYS} AS keys)"
        " INSERT INTO unsettled SELECT DISTINCT s.call_sid, '-infinity'::timestamptz FROM people JOIN call_summaries s"
        " ON s.caller_key = k WHERE s.started_at >= %(since)s"
        " ON CONFLICT (call_sid) DO UPDATE SET due_at = excluded.due_at",
        {"keys": list(keys), "since": since},
    ).rowcount


def later(conn: Connection, call_sids: Sequence[str], within: timedelta) -> list[tuple[str, datetime, str, str]]:
    """(call, when, number of the contact, channel) of contacts of the same people after they hung up in these calls."""
    rows = conn.execute(
        f"""
        SELECT s.call_sid, o.at, o.id, o.channel FROM call_summaries s, LATERAL {KEYS} AS keys, LATERAL (
            SELECT id, at, channel FROM contacts c WHERE c.caller_key = k AND c.at > s.hung_up_at
                AND c.at <= s.hung_up_at + %(within)s) AS o
        WHERE s.call_sid = ANY(%(sids)s) AND s.hung_up_at IS NOT NULL""",
        {"sids": list(call_sids), "within": within},
    )
    return [(str(row[0]), row[1], f"contact {row[2]}", str(row[3])) for row in rows]
