"""Whatever comes, in whatever order: a valid step, a state that survives JSON, and the promises kept."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.call.events import (
    AgentAnswered,
    CallEnded,
    CallStarted,
    Event,
    Found,
    HoldKey,
    LeftQueue,
    OverflowEnded,
    Pressed,
    Said,
    Silent,
    TextProgress,
    Waited,
)
from ivr.call.facts import FACTS
from ivr.call.flow import QUEUE_RESULTS
from ivr.call.moment import Incident, NumberCheck
from ivr.call.state import Caller, CallerKind, Returning, Stage
from ivr.call.understand import answers_offer
from ivr.call.values import replace
from search.result import ArticleCard
from tests.ivr.call.play import BUSY, CABLE, NOON, ROUTER, SILENT_CARD, SPANISH, Play, make_caller, make_plan

KEYS = st.one_of(st.sampled_from("0123456789*#"), st.text("0123456789*#", max_size=12))
SECONDS = st.one_of(st.none(), st.integers(0, 10_000))
WORDS = st.one_of(
    st.sampled_from(
        ["internet", "agent", "three", "repeat", "spanish", "my bill and my phone", "it is all broken now"]
    ),
    st.text(max_size=40),
)
STATUS = st.sampled_from(["queued", "sent", "delivered", "failed", "unknown", "expired", "new-word"])
TEXTS = st.lists(st.builds(TextProgress, st.sampled_from(["router-1", "cable-2", "x"]), STATUS), max_size=2).map(tuple)
CARDS = st.lists(st.sampled_from([ROUTER, CABLE, SILENT_CARD, SPANISH]), max_size=4).map(tuple)
LATE = st.integers(0, 25)
BACK = st.builds(
    Returning,
    st.text(max_size=9),
    st.sampled_from(["billing", "gone"]),
    st.just(("x",)),
    st.sampled_from(["en", "es", "xx"]),
)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(CallStarted, st.one_of(st.none(), BACK)),
    st.builds(Pressed, KEYS),
    st.builds(Pressed, KEYS, LATE),
    st.builds(Said, WORDS, st.one_of(st.none(), st.floats(0, 1))),
    st.just(Silent()),
    st.builds(Found, CARDS, st.one_of(st.none(), st.just("no_index")), st.none(), st.none(), st.none()),
    st.builds(Waited, SECONDS, st.one_of(st.none(), st.integers(0, 50)), TEXTS),
    st.builds(HoldKey, KEYS, TEXTS),
    st.builds(HoldKey, KEYS, TEXTS, late=LATE),
    st.builds(HoldKey, st.just(""), TEXTS, WORDS, st.one_of(st.none(), st.floats(0, 1))),
    st.builds(AgentAnswered, SECONDS, st.one_of(st.none(), st.just("CA9"))),
    st.builds(LeftQueue, st.one_of(st.sampled_from(sorted(QUEUE_RESULTS)), st.text(max_size=30)), SECONDS),
    st.builds(OverflowEnded, st.sampled_from(["completed", "busy", "?"])),
    st.builds(CallEnded, st.text(max_size=9), SECONDS),
)
OUTAGE = Incident(
    1, {"en": "Down."}, NOON + timedelta(minutes=10), frozenset({"billing", "red-light"}), {"en": "Up at 3."}
)
EVERYWHERE = Incident(2, {"en": "Moving.", "es": "Mudanza."}, NOON + timedelta(hours=9))
INCIDENTS = st.sampled_from([(), (OUTAGE,), (EVERYWHERE,), (EVERYWHERE, OUTAGE)])
CALLERS = st.builds(
    make_caller,
    st.sampled_from(CallerKind),
    bucket=st.sampled_from([0, 5000]),
    opted_out=st.booleans(),
    texts_today=st.integers(0, 4),
)
AFTER_S = st.sampled_from([0, 0.5, 3, 20, 130, 400])
STEPS = st.lists(st.tuples(EVENTS, AFTER_S), max_size=25)
#: a caller who holds near the end of a long line and presses keys, at a pace at which offers are made
LOOPS = st.builds(Waited, st.sampled_from([5, 15, 40, 130, 200]), st.sampled_from([9, 9, 9, 5, 2]), TEXTS)
PRESSED = st.sampled_from(["1", "1", "2", "2", "3", "0", "*", "5", "", "2025550143"])
PRESSES = st.builds(HoldKey, PRESSED, TEXTS, late=st.one_of(st.none(), st.none(), LATE))
ENDS = st.sampled_from(
    [LeftQueue("leave", 1), LeftQueue("queue-full", 1), LeftQueue("error", 1), AgentAnswered(1, None)]
)
CLOSED = st.builds(Pressed, st.sampled_from(["1", "2", "3", "*", "", "2025550143"]), st.one_of(st.none(), LATE))
HOLDING = st.lists(
    st.tuples(st.one_of(*[LOOPS] * 4, *[PRESSES] * 6, ENDS, CLOSED), st.sampled_from([0.5, 3, 20])),
    max_size=25,
)


def keys_of(event: Event) -> str:
    return event.keys if isinstance(event, HoldKey | Pressed) else ""


def take(play: Play, event: Event) -> None:
    """One turn, whose prompts and state `Play.take` checks, and whose text must have been asked for."""
    before, texts = play.state, len(play.texts)
    play.take(event, keys_of(event))
    assert {fact.name for fact in play.new} <= set(FACTS)
    if len(play.texts) > texts:
        words = event.words if isinstance(event, HoldKey) else ""
        assert keys_of(event).strip()[:1] == "1" or answers_offer(words, text=True) == "1"
        if play.texts[-1].news is None:
            assert before.offer is not None
            assert before.offer.text
            assert not before.offer.declined
        else:
            assert before.news_of is not None
        assert (play.texts[-1].to is None) == (before.caller.kind is CallerKind.MOBILE)
    comes_again = isinstance(event, CallStarted) and not before.over
    joins_again = isinstance(event, Waited) and before.left == "redirected"
    if before.stage is Stage.ENDED and not (comes_again or joins_again):
        assert play.state.stage is Stage.ENDED
        assert play.prompts == ()
    late = isinstance(event, HoldKey) and event.late is not None
    if before.stage is Stage.AGENT and isinstance(event, HoldKey | Waited) and not late:
        assert (play.prompts, play.new) == ((), [])


def check_promises(play: Play) -> None:
    """What holds for a call as a whole."""
    articles = [text.article_id for text in play.texts]
    assert len(articles) == len(set(articles)) <= 2
    assert len(play.state.offers) <= 2
    declined = [n for n, offer in enumerate(play.state.offers) if offer.declined]
    assert declined in ([], [len(play.state.offers) - 1])
    for each in ("incident_told", "news_asked"):
        told = [data["incident"] for name, data in play.facts if name == each]
        assert len(told) == len(set(told))
    for once in ("assigned", "eligible", "call_ended", "declined", "number_typed"):
        assert play.names.count(once) <= 1
    for each in ("offered", "accepted", "heard", "no_input", "offer_cut"):
        told = [data["article"] for name, data in play.facts if name == each]
        assert len(told) == len(set(told))
    for name, data in play.facts:
        if name in ("accepted", "declined", "heard", "no_input"):
            at = play.facts.index((name, data))
            assert ("offered", data["article"]) in [(n, d.get("article")) for n, d in play.facts[:at]]
    if play.state.arm == "holdout" or play.caller.opted_out:
        assert play.texts == []


@settings(max_examples=120, deadline=None)
@given(caller=CALLERS, cards=CARDS, to_hold=st.booleans(), outlook=st.booleans(), steps=STEPS, incidents=INCIDENTS)
def test_every_event_in_every_stage_keeps_every_promise(
    caller: Caller, cards: tuple[ArticleCard, ...], to_hold: bool, outlook: bool, steps: list[tuple[Event, float]],
    incidents: tuple[Incident, ...],
) -> None:  # fmt: skip
    play = Play(plan=make_plan(follow_up=True), caller=caller, finds=cards, outlook=BUSY if outlook else {})
    play.incidents = incidents
    if to_hold:
        play.to_hold()
    for event, after_s in steps:
        take(play.rest(after_s), event)
    check_promises(play)


@settings(max_examples=120, deadline=None)
@given(kind=st.sampled_from(CallerKind), usable=st.booleans(), steps=HOLDING, incidents=INCIDENTS)
def test_every_way_through_the_hold_keeps_every_promise(
    kind: CallerKind, usable: bool, steps: list[tuple[Event, float]], incidents: tuple[Incident, ...]
) -> None:
    play = Play(caller=make_caller(kind)).to_hold("2").wait(0).wait(15)
    play.check = lambda keys: NumberCheck("+12025550143") if usable else NumberCheck(None, "not_mobile")
    play.incidents = incidents
    for event, after_s in steps:
        if isinstance(event, Waited) and event.waited_s is not None:
            play.rest(event.waited_s)
            event = replace(event, waited_s=play.state.waited_s + event.waited_s)
        take(play.rest(after_s), event)
    check_promises(play)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_a_plan_that_lost_the_callers_place_still_serves_the_call(steps: list[tuple[Event, float]]) -> None:
    play = Play().start()
    play.state = replace(play.state, path=("gone", "too"), leaf="gone", language="xx")
    for event, after_s in steps:
        take(play.rest(after_s), event)
