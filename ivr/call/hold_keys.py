"""A key during the hold.

Keys are live from the offer on until it is declined; nothing said here loses the place.
"""

from ivr.call import keying, offer_words, texting, waits
from ivr.call.effects import Step
from ivr.call.events import HoldKey
from ivr.call.facts import Fact
from ivr.call.holding import document, offered, settle, waited_by_now_s
from ivr.call.moment import Moment
from ivr.call.offers import text_refusal
from ivr.call.plan import Plan
from ivr.call.prompts import Say
from ivr.call.speech import milliseconds, say
from ivr.call.state import CallerKind, CallState, Keying, Offer, Served, Stage
from ivr.call.values import replace


def turn(state: CallState, event: HoldKey, plan: Plan, moment: Moment) -> Step:
    """What a key does now."""
    state = replace(state, waited_s=waited_by_now_s(state, moment))
    if state.keying is not Keying.NO:
        return _keyed(keying.answer(state, event.keys, plan, moment), plan, moment)
    key = event.keys.strip()[:1]
    offer = state.offer
    early = offer is not None and _typed_ahead(state, offer, plan, moment)
    state, facts = settle(state, moment)
    if key == "*":
        step = _repeat(state, plan, moment)
    elif key == "0":
        step = _position(state, plan, moment)
    elif offer is None or offer.declined or key not in ("1", "2", "3"):
        step = _nothing(state, plan, moment)
    elif early:
        step = _ask_again(state, plan, moment)
    else:
        step = {"1": _yes, "2": _hear, "3": _no}[key](state, plan, moment)
    return replace(step, facts=(*facts, *step.facts))


def hear(state: CallState, plan: Plan, offer: Offer) -> tuple[Say, ...]:
    """The short version, and the keys left after it."""
    assert offer.card.short is not None
    more = offer.text and offer.texted_ms is None and text_refusal(state, plan) is None
    if state.stage is Stage.CLOSED and not more:  # nobody to stay on the line for
        return (Say(offer.card.short, offer.card.language),)
    return Say(offer.card.short, offer.card.language), say(state, plan, "short_after_text" if more else "short_after")


def _typed_ahead(state: CallState, offer: Offer, plan: Plan, moment: Moment) -> bool:
    served = state.served
    if served is None or served.what not in ("offer", "reminder") or offer.re_asked:
        return False
    return moment.ms - served.at_ms < plan.offers.typed_ahead_ms


def _ask_again(state: CallState, plan: Plan, moment: Moment, *before: Say) -> Step:
    """The offer once more: a key came too early to be an answer, or another key broke it off."""
    state = state.with_offer(re_asked=True)
    says = (*before, offer_words.offering(state, plan, state.offers[-1]))
    return Step(*document(state, plan, moment, says, "offer"))


def _broken_off(state: CallState) -> bool:
    """Whether a key that is no answer broke off an offer that was not yet played to its end."""
    offer, served = state.offer, state.served
    return bool(offer and not offer.played and not offer.re_asked and served and served.what == "offer")


def _nothing(state: CallState, plan: Plan, moment: Moment) -> Step:
    return _ask_again(state, plan, moment) if _broken_off(state) else Step(*document(state, plan, moment))


def _repeat(state: CallState, plan: Plan, moment: Moment) -> Step:
    """The last words once more."""
    served = state.served
    what = served.what if served and served.speech_ms else "other"
    if what in ("offer", "reminder"):
        state = state.with_offer(re_asked=True)
    end = 1 if what == "short" else None
    return Step(*document(state, plan, moment, state.last_said, what, end))


def _position(state: CallState, plan: Plan, moment: Moment) -> Step:
    state, says, facts = waits.told(state, plan, moment)
    says = says or (say(state, plan, "still_holding"),)
    if _broken_off(state):
        return replace(_ask_again(state, plan, moment, *says), facts=facts)
    return Step(*document(state, plan, moment, says), facts)


def _no(state: CallState, plan: Plan, moment: Moment) -> Step:
    if state.offers[-1].accepted_ms is not None:
        return _nothing(state, plan, moment)
    state, facts = offered(state)
    state = state.with_offer(declined=True)
    facts = (*facts, Fact("declined", {"article": state.offers[-1].card.id, "key": "3"}))
    return Step(*document(state, plan, moment, (say(state, plan, "declined"),)), facts)


def _hear(state: CallState, plan: Plan, moment: Moment) -> Step:
    if state.offers[-1].card.short is None:
        return _nothing(state, plan, moment)
    state, facts = offered(state)
    return Step(*document(state, plan, moment, hear(state, plan, state.offers[-1]), "short", 1), facts)


def _yes(state: CallState, plan: Plan, moment: Moment) -> Step:
    offer = state.offers[-1]
    if offer.texted_ms is not None:
        return Step(*document(state, plan, moment, (say(state, plan, "already_sent"),)))
    reason = text_refusal(state, plan)
    if reason is not None or not offer.text:
        state, answered = offered(state)
        state, refused = texting.refuse(state, reason or "cap")
        facts = (*answered, *refused)
        return Step(*document(state, plan, moment, (texting.sorry(state, plan, reason or "cap"),)), facts)
    state, facts = texting.accept(state, plan, moment)
    if state.caller.kind is not CallerKind.MOBILE:
        return replace(_keyed(keying.begin(state, plan), plan, moment), facts=facts)
    if moment.text_refusal is not None:
        state, refused = texting.refuse(state, moment.text_refusal)
        says = (texting.sorry(state, plan, moment.text_refusal),)
        return Step(*document(state, plan, moment, says), (*facts, *refused))
    state, text = texting.queue_text(state, plan, moment)
    return Step(*document(state, plan, moment, (say(state, plan, "sending"),)), facts, text)


def _keyed(keyed: keying.Keyed, plan: Plan, moment: Moment) -> Step:
    if keyed.state.keying is not Keying.NO:
        served = Served("other", moment.ms, milliseconds(keyed.says))
        return Step(replace(keyed.state, served=served), (keying.question(keyed, "hold-key"),), keyed.facts)
    if keyed.left:
        return replace(_position(keyed.state, plan, moment), facts=keyed.facts)
    return Step(*document(keyed.state, plan, moment, keyed.says), keyed.facts, keyed.text)
