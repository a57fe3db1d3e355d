"""A turn of the wait loop: at most one thing is said, the most important first, then music."""

from ivr.call import hold_keys, incidents, keying, offer_words, texting, waits
from ivr.call.effects import Step
from ivr.call.events import Waited
from ivr.call.facts import Fact
from ivr.call.holding import OFFERING, document, settle, waited_by_now_s
from ivr.call.moment import Moment
from ivr.call.offers import consider, is_withdrawn, reminder_due, text_refusal, withdraw
from ivr.call.plan import Plan
from ivr.call.prompts import LeaveQueue
from ivr.call.queueing import queue_of
from ivr.call.state import CallState
from ivr.call.values import replace


def turn(state: CallState, event: Waited, plan: Plan, moment: Moment) -> Step:
    """The wait loop came round: what was served before has been played to its end."""
    waited_s = waited_by_now_s(state, moment) if event.waited_s is None else event.waited_s
    state = keying.stop(replace(state, waited_s=waited_s, position=event.position or state.position))
    state, facts = settle(state, moment, finished=True)
    state, silence = _silence(state)
    facts = (*facts, *silence)
    if state.waited_s >= queue_of(state, plan).max_hold_s or state.queue in moment.closed_queues:
        return Step(replace(state, served=None), (LeaveQueue(),), facts)
    step = _incident(state, plan, moment) or _news(state, event, plan, moment) or _offer(state, plan, moment)
    return replace(step, facts=(*facts, *step.facts))


def _silence(state: CallState) -> tuple[CallState, tuple[Fact, ...]]:
    """An offer that was played and left without an answer."""
    offer = state.offer
    if offer is None or not offer.played or offer.silent or not offer.open:
        return state, ()
    if state.served is None or state.served.what not in OFFERING:
        return state, ()  # something was pressed meanwhile, if only for the position
    return state.with_offer(silent=True), (Fact("no_input", {"article": offer.card.id}),)


def _incident(state: CallState, plan: Plan, moment: Moment) -> Step | None:
    """An incident's message, and whether its news should come by text, where either is due."""
    state, message, told = incidents.tell(state, moment)
    state, question = incidents.question(state, plan, moment)
    if not message and not question:
        return None
    return Step(*document(state, plan, moment, (*message, *question), incidents.WHAT), told)


def _news(state: CallState, event: Waited, plan: Plan, moment: Moment) -> Step | None:
    back = texting.given_back(state, event.texts)
    if back is not state:
        return _other_number(back, plan, moment, "number_unusable" if back.keyed_tries else "type_number")
    state, says = texting.news(state, plan, moment, event.texts)
    if not says:
        state, says = waits.apology(state, plan)
    if not says:
        return None
    return Step(*document(state, plan, moment, says))


def _other_number(state: CallState, plan: Plan, moment: Moment, words: str) -> Step:
    """The carrier refused the number the text was for: another one may be typed, while tries are left."""
    reason = text_refusal(state, plan)
    if reason is None:
        return hold_keys.keyed_step(keying.begin(state, plan, words), plan, moment)
    state, refused = texting.refuse(state, reason)
    return Step(*document(state, plan, moment, (texting.sorry(state, plan, reason),)), refused)


def _offer(state: CallState, plan: Plan, moment: Moment) -> Step:
    state, facts, made = consider(state, plan, moment)
    offer = state.offer
    if made and offer is not None:
        return Step(*document(state, plan, moment, (offer_words.offering(state, plan, offer),), "offer"), facts)
    if offer is not None and reminder_due(state, plan, moment) and is_withdrawn(offer, moment):
        state, gone = withdraw(state)
        facts = (*facts, *gone)
    elif offer is not None and reminder_due(state, plan, moment):
        state = state.with_offer(reminded=True)
        says = (offer_words.reminding(state, plan, offer),)
        return Step(*document(state, plan, moment, says, "reminder"), facts)
    state, told, announced = waits.announcement(state, plan, moment)
    return Step(*document(state, plan, moment, told), (*facts, *announced))
