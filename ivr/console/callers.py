"""The callers of the last days, as a mapping and a rehearsal go by them: where they went and what they said."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection

from ivr.call.plan import Leaf, Menu, Plan
from ivr.call.understand import tokens
from ivr.jobs.erase_old import KEPT
from ivr.wiring import Wiring
from models import erase, studies
from models.studies import Recorded

End = tuple[tuple[str, ...], Leaf | None]


@dataclass(frozen=True, slots=True)
class Caller:
    """A recorded call with the words said last; `unkept`: something was said, and its words are not there."""

    call: Recorded
    words: str
    unkept: bool


def recorded(conn: Connection, wiring: Wiring, most: int) -> list[Caller]:
    """The latest calls of the time that transcripts are kept, oldest first."""
    with erase.unhurried(conn):
        calls = studies.recorded(conn, wiring.clock() - KEPT, most)
    return [_opened(wiring, call) for call in calls]


def _opened(wiring: Wiring, call: Recorded) -> Caller:
    try:
        words = wiring.numbers.open(call.sealed) if call.sealed else ""
    except ValueError:  # sealed under a key that is gone
        words = ""
    return Caller(call, words, call.described and not words)


def cleaned(words: str) -> str:
    """What callers who say the same have in common."""
    return " ".join(tokens(words))


def end_in(plan: Plan, leaves: Mapping[str, End], call: Recorded) -> End | None:
    """Where a caller who chose the same would end in a plan; None where the choices are not there any more, and the
    leaf neither. `leaves`: those of the plan."""
    try:
        end: Menu | Leaf | None = plan.walk(call.path)
    except KeyError:
        end = None
    if isinstance(end, Leaf):
        return call.path, end
    if call.leaf is not None:
        return leaves.get(call.leaf)
    return (call.path, None) if end is not None else None


def forget_at(said_at: datetime) -> datetime:
    """When words said at a time are to be forgotten."""
    return said_at + KEPT
