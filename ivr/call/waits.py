"""What may be said about the wait.

Our own estimate as a rounded range, seldom, and never a second promise.
"""

import math

from ivr.call.facts import Fact
from ivr.call.moment import Moment, Outlook
from ivr.call.plan import OfferRules, Plan
from ivr.call.prompts import Say
from ivr.call.speech import say
from ivr.call.state import CallState
from ivr.call.values import replace

LADDER_MIN = (1, 2, 3, 4, 5, 8, 10, 15, 20, 30, 45, 60, 90, 120)


def expected_s(outlook: Outlook | None, position: int | None, rules: OfferRules) -> float | None:
    """The expected remaining wait in seconds.

    The place times the time between two answers. None without a place or with fewer answers than the rules
    want to stand on.
    """
    if outlook is None or position is None or outlook.answered < rules.answers_needed:
        return None
    pace = outlook.seconds_per_answer
    return position * pace if pace is not None and math.isfinite(pace) and pace >= 0 else None


def remaining_s(state: CallState, plan: Plan, moment: Moment) -> float | None:
    """The expected remaining wait of this caller."""
    return expected_s(moment.outlook.get(state.queue or ""), state.position, plan.offers)


def since_s(state: CallState, moment: Moment, at_ms: int, waited_s: int | None) -> float:
    """Seconds since an instant of this hold, when the caller had waited `waited_s`: by our clock, or by the carrier's
    count where that is more. The count begins anew with each time in the queue."""
    counted = state.waited_s - waited_s if waited_s is not None else 0
    return max((moment.ms - at_ms) / 1000, counted)


def minutes(seconds: float) -> tuple[int, int] | None:
    """A friendly range of minutes, rounded outward; (1, 1) for about one; None for very long."""
    wait = seconds / 60
    if wait <= 1:
        return 1, 1
    low = max((step for step in LADDER_MIN if step <= wait * 0.8), default=LADDER_MIN[0])
    high = next((step for step in LADDER_MIN if step >= wait * 1.2 and step > low), None)
    return None if high is None else (low, high)


def announcement(state: CallState, plan: Plan, moment: Moment) -> tuple[CallState, tuple[Say, ...], tuple[Fact, ...]]:
    """Position and wait, if they are due.

    The first time, then only when the position fell and not too often.
    """
    if state.position is None:
        return state, (), ()
    first = state.announced_s is None or state.said_position is None
    fell = state.said_position is not None and state.position < state.said_position
    rested = state.announced_s is None or state.waited_s - state.announced_s >= plan.offers.announce_every_s
    return told(state, plan, moment) if first or (fell and rested) else (state, (), ())


def told(state: CallState, plan: Plan, moment: Moment) -> tuple[CallState, tuple[Say, ...], tuple[Fact, ...]]:
    """Position and, where a number may be given, the wait; nothing where the position is not known."""
    if state.position is None:
        return state, (), ()
    place = say(state, plan, "next_in_line" if state.position <= 1 else "position", position=state.position)
    span = _new_promise(state, plan, moment)
    state = replace(state, said_position=state.position, announced_s=state.waited_s)
    data = {
        "position": state.position,
        "low_min": span[0] if span else None,
        "high_min": span[1] if span else None,
    }
    if span is None:
        return state, (place,), (Fact("announced", data),)
    if span[1] == 1:
        wait = say(state, plan, "wait_one_minute")
    else:
        wait = say(state, plan, "wait_range", low=span[0], high=span[1])
    state = replace(state, quoted_until_s=state.waited_s + 60 * span[1])
    return state, (place, wait), (Fact("announced", data),)


def apology(state: CallState, plan: Plan) -> tuple[CallState, tuple[Say, ...]]:
    """Once, when the quoted wait has passed."""
    late = state.quoted_until_s is not None and state.waited_s > state.quoted_until_s
    if state.apologised or not late:
        return state, ()
    return replace(state, apologised=True), (say(state, plan, "wait_passed"),)


def _new_promise(state: CallState, plan: Plan, moment: Moment) -> tuple[int, int] | None:
    """The range to quote now.

    None when it is not known, after an apology, and when it would end later than what was quoted before:
    the wait is told only when it fell.
    """
    expected = remaining_s(state, plan, moment)
    if expected is None or state.apologised:
        return None
    span = minutes(expected)
    until = state.quoted_until_s
    return span if span and (until is None or state.waited_s + 60 * span[1] <= until) else None
