"""When nobody can answer: why, the article once by text or aloud, then the overflow number or a goodbye."""

from ivr.call import incidents, keying, offer_words, queueing, texting, told_late
from ivr.call.effects import Step
from ivr.call.events import OverflowEnded, Pressed, Said, Silent
from ivr.call.facts import Fact
from ivr.call.hold_keys import hear
from ivr.call.holding import offered, part, settle
from ivr.call.moment import Moment
from ivr.call.offers import consider_closing, is_withdrawn, text_refusal, withdraw
from ivr.call.plan import Plan
from ivr.call.prompts import Ask, CallNumber, HangUp, Prompt, Say
from ivr.call.queueing import queue_of
from ivr.call.speech import in_language, milliseconds, say
from ivr.call.state import CallerKind, CallState, Keying, Served, Stage
from ivr.call.values import replace

CLOSED_WHY = ("hours", "holiday", "no_agent", "queue_full", "max_hold")


def close(state: CallState, plan: Plan, moment: Moment, why: str) -> Step:
    """Says why nobody answers, and puts the article before the caller once."""
    state = replace(keying.stop(state), stage=Stage.CLOSED, closed_why=why, closed_ms=moment.ms, served=None)
    told = _why(state, plan, why)
    state, message, heard = incidents.tell(state, moment)
    state, question = incidents.question(state, plan, moment)
    closed = (*heard, Fact("closed", {"why": why, "queue": queue_of(state, plan).name}))
    state, facts, made = consider_closing(state, plan, moment)
    if question:
        return _ask(state, moment, (*message, told, *question), incidents.WHAT, (*closed, *facts))
    if not made:
        return _end(state, plan, (*message, told), (*closed, *facts))
    offer = offer_words.closing(state, plan, state.offers[-1])
    state = replace(state, news_of=None)  # key 1 is for the article
    return _ask(state, moment, (told, offer), "offer", (*closed, *facts))


def answer(state: CallState, event: Pressed | Said | Silent, plan: Plan, moment: Moment) -> Step:
    """The answer to the article, then the end. A word is no consent: texts go by key only."""
    if state.keying is not Keying.NO:
        keys = event.keys if isinstance(event, Pressed) else ""
        keyed = keying.answer(state, keys, plan, moment)
        return _person(keyed.state, plan, moment) if keyed.left else _keyed(keyed, plan, moment)
    key = event.keys.strip()[:1] if isinstance(event, Pressed) else ""
    state, facts = settle(state, moment, finished=not key)
    offer, served = state.offer, state.served
    if key == "0":
        step = _person(state, plan, moment)
    elif served is not None and served.what == incidents.WHAT:
        step = _incident(state, key, plan, moment)
    elif offer is None or served is None:
        step = finish(state, plan, moment)
    elif is_withdrawn(offer, moment):
        step = _gone(state, plan, moment)
    elif key == "*":
        step = _ask(state, moment, state.last_said, served.what)
    elif key == "1":
        step = _yes(state, plan, moment)
    elif key == "2" and offer.hear:
        state, answered = offered(state)
        step = _ask(state, moment, hear(state, plan, state.offers[-1]), "short", answered)
    elif key == "3" and offer.accepted_ms is None:
        state, answered = offered(state)
        fact = Fact("declined", {"article": state.offers[-1].card.id, "key": "3", "by": "key"})
        step = finish(state.with_offer(declined=True), plan, moment, facts=(*answered, fact))
    elif key and not offer.re_asked:
        step = _ask(state.with_offer(re_asked=True), moment, state.last_said, served.what)
    else:
        step = _silent(state, plan, moment)
    return replace(step, facts=(*facts, *step.facts))


def overtaken(state: CallState, event: Pressed, plan: Plan, moment: Moment) -> Step:
    """A key that is told after the call went on or was over."""

    def accepted(asked: CallState) -> Step:
        if not asked.offers[-1].text:
            return Step(asked)
        asked, facts = texting.accept(asked, plan, moment)
        reason = moment.text_refusal or text_refusal(asked, plan)
        if reason is None and asked.caller.kind is not CallerKind.MOBILE:
            reason = "no_number"  # nobody is there any more to type one
        if reason is not None:
            asked, refused = texting.refuse(asked, reason)
            return Step(asked, (), (*facts, *refused))
        asked, text = texting.queue_text(asked, plan, moment)
        return Step(asked, (), facts, text=text)

    return told_late.yes(state, event.keys, plan, moment, accepted)


def finish(
    state: CallState, plan: Plan, moment: Moment, says: tuple[Say, ...] = (), facts: tuple[Fact, ...] = ()
) -> Step:
    """The overflow number where the queue has one, else goodbye."""
    state, parted = part(state, moment)
    return _end(replace(state, served=None), plan, says, (*facts, *parted))


def _person(state: CallState, plan: Plan, moment: Moment) -> Step:
    """0: another queue where there is one, else the end."""
    other = queueing.instead_of(queue_of(state, plan), plan, moment)
    if other is None:
        return finish(state, plan, moment)
    state, parted = part(state, moment)
    words = say(state, plan, "joining", queue=in_language(other.spoken, state.language, other.name))
    state, held = queueing.join(replace(state, queue=other.name, last_said=(words,)), plan)
    asked = Fact("agent_asked", {"by": "key"})
    return Step(state, (words, queueing.prompt(state, plan)), (*parted, asked, held))


def overflow_ended(state: CallState, event: OverflowEnded, plan: Plan) -> Step:
    """The call to the overflow number is over."""
    facts = (Fact("overflowed", {"status": event.status}),)
    if event.status in ("completed", "answered"):
        return Step(state, (HangUp(),), facts)
    return Step(state, (say(state, plan, "goodbye"), HangUp()), facts)


def _end(state: CallState, plan: Plan, says: tuple[Say, ...], facts: tuple[Fact, ...]) -> Step:
    number = queue_of(state, plan).overflow_number
    texted = bool(state.news_texted) or any(offer.texted_ms is not None for offer in state.offers)
    if number:
        last: tuple[Prompt, ...] = (say(state, plan, "overflow"), CallNumber(number))
        facts = (*facts, Fact("overflowed", {}))
    else:
        last = (say(state, plan, "goodbye_text" if texted else "goodbye"), HangUp())
    return Step(state, (*says, *last), facts)


def _why(state: CallState, plan: Plan, why: str) -> Say:
    hours = in_language(queue_of(state, plan).hours.spoken, state.language)
    if why in ("hours", "holiday"):
        return say(state, plan, f"closed_{why}", hours=hours)
    return say(state, plan, f"closed_{why}")


def _ask(state: CallState, moment: Moment, says: tuple[Say, ...], what: str, facts: tuple[Fact, ...] = ()) -> Step:
    spoken = says[:1] if what == "short" else says
    state = replace(state, served=Served(what, moment.ms, milliseconds(spoken)), last_said=says)
    return Step(state, (Ask(says, "closed", state.language),), facts)


def _incident(state: CallState, key: str, plan: Plan, moment: Moment) -> Step:
    """The answer to the question for an incident's news, then the end."""
    if key == "*":
        return _ask(state, moment, state.last_said, incidents.WHAT)
    if key != "1":
        return finish(state, plan, moment)
    news = incidents.accept(state, plan, moment)
    says = () if news.text else news.says
    return replace(finish(news.state, plan, moment, says, news.facts), text=news.text)


def _yes(state: CallState, plan: Plan, moment: Moment) -> Step:
    if state.offers[-1].texted_ms is not None:
        return finish(state, plan, moment, (say(state, plan, "already_sent"),))
    reason = text_refusal(state, plan)
    if reason is not None or not state.offers[-1].text:
        state, answered = offered(state)
        state, refused = texting.refuse(state, reason or "cap")
        return finish(state, plan, moment, (texting.sorry(state, plan, reason or "cap"),), (*answered, *refused))
    state, facts = texting.accept(state, plan, moment)
    if state.caller.kind is not CallerKind.MOBILE:
        return replace(_keyed(keying.begin(state, plan), plan, moment), facts=facts)
    if moment.text_refusal is not None:
        state, refused = texting.refuse(state, moment.text_refusal)
        says = (texting.sorry(state, plan, moment.text_refusal),)
        return finish(state, plan, moment, says, (*facts, *refused))
    state, text = texting.queue_text(state, plan, moment)
    return replace(finish(state, plan, moment, facts=facts), text=text)


def _gone(state: CallState, plan: Plan, moment: Moment) -> Step:
    """The article was withdrawn since it was offered."""
    state, answered = offered(state)
    state, gone = withdraw(state)
    return finish(state, plan, moment, (say(state, plan, "article_gone"),), (*answered, *gone))


def _silent(state: CallState, plan: Plan, moment: Moment) -> Step:
    offer = state.offers[-1]
    facts: tuple[Fact, ...] = ()
    if offer.played and offer.open and not offer.silent:
        facts = (Fact("no_input", {"article": offer.card.id}),)
        state = state.with_offer(silent=True)
    return finish(state, plan, moment, facts=facts)


def _keyed(keyed: keying.Keyed, plan: Plan, moment: Moment) -> Step:
    if keyed.state.keying is not Keying.NO:
        served = Served("other", moment.ms, milliseconds(keyed.says))
        state = replace(keyed.state, served=served)
        return Step(state, (keying.question(keyed, "closed"),), keyed.facts)
    says = () if keyed.text else keyed.says
    return replace(finish(keyed.state, plan, moment, says, keyed.facts), text=keyed.text)
