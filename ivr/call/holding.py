"""The hold document: words, then music, with every key live; and what the last words have become by now."""

from ivr.call.facts import Fact
from ivr.call.moment import Moment
from ivr.call.offer_words import wording
from ivr.call.offers import MOST_OFFERS, answered_ms
from ivr.call.plan import Plan
from ivr.call.prompts import Ask, Music, Prompt, Say
from ivr.call.speech import milliseconds
from ivr.call.state import CallState, Served
from ivr.call.values import replace

#: the lengths of hold music there are: fine enough to come back when something is due
MUSIC_SECONDS = (4, 6, 8, 10, 12, 14, 16, 18, 20, 25, 30)
QUESTION_S = 1  # the question's own time-out after the music


def document(
    state: CallState,
    plan: Plan,
    moment: Moment,
    says: tuple[Say, ...] = (),
    what: str = "other",
    end: int | None = None,
) -> tuple[CallState, tuple[Prompt, ...]]:
    """Words and music in one question.

    `what` they are; `end`: how many of the words belong to it (None: all).
    """
    served = Served(what, moment.ms, milliseconds(says if end is None else says[:end]))
    music = Music(_music_s(state, plan, moment, milliseconds(says) / 1000))
    state = replace(state, served=served, last_said=says or state.last_said)
    ask = Ask((*says, music), "hold-key", state.language, timeout_s=QUESTION_S, hear_silence=False)
    return state, (ask,)


def settle(state: CallState, moment: Moment, *, finished: bool = False) -> tuple[CallState, tuple[Fact, ...]]:
    """What the words last served have become.

    An offer played to its end, a short version heard. `finished` says that the carrier played them out;
    else the time since then decides.
    """
    served, offer = state.served, state.offer
    if served is None or offer is None or not (finished or moment.ms - served.at_ms >= served.speech_ms):
        return state, ()
    if served.what in ("offer", "reminder"):
        return offered(state)
    if served.what == "short" and not offer.heard:
        fact = Fact("heard", {"article": offer.card.id})
        return state.with_offer(heard_ms=served.at_ms + served.speech_ms), (fact,)
    return state, ()


def offered(state: CallState) -> tuple[CallState, tuple[Fact, ...]]:
    """The current offer counts as made: played to the end of its choice line, or answered. Once."""
    offer = state.offer
    if offer is None or offer.played:
        return state, ()
    data = {"article": offer.card.id, "wording": wording(offer), "n": len(state.offers)}
    return state.with_offer(played=True), (Fact("offered", data),)


def part(state: CallState, moment: Moment) -> tuple[CallState, tuple[Fact, ...]]:
    """The end of all offers: settles what was last said; an offer that was never played out is cut."""
    state, facts = settle(state, moment)
    offer = state.offer
    if offer is not None and not (offer.played or offer.cut):
        facts = (*facts, Fact("offer_cut", {"article": offer.card.id, "wording": wording(offer)}))
        state = state.with_offer(cut=True)
    return state, facts


def waited_by_now_s(state: CallState, moment: Moment) -> int:
    """Seconds in the queue, counted on from the last turn of the wait loop."""
    since = moment.ms - state.served.at_ms if state.served else 0
    return state.waited_s + max(0, since // 1000)


def _music_s(state: CallState, plan: Plan, moment: Moment, speech_s: float) -> int:
    """Enough music to come back when something is due, no more."""
    due = _due_in_s(state, plan, moment)
    wanted = (due - speech_s - QUESTION_S for due in due if due > 0)
    least = min(wanted, default=MUSIC_SECONDS[-1])
    return next((clip for clip in MUSIC_SECONDS if clip >= least), MUSIC_SECONDS[-1])


def _due_in_s(state: CallState, plan: Plan, moment: Moment) -> list[float]:
    """Seconds until each thing that this hold may still bring."""
    rules, offer = plan.offers, state.offer
    waited = state.waited_s
    due: list[float] = [limit + 1 - waited for limit in (rules.first_after_s, rules.unknown_wait_after_s) if not offer]
    queue = plan.queues.get(state.queue or "")
    if queue is not None:
        due.append(queue.max_hold_s - waited)
    if offer is None:
        return due
    if offer.texted_ms is not None and not offer.news_told:
        due.append(4 if moment.ms - offer.texted_ms < 15_000 else 8)
    if offer.open and not any(one.reminded for one in state.offers):
        due.append((offer.first_ms - moment.ms) / 1000 + rules.reminder_after_s + 1)
    since = answered_ms(offer)
    if since is not None and len(state.offers) < MOST_OFFERS and not offer.declined:
        due.append((since - moment.ms) / 1000 + rules.further_after_s + 1)
    return due
