"""JSON of a web API, read without trust: every value may be missing or of another type."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from search.sources.source import Fetch, SourceError

JSON = ("application/json",)


def get_json(fetch: Fetch, url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The JSON object at `url`. Raises `SourceError` when there is none."""
    return as_object(fetch(url, accept=JSON, headers=headers).body, url)


def read_cursor(cursor: str | None) -> dict[str, Any]:
    """What `write_cursor` wrote; nothing where that cannot be read."""
    try:
        value = json.loads(cursor or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def write_cursor(**values: str | None) -> str:
    """Values that are to come back with the next pull."""
    return json.dumps({name: value for name, value in values.items() if value}, sort_keys=True)


def as_object(body: bytes, url: str) -> dict[str, Any]:
    """The JSON object of a body. Raises `SourceError`."""
    shown = url.partition("?")[0]
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise SourceError(f"{shown} answered with JSON that is broken or cut off") from None
    if not isinstance(value, dict):
        raise SourceError(f"{shown} answered with JSON of another shape")
    return value


def objects(value: object) -> list[dict[str, Any]]:
    """The objects of a list; nothing else, and nothing where there is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text(value: object) -> str:
    """A text, or "" where there is none."""
    return value if isinstance(value, str) else ""


def number(value: object) -> int:
    """A whole number, or 0 where there is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def moment(value: object) -> datetime | None:
    """A time in ISO 8601, aware, UTC; None where there is none."""
    try:
        at = datetime.fromisoformat(text(value).upper())  # RFC 3339 lets "t" and "z" be small
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter: in the year 1 or 9999, and in another zone
        return None
