"""When a month may be closed."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

from ivr.ledger.books import next_month

STALE = timedelta(hours=48)  # a feed of contacts older than this has not told everything


TERMINAL = "cli:"  # how whoever is known by a login only begins


class Wish(NamedTuple):
    """Somebody wants a month closed. Who is staff:ID, or cli:LOGIN for a login that is nobody's of the staff."""

    month: date
    who: str
    reason: str


class State(NamedTuple):
    """What the books look like. `ends_at`: the first instant after the month, in the site's `zone`; `months`: those
    with entries; `feeds`: channel -> its last import; `card_by`: who published the rate card that stands; `hours_by`:
    who entered the month's hours on articles."""

    now: datetime
    ends_at: datetime
    window: timedelta
    months: Sequence[date]
    last_closed: date | None
    feeds: Mapping[str, datetime]
    card_by: str | None
    hours_by: str | None = None
    zone: tzinfo = UTC


def objections(wish: Wish, state: State) -> list[str]:
    """Why a month cannot be closed now, a sentence each; none: it can."""
    found = []
    if state.last_closed is not None and wish.month <= state.last_closed:
        return [f"{wish.month:%Y-%m} is closed, and no month is opened again."]
    first = next_month(state.last_closed) if state.last_closed else min(state.months, default=wish.month)
    if wish.month > first:
        found.append(f"{first:%Y-%m} has to be closed before.")
    if wish.month < first:  # a slip of the pen would have to be followed by every month since
        found.append(f"The books begin with {first:%Y-%m}: nothing is to be closed before.")
    due = state.ends_at + state.window
    if state.now < due:
        when = due.astimezone(state.zone).isoformat(timespec="minutes")
        found.append(f"Callers of its last day may still come back: it can be closed from {when} on.")
    for channel, at in sorted(state.feeds.items()):
        if state.now - at > STALE:
            hours = int((state.now - at).total_seconds() // 3600)
            found.append(f"The contacts of '{channel}' were last imported {hours} hours ago; 48 are the most.")
    if state.card_by == wish.who:
        found.append("Who published the rate card does not close the month: somebody else has to.")
    if state.hours_by == wish.who:
        found.append("Who entered the month's hours on articles does not close it: somebody else has to.")
    for other in dict.fromkeys((state.card_by, state.hours_by)):
        if other is not None and other.startswith(TERMINAL) != wish.who.startswith(TERMINAL):
            found.append(
                f"Nobody can tell that {wish.who} is not {other}, who published the rate card or entered hours: close"
                " it at the console or with --by E-MAIL of one of the staff, and let those who enter figures do so too."
            )
    if not wish.reason.strip():
        found.append("A reason is needed.")
    return found
