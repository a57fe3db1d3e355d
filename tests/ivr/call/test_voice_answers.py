"""Words in answer to an offer during the hold, where the plan listens and where it does not."""

import pytest

from ivr.call.events import HoldKey
from ivr.call.prompts import Ask, Music
from ivr.call.understand import answers_offer
from tests.ivr.call.play import ROUTER, Play, make_plan

LISTENING = make_plan(listen="speech and keys")


def say(play: Play, words: str, confidence: float | None = 0.9, after_s: float = 20) -> Play:
    return play.rest(after_s).take(HoldKey("", (), words, confidence))


def ask_of(play: Play) -> Ask:
    (ask,) = play.prompts
    assert isinstance(ask, Ask)
    return ask


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("Yes.", "1"), ("yes please", "1"), ("Sí, por favor", "1"), ("text me", "1"), ("un mensaje", "1"),
        ("No", "3"), ("no thanks", "3"), ("No, gracias.", "3"), ("I don't want it", "3"), ("no me interesa", "3"),
        ("hear it", "2"), ("yes, listen", "2"), ("oírlos", "2"), ("two", "2"), ("press three", "3"), ("uno", "1"),
        ("repeat", "*"), ("zero", "0"),
        ("", ""), ("yes no", ""), ("the weather for the weekend", ""), ("no signal at home", ""), ("¿", ""),
    ],
)  # fmt: skip
def test_words_mean_a_key_or_nothing(words: str, key: str) -> None:
    assert answers_offer(words, text=True) == key


def test_a_yes_to_what_can_only_be_heard_is_hearing_it() -> None:
    assert answers_offer("yes", text=False) == "2"


def test_only_the_offer_listens_and_without_music() -> None:
    play = Play(plan=LISTENING).to_hold().wait(0)
    assert not ask_of(play).speech
    ask = ask_of(play.wait(15))
    assert (ask.speech, ask.hear_silence, ask.keys) == (True, False, 1)
    assert "no thank you" in ask.hints
    assert not any(isinstance(one, Music) for one in ask.prompts)
    ask = ask_of(play.wait(45))
    assert not ask.speech
    assert isinstance(ask.prompts[-1], Music)
    assert ask_of(play.wait(140)).speech  # the reminder


def test_by_default_keys_only_are_listened_to() -> None:
    assert not ask_of(Play().to_offer()).speech


def test_a_spoken_no_is_as_final_as_key_3() -> None:
    play = say(Play(plan=LISTENING).to_offer(), "No, thank you.")
    assert play.new_names == ["offered", "declined"]
    assert play.data("declined") == {"article": ROUTER.id, "key": "3", "by": "speech"}
    assert "reminder" not in play.wait(200).heard
    assert say(play, "yes").texts == []


def test_a_spoken_yes_sends_the_text_and_says_how_it_was_given() -> None:
    play = say(Play(plan=LISTENING).to_offer(), "Yes, please.", None)
    assert [text.article_id for text in play.texts] == [ROUTER.id]
    assert (play.data("accepted")["key"], play.data("accepted")["by"]) == ("1", "speech")


@pytest.mark.parametrize("confidence", [0.05, 0.49])
def test_a_yes_heard_badly_is_no_consent_and_a_no_is_one_all_the_same(confidence: float) -> None:
    play = say(Play(plan=LISTENING).to_offer(), "yes", confidence)
    assert (play.texts, "accepted" in play.names) == ([], False)
    assert "declined" in say(play, "no", confidence).names


def test_a_confidence_of_zero_is_none_given() -> None:
    assert len(say(Play(plan=LISTENING).to_offer(), "yes", 0.0).texts) == 1


def test_a_noise_that_breaks_the_offer_off_has_it_said_once_more_for_keys_only() -> None:
    play = say(Play(plan=LISTENING).to_offer(), "and now the weather", after_s=4)
    assert "Router light stays red" in play.heard
    assert not ask_of(play).speech
    assert "offered" not in play.names


def test_a_yes_that_cannot_answer_the_offer_yet_is_asked_again() -> None:
    play = say(Play(plan=LISTENING).to_offer(), "yes", after_s=3)  # said at once: the silence after it takes two
    assert play.texts == []
    assert "Router light stays red" in play.heard


def test_words_before_any_offer_change_nothing() -> None:
    play = say(Play(plan=LISTENING).to_hold().wait(0), "yes")
    assert (play.new_names, play.texts) == ([], [])
