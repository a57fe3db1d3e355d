"""Forgetting the working state of calls long over; their facts stay."""

from datetime import datetime

from psycopg import Connection


def call_states(conn: Connection, before: datetime) -> int:
    """Empty the state and the latest document of calls last heard of before a time; how many."""
    return conn.execute(
        "UPDATE calls SET state = '{}', reply = '' WHERE updated_at < %s AND state <> '{}'", (before,)
    ).rowcount
