"""Incidents: what callers of some leaves hear first, until when. Those that are over are kept."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import class_row


class Incident(NamedTuple):
    """One incident. `leaves` None: every caller; `news`: the text on request by language, empty for none."""

    id: int
    message: Mapping[str, str]
    news: Mapping[str, str]
    leaves: Sequence[str] | None
    starts_at: datetime
    until: datetime
    who: str
    why: str
    ended_at: datetime | None = None
    ended_by: str | None = None
    ended_why: str | None = None

    def current(self, now: datetime) -> bool:
        """Whether callers hear it at `now`."""
        return self.ended_at is None and now < self.until


_COLUMNS = ", ".join(Incident._fields)


def start(
    conn: Connection,
    *,
    message: Mapping[str, str],
    news: Mapping[str, str],
    leaves: Sequence[str] | None,
    starts_at: datetime,
    until: datetime,
    who: str,
    why: str,
) -> int:
    """Begin an incident; its id."""
    row = conn.execute(
        "INSERT INTO incidents (message, news, leaves, starts_at, until, who, why)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id",
        (
            json.dumps(dict(message)), json.dumps(dict(news)), None if leaves is None else json.dumps(list(leaves)),
            starts_at, until, who, why,
        ),
    ).fetchone()  # fmt: skip
    assert row is not None
    return int(row[0])


def end(conn: Connection, incident_id: int, *, who: str, why: str, at: datetime) -> bool:
    """End an incident before its time. False when there is none of that id, or it is over already."""
    return bool(
        conn.execute(
            "UPDATE incidents SET ended_at = %(at)s, ended_by = %(who)s, ended_why = %(why)s"
            " WHERE id = %(id)s AND ended_at IS NULL AND until > %(at)s",
            {"id": incident_id, "who": who, "why": why, "at": at},
        ).rowcount
    )


def read(conn: Connection, incident_id: int) -> Incident | None:
    """An incident by id."""
    with conn.cursor(row_factory=class_row(Incident)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM incidents WHERE id = %s", (incident_id,)).fetchone()


def current(conn: Connection, now: datetime) -> list[Incident]:
    """What callers hear at `now`, the latest first."""
    with conn.cursor(row_factory=class_row(Incident)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM incidents WHERE until > %s AND ended_at IS NULL ORDER BY id DESC", (now,)
        ).fetchall()


def latest(conn: Connection, limit: int = 50) -> list[Incident]:
    """The latest ones, over or not, newest first."""
    with conn.cursor(row_factory=class_row(Incident)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM incidents ORDER BY id DESC LIMIT %s", (limit,)).fetchall()
