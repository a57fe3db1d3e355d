"""An incident: its message, heard once and first, and its news by text for whoever asks."""

from ivr.call.effects import QueueText
from ivr.call.facts import Fact
from ivr.call.moment import Incident, Moment
from ivr.call.offers import text_refusal
from ivr.call.plan import Plan, Words
from ivr.call.prompts import Say
from ivr.call.speech import say
from ivr.call.state import CallerKind, CallState, Stage
from ivr.call.texting import sorry
from ivr.call.values import Value, replace

WHAT = "incident"  # these words, as `Served` names them
_WHERE = {Stage.HOLD: "hold", Stage.CLOSED: "closed"}


class News(Value, frozen=True):
    """What came of key 1 on the question for an incident's news."""

    state: CallState
    says: tuple[Say, ...]
    facts: tuple[Fact, ...] = ()
    text: QueueText | None = None


def tell(state: CallState, moment: Moment) -> tuple[CallState, tuple[Say, ...], tuple[Fact, ...]]:
    """The message of the latest incident that concerns this caller and was not told yet; nothing where there is none.
    Another one waits for the next turn."""
    new = next((one for one in moment.concerning(state.leaf) if one.id not in state.incidents), None)
    if new is None:
        return state, (), ()
    fact = Fact("incident_told", {"incident": new.id, "where": _WHERE.get(state.stage, "leaf")})
    return replace(state, incidents=(*state.incidents, new.id)), (_in(new.message, state),), (fact,)


def question(state: CallState, plan: Plan, moment: Moment) -> tuple[CallState, tuple[Say, ...]]:
    """Whether the news of an incident that was told should come by text: asked once, of who can have a text."""
    if state.caller.kind is not CallerKind.MOBILE or text_refusal(state, plan) is not None:
        return state, ()
    told = (one for one in moment.concerning(state.leaf) if one.id in state.incidents and one.news)
    asks = next((one for one in told if one.id not in state.news_asked), None)
    if asks is None:
        return state, ()
    state = replace(state, news_of=asks.id, news_asked=(*state.news_asked, asks.id), news_re_asked=False)
    return state, (say(state, plan, "incident_news"),)


def typed_ahead(state: CallState, plan: Plan, moment: Moment) -> bool:
    """Whether a key that comes now was pressed before the question could be understood. It is asked again once."""
    served = state.served
    fresh = served is not None and served.what == WHAT and not state.news_re_asked
    return bool(served and fresh and moment.ms - served.at_ms < plan.offers.typed_ahead_ms)


def accept(state: CallState, plan: Plan, moment: Moment) -> News:
    """Key 1: one text, once."""
    incident = next((one for one in moment.concerning(state.leaf) if one.id == state.news_of), None)
    if state.news_of in state.news_texted:
        return News(state, (say(state, plan, "already_sent"),))
    if incident is None:
        return News(replace(state, news_of=None), (say(state, plan, "incident_over"),))
    ms = moment.ms - state.served.at_ms if state.served else None
    data = {"incident": incident.id, "key": "1", "ms": ms, "plan_version": plan.version, "language": state.language}
    asked = Fact("news_asked", data)
    reason = text_refusal(state, plan) or moment.text_refusal
    if reason is not None:
        refused = Fact("text_refused", {"reason": reason, "incident": incident.id})
        return News(replace(state, news_of=None), (sorry(state, plan, reason),), (asked, refused))
    return _texted(state, plan, incident, asked)


def _texted(state: CallState, plan: Plan, incident: Incident, asked: Fact) -> News:
    news = _in(incident.news, state).words
    text = QueueText(f"incident:{incident.id}", state.language, False, state.leaf, "", state.path, None, news)
    state = replace(state, texts_asked=state.texts_asked + 1, news_texted=(*state.news_texted, incident.id))
    return News(state, (say(state, plan, "sending"),), (asked,), text)


def _in(words: Words, state: CallState) -> Say:
    """In the caller's language; in the first one that was written where it was not written in that."""
    language = state.language if state.language in words else next(iter(words))
    return Say(words[language], language)
