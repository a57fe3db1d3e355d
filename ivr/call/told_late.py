"""Keys that are told after the call went on or was over, as another machine kept them while it had no database.

A yes to the offer of that time is a yes; anything else changes nothing.
"""

from collections.abc import Callable

from ivr.call import texting
from ivr.call.effects import Step
from ivr.call.moment import Moment
from ivr.call.plan import Plan
from ivr.call.state import CallerKind, CallState, Keying
from ivr.call.values import replace


def yes(
    state: CallState, keys: str, plan: Plan, moment: Moment, accepted: Callable[[CallState], Step], *, early_ms: int = 0
) -> Step:
    """What keys pressed at `moment` still bring: the step of `accepted`, which takes the last offer of a state for the
    one that was answered; nothing where the offer was not `early_ms` old."""
    keys = keys.strip()
    place = _asked_then(state, moment)
    if place is None or state.news_of is not None:
        return Step(state)  # while news are asked for, nobody knows which question it answers
    offer = state.offers[place]
    asked = replace(state, offers=(*state.offers[:place], *state.offers[place + 1 :], offer), served=None)
    early = not offer.re_asked and moment.ms - offer.first_ms < early_ms
    if offer.accepted_ms is not None:
        step = _no_number(asked, keys)
    elif keys != "1" or early or offer.declined or offer.withdrawn:
        return Step(state)
    else:
        step = accepted(asked)
    *others, answered = step.state.offers
    offers = (*others[:place], answered, *others[place:])
    return replace(step, state=replace(step.state, offers=offers, served=state.served))


def _asked_then(state: CallState, moment: Moment) -> int | None:
    """The offer that was before the caller: what came after the key is not what it answers."""
    return next((n for n, one in reversed(list(enumerate(state.offers))) if one.first_ms <= moment.ms), None)


def _no_number(state: CallState, keys: str) -> Step:
    """A number typed, or confirmed, where the call went on without: it is not kept anywhere, so the yes before it
    brings no text, which is on record."""
    landline = state.caller.kind is not CallerKind.MOBILE
    if keys in ("", "0") or not landline or state.keying is not Keying.NO or state.offers[-1].texted_ms is not None:
        return Step(state)
    state, refused = texting.refuse(state, "no_number")
    return Step(state, (), refused)
