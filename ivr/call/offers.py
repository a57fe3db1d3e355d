"""When an article is offered, which, and why not."""

from ivr.call import arms
from ivr.call.facts import Fact
from ivr.call.moment import Moment
from ivr.call.plan import Plan
from ivr.call.state import CallerKind, CallState, Offer
from ivr.call.values import replace
from ivr.call.waits import remaining_s, since_s
from search.result import ArticleCard

#: why no offer was made: data of the fact `offer_refused`
OFFER_REFUSALS = (
    "stopped",
    "incident",
    "rejoined",
    "no_match",
    "opted_out",
    "cap",
    "no_number",
    "position",
    "wait_short",
    "withdrawn",
)
#: why no text may go: data of the fact `text_refused` (the rim may add its own)
TEXT_REFUSALS = ("opted_out", "cap", "no_number")
MOST_OFFERS = 2
KEYED_TRIES = 2

Outcome = tuple[CallState, tuple[Fact, ...], bool]


def text_refusal(state: CallState, plan: Plan) -> str | None:
    """Why this caller may have no (more) text; None if one may be had, if only to a typed number."""
    caller, rules = state.caller, plan.offers
    if caller.opted_out:
        return "opted_out"
    if state.texts_asked >= rules.texts_per_call:
        return "cap"
    if caller.kind is CallerKind.MOBILE:
        return "cap" if caller.texts_today + state.texts_asked >= rules.texts_per_day else None
    if state.texts_asked >= rules.typed_texts_per_day:
        return "cap"
    return "no_number" if state.keyed_tries >= KEYED_TRIES else None


def consider(state: CallState, plan: Plan, moment: Moment) -> Outcome:
    """(state, facts, whether an offer is to be said now) for a hold turn.

    The new offer is the state's current one.
    """
    if moment.crowded or state.arm == "holdout" or not _due(state, plan, moment):
        return state, (), False
    card = _next_card(state, moment)
    reason = _never(state, plan, moment, card)
    if card is None or reason is not None:
        return _refuse(state, reason or "no_match")
    expected = remaining_s(state, plan, moment)
    if state.position is None or state.position < plan.offers.min_position:
        return _refuse(state, "position")
    if expected is None and state.waited_s < plan.offers.unknown_wait_after_s:
        return state, (), False
    if expected is not None and expected < plan.offers.min_wait_s:
        return _refuse(state, "wait_short")
    return _make(state, plan, moment, card, expected)


def consider_closing(state: CallState, plan: Plan, moment: Moment) -> Outcome:
    """As `consider` where nobody can answer.

    The wait does not matter, and an unanswered offer may be put again.
    """
    last = state.offer
    if state.arm == "holdout" or (last is not None and not last.open):
        return state, (), False
    card = last.card if last else _next_card(state, moment)
    if card is not None and card.id in moment.withdrawn:
        card = None
    reason = _never(state, plan, moment, card)
    if card is None or reason is not None:
        return _refuse(state, reason or "no_match")
    if last is None:
        return _make(state, plan, moment, card, None)
    return state.with_offer(text=text_refusal(state, plan) is None), (), True


def reminder_due(state: CallState, plan: Plan, moment: Moment) -> bool:
    """Whether the one reminder of this call is to be said now. It is an offer: who is nearly through hears none."""
    offer = state.offer
    return (
        offer is not None
        and not moment.crowded
        and offer.open
        and (state.position is None or state.position >= plan.offers.min_position)
        and not any(one.reminded for one in state.offers)
        and since_s(state, moment, offer.first_ms, offer.first_waited_s) >= plan.offers.reminder_after_s
        and hushed(state, plan, moment) is None
    )


def hushed(state: CallState, plan: Plan, moment: Moment) -> str | None:
    """Why nobody in this caller's place is offered an article now: by a switch, or for an incident."""
    if plan.offers.stopped or moment.stopped or state.queue in moment.stopped_queues:
        return "stopped"
    return "incident" if moment.concerning(state.leaf) else None


def is_withdrawn(offer: Offer, moment: Moment) -> bool:
    """Whether the article of an offer that was made was withdrawn since."""
    return offer.withdrawn or offer.card.id in moment.withdrawn


def withdraw(state: CallState) -> tuple[CallState, tuple[Fact, ...]]:
    """The current offer stands no more; on record once."""
    state, facts, _ = _refuse(state.with_offer(withdrawn=True), "withdrawn")
    return state, facts


def answered_ms(offer: Offer) -> int | None:
    """When the offer was first accepted or heard."""
    times = [at for at in (offer.accepted_ms, offer.heard_ms) if at is not None]
    return min(times, default=None)


def answered_now(state: CallState) -> dict[str, int]:
    """What the current offer keeps of an answer at this instant, the first one only."""
    known = state.offers[-1].answered_waited_s
    return {"answered_waited_s": state.waited_s if known is None else known}


def _due(state: CallState, plan: Plan, moment: Moment) -> bool:
    if not state.offers:
        return state.waited_s >= plan.offers.first_after_s
    if len(state.offers) >= MOST_OFFERS or state.offers[-1].declined:
        return False
    last, at_ms = state.offers[-1], answered_ms(state.offers[-1])
    if at_ms is None or _next_card(state, moment) is None:
        return False
    return since_s(state, moment, at_ms, last.answered_waited_s) >= plan.offers.further_after_s


def _next_card(state: CallState, moment: Moment) -> ArticleCard | None:
    out = moment.withdrawn | {one.card.id for one in state.offers}
    return next((card for card in state.candidates if card.id not in out), None)


def _never(state: CallState, plan: Plan, moment: Moment, card: ArticleCard | None) -> str | None:
    """Why this caller gets no offer however long the wait is."""
    if reason := hushed(state, plan, moment):
        return reason
    if state.rejoined:
        return "rejoined"
    if card is None:
        return "no_match"
    return text_refusal(state, plan) if card.short is None else None


def _refuse(state: CallState, reason: str) -> Outcome:
    if reason in state.refused:
        return state, (), False
    return (
        replace(state, refused=(*state.refused, reason)),
        (Fact("offer_refused", {"reason": reason}),),
        False,
    )


def _make(state: CallState, plan: Plan, moment: Moment, card: ArticleCard, expected: float | None) -> Outcome:
    facts: tuple[Fact, ...] = ()
    if state.arm is None:
        wait = {
            "position": state.position,
            "waited_s": state.waited_s,
            "expected_s": expected and round(expected),
        }
        facts = (Fact("eligible", {"article": card.id, **wait}),)
    state, drawn = arms.assign(state, plan.offers)
    facts = (*facts, *drawn)
    if state.arm == "holdout":
        return state, facts, False
    offer = Offer(
        card,
        hear=card.short is not None,
        text=text_refusal(state, plan) is None,
        first_ms=moment.ms,
        first_waited_s=state.waited_s,
    )
    return replace(state, offers=(*state.offers, offer)), facts, True
