"""The carrier refuses the text because that number takes none: another may be typed, while tries are left."""

from ivr.call.events import HoldKey, TextProgress
from ivr.call.moment import NumberCheck
from ivr.call.prompts import Ask
from ivr.call.state import Keying
from tests.ivr.call.play import ROUTER, Play

REFUSED = (TextProgress(ROUTER.id, "no_line", 21614),)


def refused() -> Play:
    """On hold; the text was asked for, and the carrier refused the calling number."""
    return Play().to_offer().key("1").wait(40, router_1="no_line")


def test_the_caller_is_asked_for_another_number_at_once() -> None:
    play = refused()
    assert play.heard == "[type_number]"
    (ask,) = play.prompts
    assert isinstance(ask, Ask)
    assert (ask.action, ask.keys, ask.finish_key) == ("hold-key", None, "#")
    play.key("2025550144").key("1")
    assert [text.to for text in play.texts] == [None, "+12025550143"]
    assert play.names.count("accepted") == 1
    assert "[arrived]" in play.wait(70, router_1="delivered").heard


def test_a_typed_number_that_is_refused_too_leaves_one_more_try() -> None:
    play = refused().key("2025550144").key("1").wait(60, router_1="no_line")
    assert play.heard == "[number_unusable]"
    play.check = lambda keys: NumberCheck(None, "not_mobile")
    assert play.key("12").heard == "[number_given_up]"
    assert play.state.keying is Keying.NO
    assert len(play.texts) == 2


def test_after_two_refused_typed_numbers_the_text_is_left() -> None:
    play = refused().key("2025550144").key("1").wait(60, router_1="no_line").key("2025550145").key("1")
    assert play.wait(90, router_1="no_line").heard == "[number_given_up]"
    assert play.new_names == ["text_refused"]
    assert "[number_given_up]" not in play.wait(120, router_1="no_line").heard


def test_key_1_before_the_news_asks_for_a_number_instead_of_claiming_it_was_sent() -> None:
    play = Play().to_offer().key("1").rest(3).take(HoldKey("1", REFUSED), "1")
    assert play.heard == "[type_number]"


def test_a_caller_who_types_nothing_keeps_the_place_and_may_hear_it() -> None:
    play = refused().key("0")
    assert play.state.keying is Keying.NO
    assert play.key("2").heard.startswith("Unplug it for a minute.")
