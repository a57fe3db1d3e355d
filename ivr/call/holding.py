"""The hold document: words, then music, with every key live; and what the last words have become by now."""

from ivr.call.events import Event, Waited
from ivr.call.facts import Fact
from ivr.call.moment import Moment
from ivr.call.offer_words import wording
from ivr.call.offers import MOST_OFFERS, answered_ms, answered_now
from ivr.call.plan import SPEECH_AND_KEYS, Plan
from ivr.call.prompts import Ask, Music, Prompt, Say
from ivr.call.speech import milliseconds
from ivr.call.state import CallState, Keying, Served, Stage
from ivr.call.understand import OFFER_HINTS
from ivr.call.values import replace

#: the lengths of hold music there are: fine enough to come back when something is due
MUSIC_SECONDS = (4, 6, 8, 10, 12, 14, 16, 18, 20, 25, 30)
QUESTION_S = 1  # the question's own time-out after the music
LISTEN_S = 4  # the same after an offer that may be answered by voice
SLACK_S = 3  # between the carrier's clock and ours
LATE_S = 15  # the longest the carrier waits for an answer of ours: no request of its comes later than that
OFFERING = ("offer", "reminder")


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
    if what in (*OFFERING, "short"):
        state = replace(state, news_of=None)  # key 1 is for the article again
    speech_ms = milliseconds(says)
    asks = what in OFFERING and plan.offers.listen == SPEECH_AND_KEYS and not state.offers[-1].re_asked
    if asks:  # no music while the recogniser listens: it costs by the second, and the loop comes round with music
        hints = OFFER_HINTS.get(state.language, ())
        ask = Ask(says, "hold-key", state.language, 1, "", True, hints, LISTEN_S, hear_silence=False)
        plays_ms = speech_ms + 1000 * LISTEN_S
    else:
        music = Music(_music_s(state, plan, moment, speech_ms / 1000))
        ask = Ask((*says, music), "hold-key", state.language, timeout_s=QUESTION_S, hear_silence=False)
        plays_ms = speech_ms + 1000 * (music.seconds + QUESTION_S)
    served = Served(what, moment.ms, speech_ms if end is None else milliseconds(says[:end]), plays_ms)
    return replace(state, served=served, last_said=says or state.last_said), (ask,)


def puts_before(before: CallState, after: CallState) -> frozenset[str]:
    """The articles that a turn puts before the caller: offered, spoken again, or about to be texted to a number that
    is typed first."""
    shown = {offer.card.id for offer in after.offers[len(before.offers) :]}
    offer, served = after.offer, after.served
    speaks = served is not None and served != before.served and served.what in (*OFFERING, "short")
    types = after.keying is not Keying.NO and before.keying is Keying.NO
    return frozenset(shown | {offer.card.id} if offer is not None and (speaks or types) else shown)


def is_stale(state: CallState, event: Event, moment: Moment) -> bool:
    """Whether a turn of the wait loop tells an older instant than we know of, or the very same, while the words after
    that one still play: an old request sent again, under whatever token. Who joined anew meanwhile begins at 0 as well,
    but asks when nothing plays. Old is also one just after the queue let go of the caller, with more seconds than could
    have passed in it since; later on the carrier, who has the caller in the queue, is right."""
    served = state.served
    if not isinstance(event, Waited) or event.waited_s is None:
        return False
    if state.stage is Stage.CLOSED and state.left is not None and state.closed_ms is not None:
        since_s = (moment.ms - state.closed_ms) / 1000
        return since_s < LATE_S and event.waited_s > since_s + SLACK_S
    if state.stage is not Stage.HOLD or served is None:
        return False
    plays = moment.ms - served.at_ms < served.plays_ms
    again = event.waited_s <= state.waited_s
    return plays and (again or event.waited_s + SLACK_S < waited_by_now_s(state, moment))


def settle(state: CallState, moment: Moment, *, finished: bool = False) -> tuple[CallState, tuple[Fact, ...]]:
    """What the words last served have become.

    An offer played to its end, a short version heard. `finished` says that the carrier played them out;
    else the time since then decides.
    """
    served, offer = state.served, state.offer
    if served is None or offer is None or not (finished or moment.ms - served.at_ms >= served.speech_ms):
        return state, ()
    if served.what in OFFERING:
        return offered(state)
    if served.what == "short" and not offer.heard:
        fact = Fact("heard", {"article": offer.card.id})
        return state.with_offer(heard_ms=served.at_ms + served.speech_ms, **answered_now(state)), (fact,)
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
