"""What another machine could not say in time lands after the call went on: it counts, and disturbs nothing."""

from datetime import timedelta

import pytest

from ivr.call.events import AgentAnswered, HoldKey, OverflowEnded, Pressed
from ivr.call.prompts import Hold
from ivr.call.state import CallerKind, Keying, Stage
from ivr.call.values import replace
from tests.ivr.call.play import NOON, Play, make_caller, make_plan


def to_key(play: Play, after_s: float = 20) -> HoldKey:
    """A yes to the words now served, which is told later."""
    play.now += timedelta(seconds=after_s)
    return HoldKey("1", late=play.state.turn)


def test_a_yes_told_after_the_reminder_is_a_yes() -> None:
    play = Play().to_offer()
    late = to_key(play)
    pressed_at = play.now
    play.wait(130)
    while play.state.served is None or play.state.served.what != "reminder":
        play.wait(play.state.waited_s + 30)
    served, play.now = play.state.served, pressed_at
    assert play.take(late).new_names == ["accepted"]
    assert len(play.texts) == 1
    assert play.state.served == served
    assert isinstance(play.prompts[0], Hold)  # whatever is asked for again


def test_a_yes_told_late_confirms_no_number() -> None:
    play = Play(caller=make_caller(CallerKind.LANDLINE)).to_offer()
    late = to_key(play)
    pressed_at = play.now
    play.wait(60).key("1").key("2025550143", after_s=5)
    assert play.state.keying is Keying.CONFIRM
    play.now = pressed_at
    assert play.take(late).new_names == []
    assert (play.state.keying, play.texts) == (Keying.CONFIRM, [])


def test_a_yes_told_late_of_a_caller_who_cannot_be_texted_has_its_reason() -> None:
    play = Play(caller=make_caller(CallerKind.LANDLINE)).to_offer()
    late = to_key(play)
    play.wait(60)
    assert play.take(late).new_names == ["accepted", "text_refused"]
    assert play.data("text_refused")["reason"] == "no_number"
    assert (play.state.stage, play.state.keying) == (Stage.HOLD, Keying.NO)


def to_second_offer(play: Play) -> Play:
    """The first article is heard, the caller holds on until another is offered."""
    play.key("2", after_s=20)
    while len(play.state.offers) < 2:
        play.wait(play.state.waited_s + 30)
        assert play.state.waited_s < 1200
    return play


@pytest.mark.parametrize("broken_off", [False, True])
def test_a_yes_told_late_brings_the_article_it_was_said_to(broken_off: bool) -> None:
    play = Play().to_offer()
    late = to_key(play)
    pressed_at = play.now
    to_second_offer(play)
    if broken_off:
        assert play.key("5", after_s=2).state.offers[1].re_asked
    first, second = play.state.offers
    play.now = pressed_at
    assert play.take(late).new_names == ["accepted"]
    assert play.data("accepted")["article"] == first.card.id
    assert [text.article_id for text in play.texts] == [first.card.id]
    assert play.state.offers[1] == second
    assert play.state.offers[0].accepted_ms == play.ms


def test_a_key_told_late_that_was_pressed_before_any_offer_is_no_yes() -> None:
    play = Play().to_hold()
    late = to_key(play)
    pressed_at = play.now
    play.to_offer()
    play.key("5", after_s=2)
    play.now = pressed_at
    assert play.take(late).new_names == []
    assert play.take(Pressed("1", late=late.late)).new_names == []
    assert play.texts == []


@pytest.mark.parametrize("leave", [False, True])
def test_a_number_told_late_is_no_yes_and_what_it_was_for_is_on_record(leave: bool) -> None:
    play = Play(caller=make_caller(CallerKind.LANDLINE)).to_offer().key("1", after_s=12)
    assert play.state.keying is Keying.NUMBER
    late = replace(to_key(play), keys="2025550143")
    confirmed = replace(late, keys="1")
    pressed_at = play.now
    if leave:
        play.end(after_s=30)
    else:
        play.wait(play.state.waited_s + 60)
    play.now = pressed_at
    assert play.take(late).new_names == ["text_refused"]
    assert play.data("text_refused") == {"reason": "no_number", "article": play.state.offers[0].card.id}
    assert play.take(confirmed).new_names == []
    assert play.texts == []


def test_a_number_told_late_says_nothing_of_another_offer() -> None:
    play = Play(caller=make_caller(CallerKind.LANDLINE)).to_offer()
    late = replace(to_key(play), keys="12025550143")
    pressed_at = play.now
    to_second_offer(play).key("5", after_s=2)
    play.now = pressed_at
    assert play.take(late).new_names == []


def test_a_key_told_late_puts_nobody_back_into_the_queue() -> None:
    play = Play().to_offer()
    late = to_key(play)
    play.leave("leave")
    assert play.state.stage is Stage.CLOSED
    before = play.state
    assert play.take(replace(late, keys="0")).new_names == []
    assert replace(play.state, turn=before.turn) == before
    assert play.take(late).new_names == ["accepted"]
    assert (play.state.stage, len(play.texts)) == (Stage.CLOSED, 1)


def test_a_yes_at_closing_time_told_once_the_caller_holds_elsewhere_is_a_yes() -> None:
    play = Play(plan=make_plan(min_position=1)).to_hold().leave("leave")
    assert play.state.offer is not None
    late = Pressed("1", late=play.state.turn)
    play.wait(0)  # our standby put the caller into the default queue
    assert play.state.stage is Stage.HOLD
    assert play.take(late).new_names[-1] == "accepted"
    assert (play.state.stage, len(play.texts)) == (Stage.HOLD, 1)


def test_an_agent_told_of_after_the_end_is_on_record() -> None:
    play = Play().to_offer().end(after_s=90)
    assert play.names.count("hung_up_in_queue") == 1
    assert play.take(AgentAnswered(43, "CA2")).new_names == ["agent_connected", "agent_ended"]
    assert play.data("agent_connected") == {"queue": "technical", "waited_s": 43, "late": True}
    assert play.state.agent_call_sid == "CA2"
    assert play.take(AgentAnswered(43, "CA2")).new_names == []
    assert play.leave("bridged").new_names == []


def test_an_agent_told_of_after_the_end_of_a_call_whose_hold_nobody_told_is_on_record() -> None:
    play = Play().start().end()
    assert play.take(AgentAnswered(43, "CA2")).new_names == ["held", "agent_connected", "agent_ended"]
    assert play.data("agent_connected") == {"queue": play.state.queue, "waited_s": 43}  # it corrects nothing
    assert (play.state.stage, play.prompts) == (Stage.ENDED, ())


def test_the_end_of_an_overflow_told_after_the_end_of_the_call_is_on_record() -> None:
    play = Play(now=NOON).to_hold("2").leave("leave", waited_s=900)
    play.press("3").end()
    assert play.take(OverflowEnded("completed")).new_names == ["overflowed"]
    assert (play.facts[-1][1], play.prompts) == ({"status": "completed"}, ())
