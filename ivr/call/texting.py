"""A clear yes and the one text that follows it; and what the caller is told of the text."""

from ivr.call.effects import QueueText
from ivr.call.events import TextProgress
from ivr.call.facts import Fact
from ivr.call.holding import offered
from ivr.call.moment import Moment
from ivr.call.offer_words import wording
from ivr.call.offers import answered_now
from ivr.call.plan import Plan
from ivr.call.prompts import Say
from ivr.call.queueing import leaf_of
from ivr.call.speech import in_language, say
from ivr.call.state import CallerKind, CallState
from ivr.call.values import replace
from ivr.call.waits import since_s

ARRIVED = "delivered"
NO_LINE = "no_line"
LOST = frozenset({"failed", "send_failed", "undelivered", "expired", "canceled"})


def accept(state: CallState, plan: Plan, moment: Moment, by: str = "key") -> tuple[CallState, tuple[Fact, ...]]:
    """Key 1 on the current offer, or a yes by voice: the fact, once."""
    state, facts = offered(state)
    offer, served = state.offer, state.served
    if offer is None or offer.accepted_ms is not None:
        return state, facts
    asked = served if served and served.what in ("offer", "reminder", "short") else None
    data = {
        "article": offer.card.id,
        "key": "1",
        "by": by,
        "ms": moment.ms - (asked.at_ms if asked else offer.first_ms),
        "after": asked.what if asked else "offer",
        "wording": wording(offer),
        "plan_version": plan.version,
        "language": state.language,
    }
    return state.with_offer(accepted_ms=moment.ms, **answered_now(state)), (*facts, Fact("accepted", data))


def queue_text(state: CallState, plan: Plan, moment: Moment, to: str | None = None) -> tuple[CallState, QueueText]:
    """The text of the current offer, to the calling number or a typed one. The state must have an offer."""
    offer, leaf = state.offers[-1], leaf_of(state, plan)
    discreet = leaf is not None and leaf.discreet
    topic = "" if leaf is None or discreet else in_language(leaf.topic, state.language)
    text = QueueText(offer.card.id, state.language, discreet, leaf.id if leaf else None, topic, state.path, to)
    state = replace(state, texts_asked=state.texts_asked + 1)
    return state.with_offer(texted_ms=moment.ms, texted_waited_s=state.waited_s), text


def refuse(state: CallState, reason: str) -> tuple[CallState, tuple[Fact, ...]]:
    """A text that cannot be had, on record once per reason."""
    mark = f"text:{reason}"
    if mark in state.refused:
        return state, ()
    data = {"reason": reason, "article": state.offer.card.id if state.offer else None}
    return replace(state, refused=(*state.refused, mark)), (Fact("text_refused", data),)


def sorry(state: CallState, plan: Plan, reason: str) -> Say:
    """Why no text comes, in words that are true of this reason."""
    keys = {"repeat": "already_sent", "no_number": "number_given_up", "withdrawn": "article_gone"}
    return say(state, plan, keys.get(reason, "cannot_text"))


def given_back(state: CallState, texts: tuple[TextProgress, ...]) -> CallState:
    """The state after the carrier refused the text because that number takes none: the yes stands, another number may
    be typed. A typed number that was refused counts as a try. The very same state where nothing was refused."""
    offer = state.offer
    if offer is None or offer.texted_ms is None or (offer.card.id, NO_LINE) not in _statuses(texts):
        return state
    tries = state.keyed_tries + (state.caller.kind is not CallerKind.MOBILE)
    caller = replace(state.caller, kind=CallerKind.LANDLINE)
    state = replace(state, caller=caller, keyed_tries=tries, texts_asked=state.texts_asked - 1)
    return state.with_offer(texted_ms=None, news_told=False)


def _statuses(texts: tuple[TextProgress, ...]) -> set[tuple[str, str]]:
    return {(text.article_id, text.status) for text in texts}


def news(
    state: CallState, plan: Plan, moment: Moment, texts: tuple[TextProgress, ...]
) -> tuple[CallState, tuple[Say, ...]]:
    """Told once: it has arrived, or it may not have."""
    offer = state.offer
    if offer is None or offer.texted_ms is None or offer.news_told:
        return state, ()
    status = {text.article_id: text.status for text in texts}.get(offer.card.id)
    if status == ARRIVED:
        return state.with_offer(news_told=True), (say(state, plan, "arrived"),)
    late = since_s(state, moment, offer.texted_ms, offer.texted_waited_s) >= plan.offers.receipt_within_s
    if status not in LOST and not late:
        return state, ()
    key = "not_arrived_hear" if offer.card.short is not None else "not_arrived"
    return state.with_offer(news_told=True), (say(state, plan, key),)
