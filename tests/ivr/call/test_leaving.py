"""The ways out of the queue, closed queues, and the end of the call."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ivr.call.events import CallStarted, HoldKey, Waited
from ivr.call.flow import QUEUE_RESULTS
from ivr.call.holding import is_stale
from ivr.call.prompts import Ask, CallNumber, HangUp, Hold, LeaveQueue, Say
from ivr.call.state import CallerKind, Stage
from tests.ivr.call.play import NOON, ROUTER, SILENT_CARD, Play, make_caller, make_plan

CLOSING = {
    "agent_connected",
    "hung_up_in_queue",
    "left_by_choice",
    "redirected",
    "queue_full",
    "queue_failed",
}


def closings(play: Play) -> list[str]:
    return [name for name in play.names if name in CLOSING]


def test_an_agent_who_answers_mid_offer_cuts_it_and_no_text_goes() -> None:
    play = Play().to_offer().agent(after_s=3)
    assert play.new_names == ["offer_cut", "agent_connected"]
    assert play.data("agent_connected") == {"queue": "technical", "waited_s": 18}
    assert play.prompts == (Say("[connecting]", "en"),)
    assert play.step is not None
    assert play.step.cancel_follow_ups
    for late in (play.key("1"), play.wait(90)):
        assert (late.prompts, late.new_names, late.texts) == ((), [], [])


def test_an_agent_who_answers_after_the_offer_was_played_cuts_nothing() -> None:
    assert Play().to_offer().agent(after_s=25).new_names == ["offered", "agent_connected"]


def test_a_key_before_the_agent_means_the_text_still_goes() -> None:
    play = Play().to_offer().key("1", after_s=3).agent(after_s=1)
    assert len(play.texts) == 1
    assert "offer_cut" not in play.names


def test_a_hang_up_mid_offer_is_a_cut_and_later_an_offer() -> None:
    assert Play().to_offer().leave("hangup", after_s=4).new_names == ["offer_cut", "hung_up_in_queue"]
    assert Play().to_offer().leave("hangup", after_s=25).new_names == ["offered", "hung_up_in_queue"]


def test_a_hang_up_after_the_short_version_was_heard() -> None:
    play = Play().to_offer().key("2").leave("hangup", after_s=10, waited_s=45)
    assert play.new_names == ["heard", "hung_up_in_queue"]
    assert play.data("hung_up_in_queue") == {"queue": "technical", "waited_s": 45}
    assert "heard" not in Play().to_offer().key("2").leave("hangup", after_s=1).names


@pytest.mark.parametrize("result", [*sorted(QUEUE_RESULTS), "gibberish", "", "BRIDGED "])
def test_each_queue_result_closes_the_hold_in_exactly_one_way(result: str) -> None:
    play = Play().to_offer().wait(60).leave(result)
    assert len(closings(play)) == 1
    play.end()
    assert len(closings(play)) == 1 + (play.names.count("held") - 1)
    assert play.names.count("call_ended") == 1


def test_bridged_without_the_agents_request_is_an_agent_all_the_same() -> None:
    play = Play().to_hold().wait(0).leave("bridged")
    assert play.new_names == ["agent_connected", "agent_ended"]
    assert play.prompts == (HangUp(),)


def test_bridged_after_the_agents_request_ends_the_conversation() -> None:
    play = Play().to_hold().wait(0).agent().leave("bridged")
    assert play.new_names == ["agent_ended"]
    assert play.state.stage is Stage.ENDED


def test_bridging_in_process_is_an_agent_and_the_rest_follows() -> None:
    play = Play().to_hold().wait(0).leave("bridging-in-process")
    assert play.new_names == ["agent_connected"]
    assert play.prompts == ()
    assert play.agent().new_names == []
    assert play.leave("bridged").new_names == ["agent_ended"]


def test_a_bridge_told_after_the_end_is_put_right() -> None:
    play = Play().to_hold().wait(0).end().leave("bridged")
    assert play.names[-4:] == ["hung_up_in_queue", "call_ended", "agent_connected", "agent_ended"]
    assert play.leave("bridged").new_names == []


@pytest.mark.parametrize("result", ["error", "leave", "queue-full"])
def test_a_hold_told_after_the_end_is_closed_and_offers_nothing(result: str) -> None:
    play = Play().start().end().leave(result)
    assert play.new_names[0] == "held"
    assert play.new_names[1:] in (["queue_failed"], ["left_by_choice"], ["queue_full"])
    assert play.prompts == ()
    assert play.leave(result).new_names == []


def test_an_error_is_mended_once_then_nobody_can_answer() -> None:
    play = Play().to_offer().wait(60).leave("error")
    assert play.new_names == ["queue_failed", "held"]
    assert play.prompts[0] == Say("[sorry_hold]", "en")
    assert isinstance(play.prompts[-1], Hold)
    play.wait(0).leave("system-error")
    assert play.data("closed") == {"why": "no_agent", "queue": "technical"}


def test_an_unknown_result_is_kept_in_words() -> None:
    assert Play().to_hold().leave("new-thing" * 99).data("queue_failed")["result"].startswith("new-thing")


def test_rest_took_the_call_and_we_say_nothing() -> None:
    play = Play().to_hold().wait(0).leave("redirected")
    assert (play.prompts, play.new_names) == ((), ["redirected"])


def test_the_maximum_hold_leaves_the_queue_and_offers_the_article_once_more() -> None:
    play = Play().to_hold("2").wait(0).wait(15).wait(60).wait(899)
    assert not isinstance(play.prompts[-1], LeaveQueue)
    play.wait(900)
    assert play.prompts == (LeaveQueue(),)
    play.leave("leave", after_s=0)
    assert play.new_names == ["left_by_choice", "closed"]
    assert play.heard.startswith("[closed_max_hold] Meanwhile: another customer fixed 'Router light stays red'.")
    play.press("1")
    assert play.new_names == ["accepted", "overflowed"]
    assert play.prompts[-1] == CallNumber("+15005550006")
    assert len(play.texts) == 1


def test_a_full_queue_says_so_and_offers_the_article() -> None:
    play = Play().to_hold().leave("queue-full", after_s=0)
    assert play.new_names == ["queue_full", "closed", "eligible", "assigned"]
    (ask,) = play.prompts
    assert isinstance(ask, Ask)
    assert (ask.action, ask.hear_silence) == ("closed", True)
    play.press("2", after_s=15)
    assert play.heard == "Unplug it for a minute. [closed_short_after_text]"
    play.silent()
    assert play.new_names == ["heard"]
    assert play.prompts == (Say("[goodbye]", "en"), HangUp())
    assert play.end().new_names == ["call_ended"]


def shop(play: Play) -> Play:
    return play.start().press("5")


def test_outside_hours_the_times_are_told_and_nobody_is_queued() -> None:
    play = shop(Play(finds=()))
    assert play.heard == "We are here Mondays at 9. [goodbye]"
    assert play.prompts[-1] == HangUp()
    assert play.data("closed")["why"] == "hours"
    assert "held" not in play.names


def test_on_a_holiday_it_is_said() -> None:
    play = shop(Play(finds=(), now=NOON + timedelta(days=7, hours=-3)))
    assert play.data("closed")["why"] == "holiday"


def test_a_queue_closed_by_hand_has_no_agent() -> None:
    play = Play(closed_queues=frozenset({"technical"}), finds=()).start().press("3").press("1")
    assert play.heard.startswith("[closed_no_agent]")


def test_a_closed_queue_offers_the_article_by_text_once() -> None:
    play = shop(Play())
    assert play.heard.endswith(
        "Meanwhile: another customer fixed 'Router light stays red'. [closed_offer_text_or_hear]"
    )
    play.press("1")
    assert play.new_names == ["offered", "accepted"]
    assert play.heard == "[goodbye_text]"
    assert [text.article_id for text in play.texts] == [ROUTER.id]
    assert play.press("1").texts == play.texts[:1]


@pytest.mark.parametrize(("key", "fact"), [("3", "declined"), ("", "no_input"), ("5", None)])
def test_without_a_yes_a_closed_call_ends_without_a_text(key: str, fact: str | None) -> None:
    play = shop(Play()).press(key, after_s=15)
    assert fact is None or fact in play.names
    play = play if isinstance(play.prompts[-1], HangUp) else play.press(key)
    assert play.prompts[-1] == HangUp()
    assert play.texts == []


def test_zero_leads_from_a_closed_queue_to_the_default_one_where_that_is_open() -> None:
    play = shop(Play()).press("0", after_s=15)
    assert play.new_names == ["offered", "agent_asked", "held"]
    assert play.prompts[-1] == Hold("general")
    shut = shop(Play(closed_queues=frozenset({"general"}))).press("0", after_s=15)
    assert shut.prompts[-1] == HangUp()
    assert "held" not in shut.names


def test_zero_leads_from_a_full_default_queue_nowhere() -> None:
    play = Play().start().press("0").leave("queue-full")
    assert play.press("0").prompts[-1] == HangUp()
    assert play.names.count("held") == 1


def test_a_word_is_no_consent() -> None:
    assert shop(Play()).say("yes one please").texts == []


def test_a_holdout_caller_hears_no_offer_when_closed() -> None:
    play = shop(Play(caller=make_caller(bucket=1)))
    assert play.data("assigned")["arm"] == "holdout"
    assert play.heard == "We are here Mondays at 9. [goodbye]"


def test_a_landline_caller_types_a_number_when_closed() -> None:
    play = shop(Play(caller=make_caller(CallerKind.LANDLINE), finds=(SILENT_CARD,))).press("1", after_s=15)
    assert play.heard == "[closed_type_number]"
    play.press("2025550143").press("1")
    assert play.heard == "[goodbye_text]"
    assert play.texts[0].to == "+12025550143"


def test_a_declined_offer_is_not_put_again_when_the_hold_is_over() -> None:
    play = Play().to_hold("2").wait(0).wait(15).key("3").wait(900).leave("leave")
    assert play.heard == "[closed_max_hold] [overflow]"
    assert play.texts == []


@pytest.mark.parametrize(("status", "words"), [("completed", ""), ("busy", "[goodbye]"), ("no-answer", "[goodbye]")])
def test_the_overflow_call_ends_with_a_word_when_it_failed(status: str, words: str) -> None:
    play = Play(plan=make_plan(stopped=True)).to_hold("2").leave("queue-full").overflow(status)
    assert play.heard == words
    assert play.prompts[-1] == HangUp()
    assert [data for name, data in play.facts if name == "overflowed"] == [{}, {"status": status}]


def test_the_end_of_the_call_closes_a_hold_whose_result_never_came() -> None:
    play = Play().to_offer().end(after_s=30)
    assert play.new_names == ["offered", "hung_up_in_queue", "call_ended"]
    assert play.data("hung_up_in_queue")["waited_s"] == 45
    assert play.leave("hangup").new_names == []
    assert play.end().new_names == []


def test_the_end_during_the_menu_is_only_the_end() -> None:
    play = Play().start().end()
    assert play.names == ["call_started", "call_ended"]


def test_a_caller_whom_an_error_put_into_the_queue_is_adopted() -> None:
    play = Play().start().wait(3)
    assert play.new_names[0] == "held"
    assert play.state.queue == "general"
    assert play.agent().new_names == ["agent_connected"]


def test_a_queue_switched_off_lets_go_of_those_who_hold() -> None:
    play = Play(finds=()).to_hold().wait(0)
    play.closed_queues = frozenset({"technical"})
    play = play.wait(20).leave("leave")
    assert play.heard.startswith("[closed_no_agent]")


def test_a_call_that_was_taken_out_and_comes_in_again_joins_the_default_queue() -> None:
    play = Play().to_hold().wait(0).leave("redirected").take(CallStarted())
    assert play.new_names == ["held"]
    assert play.heard == "A person will help you."
    assert isinstance(play.prompts[-1], Hold)
    assert play.state.queue == "general"
    assert play.wait(0).agent().new_names == ["agent_connected"]


def test_a_call_that_comes_back_from_an_agent_joins_the_default_queue() -> None:
    play = Play().to_hold().wait(0).agent().leave("redirected-from-bridged").take(CallStarted())
    assert play.new_names == ["held"]


def test_a_call_that_is_over_joins_nothing() -> None:
    play = Play().to_hold().wait(0).leave("hangup").end().take(CallStarted())
    assert (play.prompts, play.new_names) == ((), [])


def test_a_call_that_was_taken_out_and_stands_in_line_anew_is_known_again() -> None:
    play = Play().to_hold().wait(0).wait(40).leave("redirected", waited_s=50).wait(2)
    assert play.new_names[0] == "held"
    assert play.leave("hangup").new_names == ["hung_up_in_queue"]


def test_a_closed_caller_whom_an_error_put_into_the_queue_hears_the_hours_of_that_queue() -> None:
    play = shop(Play(plan=replace(make_plan(), default_queue="shop")))
    assert play.press("5", after_s=15).wait(2).prompts == (LeaveQueue(),)
    assert play.new_names == ["held"]
    play.leave("leave", after_s=0, waited_s=3)
    assert play.new_names == ["left_by_choice", "closed"]
    assert play.heard.startswith("We are here Mondays at 9.")


def test_who_came_within_the_hours_is_answered_after_them() -> None:
    ten = NOON - timedelta(hours=2, minutes=1)  # a minute before the shop closes
    play = Play(now=ten, finds=()).to_hold("5").wait(0).wait(300)
    assert not isinstance(play.prompts[-1], LeaveQueue)


def test_an_old_wait_request_sent_again_is_told_from_a_new_one() -> None:
    play = Play().to_offer().rest(8)
    assert is_stale(play.state, Waited(0, 9), play.moment())
    assert is_stale(play.state, Waited(15, 7), play.moment())
    assert not is_stale(play.state, Waited(22, 7), play.moment())  # the clocks differ a little
    assert not is_stale(play.rest(60).state, Waited(0, 9), play.moment())  # nothing plays any more: joined anew


def test_the_first_wait_request_of_a_new_stay_is_not_old() -> None:
    play = Play().to_hold().wait(0).wait(200).leave("error")
    assert not is_stale(play.state, Waited(0, 9), play.moment())


def test_a_caller_of_whose_hold_only_the_carrier_knew_is_told_after_the_end() -> None:
    play = Play().start().end()
    assert play.leave("hangup", waited_s=40).new_names == ["held", "hung_up_in_queue"]
    assert play.state.over
    assert play.leave("hangup", waited_s=40).new_names == []


def test_a_yes_told_after_the_end_is_a_yes_once() -> None:
    play = Play().to_offer()
    pressed_at = play.now + timedelta(seconds=20)
    play.leave("hangup", after_s=30).end()
    play.now = pressed_at
    late = HoldKey("1", late=0)
    assert play.take(late).new_names == ["accepted"]
    assert len(play.texts) == 1
    assert (play.state.stage, play.state.over) == (Stage.ENDED, True)
    assert play.take(late).new_names == []
    assert len(play.texts) == 1


def test_a_yes_told_after_the_end_that_came_too_soon_is_none() -> None:
    play = Play().to_offer()
    pressed_at = play.now
    play.leave("hangup", after_s=30).end()
    play.now = pressed_at
    assert play.take(HoldKey("1", late=0)).new_names == []
    assert play.take(HoldKey("3", late=0)).new_names == []


def test_a_closed_caller_whom_an_error_put_into_the_queue_held_there() -> None:
    play = shop(Play(plan=replace(make_plan(), default_queue="shop")))
    assert play.state.stage is Stage.CLOSED
    assert {"held", "hung_up_in_queue"} <= set(play.leave("hangup", waited_s=4).new_names)
    assert play.leave("hangup", waited_s=4).new_names == []
