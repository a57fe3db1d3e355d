"""The days on which nobody answers: a calendar over all opening hours of a draft."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from psycopg import Connection

from ivr.console import menus
from ivr.console.actors import Actor
from ivr.console.errors import Sentence, Wrong, sentence
from ivr.console.menus import Saved
from ivr.planfile import editing
from ivr.planfile.document import values_of
from ivr.wiring import Wiring

MOST_DAYS = 400


@dataclass(frozen=True, slots=True)
class Day:
    """A line: as it is written, as a date (None: it is none), and the hours that are closed then."""

    written: str
    at: date | None
    closed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Calendar:
    """All holidays, the earliest first. `hours`: the names of the opening hours."""

    hours: tuple[str, ...]
    days: tuple[Day, ...]


def calendar(text: str) -> Calendar:
    """What a menu file says. Raises Unreadable."""
    data = values_of(text)
    block = data.get("hours")
    names = tuple(block) if isinstance(block, dict) else ()
    closed: dict[str, set[str]] = {}
    for name in names:
        for day in editing.hours_fields(data, name).holidays:
            closed.setdefault(day, set()).add(name)
    return Calendar(names, tuple(Day(day, _date(day), frozenset(on)) for day, on in sorted(closed.items())))


def _date(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def change(
    conn: Connection, wiring: Wiring, by: Actor, draft_id: int, revision: int, closed: Mapping[str, frozenset[str]]
) -> Saved:
    """Have the opening hours of a draft closed on these days (day -> names of hours) and on no others.

    Raises Missing, Wrong, SetAside as `menus.edit`.
    """
    problems: dict[str, Sentence | str] = {}
    if any(_date(day) is None for day, names in closed.items() if names):
        problems["day"] = sentence("A day, such as 2026-12-25.")
    if len(closed) > MOST_DAYS:
        problems["day"] = sentence("At most %(most)s days.", most=MOST_DAYS)
    if problems:
        raise Wrong(problems)

    def put(text: str) -> str:
        found = calendar(text)
        for name in found.hours:
            before = [day.written for day in found.days if name in day.closed]
            after = sorted(day for day, names in closed.items() if name in names)
            if after != before:
                text = editing.set_holidays(text, name, after)
        return text

    return menus.edit(conn, wiring, by, draft_id, revision, put)
