"""An article withdrawn after it was offered is neither told nor texted any more."""

import pytest

from ivr.call.events import Event, HoldKey, Pressed, Waited
from ivr.call.flow import decide
from ivr.call.holding import puts_before
from ivr.call.state import CallerKind, CallState, Keying
from ivr.call.values import replace
from tests.ivr.call.play import ROUTER, Play, make_caller, says

GONE = frozenset({ROUTER.id})


def decided(play: Play, event: Event) -> tuple[str, list[str], CallState]:
    """What is said, the facts and the state once the rim found the article withdrawn."""
    step = decide(play.state, event, play.plan, play.moment())
    assert puts_before(play.state, step.state) == GONE
    step = decide(play.state, event, play.plan, replace(play.moment(), withdrawn=GONE))
    assert puts_before(play.state, step.state) == frozenset()
    return " ".join(one.words for one in says(step.prompts)), [fact.name for fact in step.facts], step.state


def test_nobody_is_reminded_of_it() -> None:
    play = Play().to_offer().wait(45).rest(100)
    heard, facts, state = decided(play, Waited(145, 7))
    assert "Still here" not in heard
    assert facts == ["offer_refused"]
    play.state = state
    assert "Still here" not in play.wait(200).heard


def test_whoever_wants_to_hear_it_is_told_kindly() -> None:
    heard, facts, state = decided(Play().to_offer().rest(20), HoldKey("2"))
    assert heard == "[article_gone]"
    assert facts == ["offered", "offer_refused"]
    assert not state.offers[-1].open


@pytest.mark.parametrize("after_s", [0.5, 20])
def test_its_offer_is_not_said_again(after_s: float) -> None:
    heard, _, _ = decided(Play().to_offer().rest(after_s), HoldKey("*"))
    assert heard == "[article_gone]"


def test_no_number_is_typed_for_it() -> None:
    play = Play(caller=make_caller(CallerKind.LANDLINE)).to_offer().rest(20)
    heard, facts, state = decided(play, HoldKey("1"))
    assert heard == "[article_gone]"
    assert facts == ["offered", "accepted", "text_refused"]
    assert state.keying is Keying.NO


@pytest.mark.parametrize("key", ["2", "*"])
def test_where_nobody_can_answer_the_call_ends_kindly(key: str) -> None:
    play = Play().start().press("5").rest(15)
    heard, facts, _ = decided(play, Pressed(key))
    assert heard == "[closed_article_gone] [goodbye]"
    assert facts[-2:] == ["offered", "offer_refused"]


def test_what_was_texted_before_may_not_be_heard_after() -> None:
    play = Play().to_offer().key("1").wait(45).rest(5)
    heard, _, _ = decided(play, HoldKey("2"))
    assert heard == "[article_gone]"
