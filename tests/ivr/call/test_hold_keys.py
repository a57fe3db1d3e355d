"""Keys during the hold: yes, hear, no, position, and what becomes of the text."""

import pytest

from ivr.call.effects import QueueText
from ivr.call.moment import NumberCheck
from ivr.call.prompts import Ask, Music, Say
from ivr.call.state import CallerKind
from tests.ivr.call.play import CABLE, ROUTER, SILENT_CARD, Play, make_caller, make_plan


def test_key_one_queues_one_text_and_says_so() -> None:
    play = Play().to_offer().key("1", after_s=9)
    assert play.heard == "[sending]"
    assert play.new_names == ["offered", "accepted"]
    assert play.data("accepted") == {
        "article": "router-1",
        "key": "1",
        "by": "key",
        "ms": 9000,
        "after": "offer",
        "wording": "text_or_hear",
        "plan_version": 7,
        "language": "en",
    }
    assert play.texts == [
        QueueText("router-1", "en", False, "red-light", "your red-light", ("internet", "red-light"), None)
    ]
    assert play.key("1").heard == "[already_sent]"
    assert len(play.texts) == 1


def test_a_key_typed_ahead_re_asks_once_and_counts_the_second_time() -> None:
    play = Play().to_offer()
    offer = play.heard
    play.key("1", after_s=1.4)
    assert play.heard == offer
    assert (play.texts, play.new_names) == ([], [])
    play.key("1", after_s=0.5)
    assert len(play.texts) == 1


def test_a_key_just_after_the_limit_counts() -> None:
    assert len(Play().to_offer().key("1", after_s=1.5).texts) == 1


def test_a_typed_ahead_no_is_asked_again_as_well() -> None:
    play = Play().to_offer().key("3", after_s=0.3)
    assert "declined" not in play.names
    assert play.key("3").data("declined") == {"article": "router-1", "key": "3", "by": "key"}


def test_a_no_is_for_ever() -> None:
    play = Play().to_offer().key("3")
    assert play.heard == "[declined]"
    for key in ("1", "2", "3"):
        assert play.key(key).heard == ""
    play.wait(200).wait(500)
    assert play.texts == []
    assert play.names.count("declined") == 1


def test_hearing_it_is_a_fact_when_it_was_played_to_its_end() -> None:
    play = Play().to_offer().key("2")
    assert play.heard == "Unplug it for a minute. [short_after_text]"
    assert "heard" not in play.names
    assert play.wait(60).new_names == ["heard"]
    play.key("1")
    assert [text.article_id for text in play.texts] == ["router-1"]
    assert play.data("accepted")["after"] == "offer"


def test_hearing_it_is_broken_off_by_an_early_key() -> None:
    play = Play().to_offer().key("2").key("1", after_s=1)
    assert "heard" not in play.names
    assert play.data("accepted")["after"] == "short"
    play.key("2")
    assert play.heard == "Unplug it for a minute. [short_after]"
    assert play.wait(90).new_names == ["heard"]


def test_a_receipt_is_told_once() -> None:
    play = Play().to_offer().key("1").wait(40, 7, router_1="sent")
    (ask,) = play.prompts
    assert ask == Ask((Music(4),), "hold-key", "en", timeout_s=1, hear_silence=False)
    assert play.wait(45, 7, router_1="delivered").heard == "[arrived]"
    assert play.wait(60, 7, router_1="delivered").heard == ""


@pytest.mark.parametrize("status", ["failed", "undelivered", "expired"])
def test_a_lost_text_is_told_at_once_with_the_way_to_hear_it(status: str) -> None:
    play = Play().to_offer().key("1").wait(40, 7, router_1=status)
    assert play.heard == "[not_arrived_hear]"
    assert play.key("2").heard.startswith("Unplug it")
    mute = Play(finds=(SILENT_CARD,)).to_offer().key("1").wait(40, 7, code_3=status)
    assert mute.heard == "[not_arrived]"


@pytest.mark.parametrize("status", ["queued", "sent", "unknown"])
def test_without_a_receipt_in_45_seconds_it_may_not_have_arrived(status: str) -> None:
    play = Play().to_offer().key("1")
    play.wait(35 + 44, 7, router_1=status)
    assert play.heard == ""
    assert play.wait(35 + 46, 7, router_1=status).heard == "[not_arrived_hear]"
    assert play.wait(100, 7, router_1="delivered").heard != "[arrived]"


def test_zero_tells_the_position_and_keeps_the_offer_open() -> None:
    play = Play().to_hold().wait(0).wait(60, 6)
    play.wait(80, 5).key("0")
    assert play.heard.startswith("You are number 5 in line.")
    assert play.key("1").heard == "[sending]"


def test_another_key_that_breaks_the_offer_off_brings_it_back_once() -> None:
    play = Play().to_offer()
    offer = play.heard
    assert play.key("5", after_s=2).heard == offer
    assert play.key("5", after_s=2).heard == ""
    assert "offered" not in play.names


def test_other_keys_are_music_without_words() -> None:
    play = Play().to_hold().wait(0).wait(14)
    play.wait(60)
    for key in ("4", "5", "6", "7", "8", "9", "#"):
        play.key(key)
        assert play.heard == ""
        assert play.new_names == []


def test_keys_before_an_offer_do_nothing() -> None:
    play = Play().to_hold().wait(0)
    for key in ("1", "2", "3"):
        assert play.key(key, after_s=1).heard == ""
    assert play.texts == []


def test_the_star_repeats_the_offer() -> None:
    play = Play().to_offer()
    offer = play.heard
    assert play.key("*").heard == offer
    assert play.key("1", after_s=1).heard == "[sending]"


def test_an_opted_out_caller_who_presses_one_hears_that_it_cannot_be() -> None:
    play = Play(caller=make_caller(opted_out=True)).to_offer().key("1").key("1")
    assert play.heard == "[cannot_text]"
    assert play.data("text_refused") == {"reason": "opted_out", "article": "router-1"}
    assert play.texts == []


def test_a_text_the_rim_cannot_queue_is_refused_in_words_and_fact() -> None:
    assert Play(refusal="repeat").to_offer().key("1").heard == "[already_sent]"
    assert Play(refusal="withdrawn").to_offer().key("1").heard == "[article_gone]"
    play = Play(refusal="day_cap").to_offer().key("1")
    assert play.heard == "[cannot_text]"
    assert play.new_names == ["offered", "accepted", "text_refused"]
    assert play.data("text_refused")["reason"] == "day_cap"
    assert play.texts == []


def test_two_texts_a_call_at_most() -> None:
    play = Play(plan=make_plan(texts_per_call=1)).to_offer().key("1").wait(50, 7, router_1="delivered").wait(300)
    assert play.state.offers[1].card == CABLE
    assert not play.state.offers[1].text
    assert play.key("1").heard == "[cannot_text]"
    assert len(play.texts) == 1


def test_a_discreet_leaf_gives_no_topic_away() -> None:
    play = Play().to_hold("2").wait(0).wait(15).key("1")
    (text,) = play.texts
    assert (text.discreet, text.topic, text.leaf) == (True, "", "billing")


# --- typing a number -------------------------------------------------------------------------------------------------


def typing(kind: CallerKind = CallerKind.LANDLINE) -> Play:
    return Play(caller=make_caller(kind)).to_offer().key("1")


@pytest.mark.parametrize("kind", [CallerKind.LANDLINE, CallerKind.WITHHELD, CallerKind.SIP, CallerKind.OTHER])
def test_a_caller_who_cannot_be_texted_types_a_number_and_confirms_it(kind: CallerKind) -> None:
    play = typing(kind)
    (ask,) = play.prompts
    assert ask == Ask(
        (Say("[type_number]", "en"),), "hold-key", "en", keys=None, finish_key="#", timeout_s=8, hear_silence=True
    )
    play.key("2025550143")
    assert play.heard == "I have 2 0 2, 5 5 5, 0 1 4 3. If right, press 1. Again, press 2."
    play.key("1")
    assert play.heard == "[sending]"
    assert play.texts[0].to == "+12025550143"
    assert play.names[-3:] == ["offered", "accepted", "number_typed"]
    assert play.data("number_typed") == {"tries": 1}
    assert "2025550143" not in repr(play.state)
    assert "5 5 5" not in repr(play.state)


def test_a_second_text_to_a_typed_number_is_not_offered() -> None:
    play = typing().key("2025550143").key("1")
    play.wait(90, 7, router_1="delivered").wait(400)
    assert not play.state.offers[1].text


def test_two_tries_then_the_place_is_kept_and_nothing_is_sent() -> None:
    play = typing()
    play.check = lambda keys: NumberCheck(None, "not_mobile")
    assert play.key("123").heard == "[number_unusable]"
    assert play.key("456").heard == "[number_given_up]"
    assert [data["reason"] for name, data in play.facts if name == "number_refused"] == ["not_mobile", "not_mobile"]
    assert play.key("1").heard == "[number_given_up]"
    assert play.texts == []


def test_two_to_key_it_in_again_uses_up_a_try() -> None:
    play = typing().key("2025550143").key("2")
    assert play.heard == "[type_number]"
    assert play.key("2025550143").key("2").heard == "[number_given_up]"
    assert play.texts == []


def test_silence_while_confirming_is_no_consent() -> None:
    play = typing().key("2025550143").key("")
    assert play.heard.startswith("I have 2 0 2")
    assert play.key("").heard == "[number_given_up]"
    assert play.texts == []


def test_the_star_repeats_while_typing_and_zero_leaves_it() -> None:
    play = typing()
    assert play.key("*").heard == "[type_number]"
    assert play.key("2025550143").key("*").heard.startswith("I have 2 0 2")
    assert play.key("0").heard.startswith("You are number 7 in line.")
    assert play.state.keyed == ""
    assert play.key("1").heard == "[type_number]"
    assert play.names.count("accepted") == 1


def test_the_wait_loop_coming_round_ends_the_typing() -> None:
    play = typing().key("2025550143").wait(90)
    assert play.state.keyed == ""
    assert play.key("1").heard == "[type_number]"
    assert play.texts == []


def test_a_typed_number_over_its_cap_is_refused() -> None:
    play = typing()
    play.refusal = "cap"
    play.key("2025550143").key("1")
    assert play.heard == "[cannot_text]"
    assert (play.texts, play.state.keyed) == ([], "")
    assert ROUTER.id == play.data("text_refused")["article"]
    play.refusal = None
    play.key("1").key("2025550144")
    play.refusal = "cap"
    assert play.key("1").heard == "[cannot_text]"
    play.refusal = None
    assert play.key("1").heard == "[number_given_up]"
