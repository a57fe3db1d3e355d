"""A key during the hold, or a word where the plan listens.

Keys are live from the offer on until it is declined; nothing said here loses the place.
"""

from ivr.call import incidents, keying, offer_words, texting, told_late, waits
from ivr.call.effects import Step
from ivr.call.events import HoldKey
from ivr.call.facts import Fact
from ivr.call.holding import OFFERING, document, offered, settle, waited_by_now_s
from ivr.call.moment import Moment
from ivr.call.offers import is_withdrawn, text_refusal, withdraw
from ivr.call.plan import Plan
from ivr.call.prompts import Say
from ivr.call.speech import milliseconds, say
from ivr.call.state import CallerKind, CallState, Keying, Offer, Served, Stage
from ivr.call.understand import answers_offer
from ivr.call.values import replace

SURE = 0.5  # the recogniser's confidence from which a yes is one
HEARD_AFTER_MS = 2000  # words are told that much later than a key: so long is the silence that ends them


def turn(state: CallState, event: HoldKey, plan: Plan, moment: Moment) -> Step:
    """What a key does now."""
    state = texting.given_back(replace(state, waited_s=waited_by_now_s(state, moment)), event.texts)
    if state.keying is not Keying.NO:
        return keyed_step(keying.answer(state, event.keys, plan, moment), plan, moment)
    pressed = event.keys.strip()[:1]
    key, by = (pressed, "key") if pressed else (_meant(state, event), "speech")
    offer = state.offer
    early = offer is not None and _typed_ahead(state, offer, plan, moment, 0 if pressed else HEARD_AFTER_MS)
    state, facts = settle(state, moment)
    if key == "*":
        step = _repeat(state, plan, moment)
    elif key == "0":
        step = _position(state, plan, moment)
    elif pressed == "1" and state.news_of is not None:
        step = _incident(state, plan, moment)
    elif offer is None or offer.declined or key not in ("1", "2", "3"):
        step = _nothing(state, plan, moment)
    elif early:
        step = _ask_again(state, plan, moment)
    elif key == "2":
        step = _hear(state, plan, moment)
    else:
        step = (_yes if key == "1" else _no)(state, plan, moment, by)
    return replace(step, facts=(*facts, *step.facts))


def overtaken(state: CallState, event: HoldKey, plan: Plan, moment: Moment) -> Step:
    """A key that is told after the call went on or was over."""

    def accepted(asked: CallState) -> Step:
        step = turn(replace(asked, stage=Stage.HOLD, keying=Keying.NO), event, plan, moment)
        then, facts = step.state, step.facts
        if then.keying is not Keying.NO:  # nobody heard the question for a number
            then, refused = texting.refuse(then, "no_number")
            facts = (*facts, *refused)
        then = replace(
            then, stage=state.stage, keying=state.keying, keyed=state.keyed, waited_s=state.waited_s,
            last_said=state.last_said,
        )  # fmt: skip
        return Step(then, (), facts, text=step.text)

    return told_late.yes(state, event.keys, plan, moment, accepted, early_ms=plan.offers.typed_ahead_ms)


def hear(state: CallState, plan: Plan, offer: Offer) -> tuple[Say, ...]:
    """The short version, and the keys left after it."""
    assert offer.card.short is not None
    more = offer.text and offer.texted_ms is None and text_refusal(state, plan) is None
    if state.stage is Stage.CLOSED and not more:  # nobody to stay on the line for
        return (Say(offer.card.short, offer.card.language),)
    return Say(offer.card.short, offer.card.language), say(state, plan, "short_after_text" if more else "short_after")


def _meant(state: CallState, event: HoldKey) -> str:
    """The key that words mean, "" for words that mean none. A yes heard badly is no consent."""
    offer = state.offer
    if offer is None or not event.words:
        return ""
    key = answers_offer(event.words, text=offer.text)
    unsure = event.confidence is not None and 0 < event.confidence < SURE  # 0: the recogniser did not say
    return "" if unsure and key in ("1", "2") else key


def _typed_ahead(state: CallState, offer: Offer, plan: Plan, moment: Moment, heard_after_ms: int) -> bool:
    served = state.served
    if served is None or served.what not in OFFERING or offer.re_asked:
        return False
    return moment.ms - served.at_ms < plan.offers.typed_ahead_ms + heard_after_ms


def _ask_again(state: CallState, plan: Plan, moment: Moment, *before: Say) -> Step:
    """The offer once more: a key came too early to be an answer, or another key or a noise broke it off."""
    if is_withdrawn(state.offers[-1], moment):
        return _gone(state, plan, moment)
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
    if what in (*OFFERING, "short") and is_withdrawn(state.offers[-1], moment):
        return _gone(state, plan, moment)
    if what in OFFERING:
        state = state.with_offer(re_asked=True)
    end = 1 if what == "short" else None
    return Step(*document(state, plan, moment, state.last_said, what, end))


def _incident(state: CallState, plan: Plan, moment: Moment) -> Step:
    """Key 1 on the question for an incident's news."""
    if incidents.typed_ahead(state, plan, moment):
        again = replace(state, news_re_asked=True)
        return Step(*document(again, plan, moment, (say(again, plan, "incident_news"),), incidents.WHAT))
    news = incidents.accept(state, plan, moment)
    return Step(*document(news.state, plan, moment, news.says), news.facts, news.text)


def _position(state: CallState, plan: Plan, moment: Moment) -> Step:
    state, says, facts = waits.told(state, plan, moment)
    says = says or (say(state, plan, "still_holding"),)
    if _broken_off(state):
        return replace(_ask_again(state, plan, moment, *says), facts=facts)
    return Step(*document(state, plan, moment, says), facts)


def _gone(state: CallState, plan: Plan, moment: Moment) -> Step:
    """The article was withdrawn since it was offered."""
    state, facts = withdraw(state)
    return Step(*document(state, plan, moment, (say(state, plan, "article_gone"),)), facts)


def _no(state: CallState, plan: Plan, moment: Moment, by: str) -> Step:
    if state.offers[-1].accepted_ms is not None:
        return _nothing(state, plan, moment)
    state, facts = offered(state)
    state = state.with_offer(declined=True)
    facts = (*facts, Fact("declined", {"article": state.offers[-1].card.id, "key": "3", "by": by}))
    return Step(*document(state, plan, moment, (say(state, plan, "declined"),)), facts)


def _hear(state: CallState, plan: Plan, moment: Moment) -> Step:
    if state.offers[-1].card.short is None:
        return _nothing(state, plan, moment)
    state, facts = offered(state)
    if is_withdrawn(state.offers[-1], moment):
        step = _gone(state, plan, moment)
        return replace(step, facts=(*facts, *step.facts))
    return Step(*document(state, plan, moment, hear(state, plan, state.offers[-1]), "short", 1), facts)


def _yes(state: CallState, plan: Plan, moment: Moment, by: str) -> Step:
    offer = state.offers[-1]
    if offer.texted_ms is not None:
        return Step(*document(state, plan, moment, (say(state, plan, "already_sent"),)))
    reason = text_refusal(state, plan)
    if reason is not None or not offer.text:
        state, answered = offered(state)
        state, refused = texting.refuse(state, reason or "cap")
        facts = (*answered, *refused)
        return Step(*document(state, plan, moment, (texting.sorry(state, plan, reason or "cap"),)), facts)
    state, facts = texting.accept(state, plan, moment, by)
    refusal = "withdrawn" if is_withdrawn(offer, moment) else moment.text_refusal
    if refusal is not None:
        state, refused = texting.refuse(state, refusal)
        says = (texting.sorry(state, plan, refusal),)
        return Step(*document(state, plan, moment, says), (*facts, *refused))
    if state.caller.kind is not CallerKind.MOBILE:
        return replace(keyed_step(keying.begin(state, plan), plan, moment), facts=facts)
    state, text = texting.queue_text(state, plan, moment)
    return Step(*document(state, plan, moment, (say(state, plan, "sending"),)), facts, text)


def keyed_step(keyed: keying.Keyed, plan: Plan, moment: Moment) -> Step:
    """What a caller who types a number hears next on hold."""
    if keyed.state.keying is not Keying.NO:
        speech_ms = milliseconds(keyed.says)
        served = Served("other", moment.ms, speech_ms, speech_ms + 1000 * keying.CONFIRMING_S)
        return Step(replace(keyed.state, served=served), (keying.question(keyed, "hold-key"),), keyed.facts)
    if keyed.left:
        return replace(_position(keyed.state, plan, moment), facts=keyed.facts)
    return Step(*document(keyed.state, plan, moment, keyed.says), keyed.facts, keyed.text)
