"""What became of a call in the end: the states of a saving (measurement.md 2.4), from what is known so far."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from ivr.ledger.summary import Caller, Fact, Summary, summarize

WINDOW = timedelta(days=7)  # a repeat contact within it, on any topic, takes a saving back
EXPLICIT_AFTER = timedelta(hours=24)  # "it solved it" stands when nobody came back for so long
SAME_TOPIC = timedelta(days=30)  # a repeat contact on the same topic takes even a confirmed one back
SHORT_S = 10  # who hangs up sooner has hardly held


class Kind(StrEnum):
    """The states of the diagram, and those of calls that never could be a saving."""

    UNDER_WAY = "under_way"  # the call is not over
    NONE = "none"  # nothing to book: no text and nothing heard, or left otherwise than by hanging up in the queue
    ABANDONED = "abandoned"  # hung up in the queue without a text, and no agent
    SHORT_ABANDONED = "short_abandoned"  # the same within SHORT_S
    UNATTRIBUTED = "unattributed"  # texted, hung up, and no visit: an abandon, worth nothing
    ASSISTED = "assisted"  # texted or heard, and an agent all the same: cost only
    EXPIRED = "expired"  # used and hung up, but nobody can tell whether the caller came back
    PROVISIONAL = "provisional"
    CONFIRMED_EXPLICIT = "confirmed_explicit"
    CONFIRMED_INFERRED = "confirmed_inferred"
    REVERSED = "reversed"
    LATE_REVERSAL = "late_reversal"  # was confirmed


class Contact(NamedTuple):
    """Somebody reached out to us again, in any connected channel. `ref` is the call's or the contact's id."""

    at: datetime
    ref: str
    channel: str = "call"
    same_topic: bool = False
    facts: tuple[int, ...] = ()


class Outcome(NamedTuple):
    """`at`: since when it is so; `due_at`: when time alone will change it; `facts`: the ids of the facts it rests on;
    `contact`: what took it back; `was`: of a late reversal, the confirmation it takes back."""

    kind: Kind
    at: datetime
    due_at: datetime | None = None
    facts: tuple[int, ...] = ()
    contact: Contact | None = None
    was: "Outcome | None" = None


def outcome(
    caller: Caller, facts: Iterable[Fact], later: Sequence[Contact], window: timedelta, now: datetime
) -> Outcome:
    """What became of a call, as known at `now`. See `judge`."""
    return judge(summarize(caller, (fact for fact in facts if fact.at <= now)), later, window, now)


def judge(call: Summary, later: Iterable[Contact], window: timedelta, now: datetime) -> Outcome:
    """What became of a call, as known at `now`.

    `later` are the contacts of the same person, in any order; those not after the hang-up, or after `now`, do not
    count. A repeat exactly at the end of the window is outside.
    """
    gone, used = call.hung_up_at, call.used_at
    touched = call.texts > 0 or call.heard_at is not None
    if call.agent_at is not None:
        return _is(call, Kind.ASSISTED if touched else Kind.NONE, call.agent_at)
    if gone is None:
        over = call.ended_at
        return _is(call, Kind.NONE, over) if over else _is(call, Kind.UNDER_WAY, call.started_at)
    if not touched or call.arm != "treat":
        short = call.waited_s is not None and call.waited_s < SHORT_S
        return _is(call, Kind.SHORT_ABANDONED if short else Kind.ABANDONED, gone)
    back = sorted(one for one in later if gone < one.at <= now)
    if used is None or used > now or (back and back[0].at <= used):
        return _is(call, Kind.UNATTRIBUTED, gone)
    if call.caller_key is None:
        return _is(call, Kind.EXPIRED, max(gone, used))
    return _saving(call, max(gone, used), _against(call, back), window, now)


def _against(call: Summary, back: list[Contact]) -> list[Contact]:
    """What speaks against a saving: contacts, "it did not help" and a new question by text, the first one first."""
    own = []
    if call.not_at is not None:
        own.append(Contact(call.not_at, call.call_sid, "said_not", True, _ids(call, "said_not")))
    if call.asked_at is not None:
        own.append(Contact(call.asked_at, call.call_sid, "text", False, _ids(call, "replied")))
    return sorted([*back, *own])


def _saving(call: Summary, since: datetime, against: list[Contact], window: timedelta, now: datetime) -> Outcome:
    """A used article and a hang-up: what `against` and time made of it."""
    gone = call.hung_up_at
    assert gone is not None
    explicit = call.solved_at is not None and call.solved_at < gone + window
    confirmed_at = gone + window
    if explicit:
        assert call.solved_at is not None
        confirmed_at = min(max(call.solved_at, gone) + EXPLICIT_AFTER, confirmed_at)
    against = [one for one in against if one.at <= now]
    early = next((one for one in against if one.at < confirmed_at), None)
    if early is not None:
        return _is(call, Kind.REVERSED, max(since, early.at), contact=early)
    if now < confirmed_at:
        return _is(call, Kind.PROVISIONAL, since, due_at=confirmed_at)
    kind = Kind.CONFIRMED_EXPLICIT if explicit else Kind.CONFIRMED_INFERRED
    confirmed = _is(call, kind, max(since, confirmed_at))
    for one in against:
        if one.at < gone + window or (one.same_topic and one.at < gone + SAME_TOPIC):
            return _is(call, Kind.LATE_REVERSAL, one.at, contact=one)._replace(was=confirmed)
    return confirmed


#: what an outcome of a used text rests on
RESTS_ON = ("assigned", "accepted", "delivered", "clicked", "steps_sent", "heard", "hung_up_in_queue")


def _is(
    call: Summary, kind: Kind, at: datetime, *, due_at: datetime | None = None, contact: Contact | None = None
) -> Outcome:
    names: tuple[str, ...] = RESTS_ON
    if kind in (Kind.CONFIRMED_EXPLICIT, Kind.LATE_REVERSAL, Kind.REVERSED):
        names = (*names, "said_solved")
    if call.agent_at is not None:
        names = ("assigned", "accepted", "agent_connected")
    ids = _ids(call, *names, *(("call_ended",) if kind is Kind.NONE else ()))
    return Outcome(kind, at, due_at, tuple(dict.fromkeys((*ids, *(contact.facts if contact else ())))), contact)


def _ids(call: Summary, *names: str) -> tuple[int, ...]:
    return tuple(call.evidence[name] for name in names if name in call.evidence)
