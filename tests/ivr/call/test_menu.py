"""Greeting, menus, the sentence at a leaf, and joining the queue."""

from datetime import timedelta

import pytest

from ivr.call.prompts import Ask, Hold, Say
from ivr.call.state import CallerKind, Returning, Stage
from tests.ivr.call.play import NOON, SPANISH, Play, make_caller, says

BACK = Returning("your router", "not-online", ("internet", "not-online"), "en")


def test_the_greeting_invites_each_language_in_its_own_words() -> None:
    play = Play().start()
    (ask,) = play.prompts
    assert isinstance(ask, Ask)
    assert ask.prompts[:2] == (Say("Welcome to Lumora.", "en"), Say("Para español, oprima nueve.", "es"))
    assert play.heard.endswith("For shop, press 5. Or just say it.")
    assert (ask.action, ask.keys, ask.speech, ask.hear_silence) == ("menu", 1, True, True)
    assert {"internet", "wi-fi", "invoice"} <= set(ask.hints)
    assert play.facts == [("call_started", {"caller": "mobile", "returning": False, "test": False})]


def test_keys_and_words_lead_to_the_same_queue() -> None:
    by_key, by_voice = Play().start().press("3").press("1"), Play().start().say("wi-fi").say("the red light")
    for play in (by_key, by_voice):
        assert play.names == ["call_started", "menu_chosen", "menu_chosen", "match_found", "held"]
        assert play.prompts[-1] == Hold(
            "technical",
            "WW1",
            {
                "path": ["internet", "red light"],
                "leaf": "red-light",
                "language": "en",
            },
        )
    assert by_key.heard == "You are in line for technical support."
    assert by_key.searches[0].pinned == ("router-1",)


def test_silence_and_wrong_keys_are_re_asked_twice_then_the_default_queue() -> None:
    play = Play().start().silent()
    assert play.heard.startswith("Take your time. For mobile")
    play.press("8")
    assert play.heard.startswith("I did not get that. For mobile")
    play.silent()
    assert play.heard == "A person will help you."
    assert play.prompts[-1] == Hold("general")
    assert play.names[1:] == ["no_answer", "not_understood", "no_answer", "match_refused", "held"]
    assert play.data("match_refused")["reason"] == "transcript_too_poor"


def test_the_star_repeats_the_last_prompt_and_is_no_try() -> None:
    play = Play().start()
    first = play.prompts
    for _ in range(5):
        play.press("*")
        assert play.prompts == first
    assert play.state.tries == 0
    assert play.new_names == []


@pytest.mark.parametrize("how", ["key", "speech"])
def test_zero_or_agent_reaches_the_default_queue_from_the_menu(how: str) -> None:
    play = Play().start()
    play = play.press("0") if how == "key" else play.say("Agent!")
    assert play.prompts[-1] == Hold("general")
    assert play.data("agent_asked") == {"by": how}


def test_spanish_is_chosen_by_key_or_voice_and_spoken_from_then_on() -> None:
    for play in (Play(finds=()).start().press("9"), Play(finds=()).start().say("Español")):
        assert play.data("language_chosen")["language"] == "es"
        assert {one.language for one in says(play.prompts)} == {"es"}
        play.press("3").press("1")
        assert play.searches[0].language == "es"


def test_nine_is_no_language_below_the_main_menu() -> None:
    play = Play().start().press("3").press("9")
    assert play.new_names == ["not_understood"]
    assert play.state.language == "en"


def test_low_or_missing_confidence_blocks_nothing() -> None:
    assert Play().start().say("internet", None).state.path == ("internet",)
    assert Play().start().say("internet", 0.0).state.path == ("internet",)


def test_the_notice_is_given_once_before_the_question() -> None:
    play = Play().start().press("1")
    assert play.heard == "[notice] [describe]"
    assert play.state.stage is Stage.DESCRIBE
    (ask,) = play.prompts
    assert isinstance(ask, Ask)
    assert (ask.action, ask.timeout_s, ask.speech) == ("describe", 5, True)


def test_what_is_said_at_the_leaf_is_masked_and_searched() -> None:
    play = Play().start().press("1").say("No signal on 202-555-0143 since Monday")
    assert play.state.transcript == "No signal on # since Monday"
    (search,) = play.searches
    assert (search.path, search.transcript, search.allowed_tags) == (
        ("mobile",),
        "No signal on # since Monday",
        frozenset({"mobile"}),
    )
    assert play.names[-3:] == ["described", "match_found", "held"]


@pytest.mark.parametrize("skip", ["silence", "5"])
def test_silence_and_other_keys_skip_the_question_without_nagging(skip: str) -> None:
    play = Play().start().press("1")
    play = play.silent() if skip == "silence" else play.press(skip)
    assert play.state.stage is Stage.HOLD
    assert play.new_names == ["match_found", "held"]


def test_zero_at_the_leaf_reaches_the_leafs_own_queue() -> None:
    play = Play().start().press("3").press("2").press("0")
    assert play.state.queue == "technical"
    assert play.new_names[0] == "agent_asked"


def test_a_sentence_that_fits_no_label_is_searched_from_the_default_queue() -> None:
    play = Play().start().say("my messages disappeared after the update").silent().silent()
    assert play.state.queue == "general"
    assert play.searches[0].transcript == "my messages disappeared after the update"


def test_a_forbidden_subject_named_at_the_menu_gets_no_search() -> None:
    play = Play().start().say("cancel my phone and router today").silent().silent()
    assert play.searches == []
    assert play.data("match_refused")["reason"] == "never_offer"


def test_a_never_offer_leaf_is_not_searched() -> None:
    play = Play().start().press("4")
    assert play.searches == []
    assert play.state.no_match == "never_offer"
    assert play.state.stage is Stage.HOLD


def test_articles_in_another_language_are_left_out() -> None:
    play = Play(finds=(SPANISH,)).to_hold()
    assert play.state.candidates == ()
    assert play.data("match_refused")["reason"] == "language"


def test_a_returning_caller_goes_straight_through_by_key_or_yes() -> None:
    for play in (Play().start(BACK).press("1"), Play().start(BACK).say("Yes, please.")):
        assert play.prompts[-1].queue == "technical"  # type: ignore[union-attr]
        assert play.names == ["call_started", "rejoined", "held"]
        assert play.searches == []
        play.wait(0).wait(40).wait(300)
        assert "offered" not in play.names
        assert ("offer_refused", {"reason": "rejoined"}) in play.facts


@pytest.mark.parametrize("other", ["3", "silence"])
def test_a_returning_caller_with_another_matter_gets_the_menu(other: str) -> None:
    play = Play().start(BACK)
    assert play.heard == "Welcome to Lumora. About your router? Press 1."
    play = play.silent() if other == "silence" else play.press(other)
    assert play.state.stage is Stage.MENU
    assert "For mobile, press 1." in play.heard


@pytest.mark.parametrize("words", ["Zero.", "An agent, please", "let me talk to a person"])
def test_a_person_is_reached_by_voice_from_every_question(words: str) -> None:
    for play in (Play().start(BACK), Play().start(), Play().start().press("3").press("2")):
        assert "agent_asked" in play.say(words).names
        assert play.state.stage is Stage.HOLD
    assert "agent_asked" in Play().start(BACK).say("I asked for an agent before").names


def test_a_discreet_subject_is_not_named_to_whoever_calls_back() -> None:
    play = Play().start(Returning("your bill", "billing", ("billing",), "en"))
    assert play.heard == "Welcome to Lumora. [returning_discreet]"


def test_a_place_that_is_gone_leads_to_the_default_queue() -> None:
    play = Play().start(Returning("your fax", "fax", ("fax",), "en")).press("1")
    assert play.prompts[-1] == Hold("general")


def test_a_withheld_caller_is_a_caller() -> None:
    play = Play(caller=make_caller(CallerKind.WITHHELD), now=NOON + timedelta(days=1)).to_hold()
    assert play.facts[0][1]["caller"] == "withheld"
