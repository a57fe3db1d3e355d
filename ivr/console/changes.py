"""The audit log, as a person reads it: what changed, field by field."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from psycopg import Connection

from models import audit
from models.audit import Entry

ON_A_PAGE = 50


@dataclass(frozen=True)
class Field:
    """One field of what was changed, before and after; None: it was not there."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Change:
    """One line of the log."""

    entry: Entry
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Wanted:
    """What is looked for: who, what, and the days from and to (both included)."""

    who: str | None = None
    what: str | None = None
    since: date | None = None
    until: date | None = None
    below: int | None = None


def find(conn: Connection, wanted: Wanted, zone: tzinfo) -> tuple[list[Change], bool]:
    """One page of the log, newest first, and whether there are older ones."""
    rows = audit.find(
        conn,
        who=wanted.who,
        what=wanted.what,
        since=_midnight(wanted.since, zone),
        until=_midnight(wanted.until + timedelta(days=1), zone) if wanted.until else None,
        below=wanted.below,
        limit=ON_A_PAGE + 1,
    )
    return [Change(entry, fields(entry.before, entry.after)) for entry in rows[:ON_A_PAGE]], len(rows) > ON_A_PAGE


def fields(before: Any, after: Any) -> tuple[Field, ...]:
    """Field by field what is not the same; a value that is no mapping is one field without a name."""
    if not isinstance(before, dict | None) or not isinstance(after, dict | None):
        return (Field("", _words(before), _words(after)),)
    old, new = before or {}, after or {}
    names = [*old, *(name for name in new if name not in old)]
    return tuple(
        Field(name, _words(old[name]) if name in old else None, _words(new[name]) if name in new else None)
        for name in names
        if name not in old or name not in new or old[name] != new[name]
    )


def _words(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)


def _midnight(day: date | None, zone: tzinfo) -> datetime | None:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC) if day else None
