"""What is said about the wait."""

import pytest

from ivr.call.moment import Outlook
from ivr.call.plan import OfferRules
from ivr.call.waits import expected_s, minutes
from tests.ivr.call.play import Play

RULES = OfferRules()


@pytest.mark.parametrize(
    ("wait_s", "span"),
    [
        (0, (1, 1)),
        (60, (1, 1)),
        (61, (1, 2)),
        (180, (2, 4)),
        (390, (5, 8)),
        (750, (10, 15)),
        (3600, (45, 90)),
        (7200, None),
    ],
)
def test_the_wait_is_a_friendly_range_rounded_outward(wait_s: float, span: tuple[int, int] | None) -> None:
    assert minutes(wait_s) == span


def test_the_range_holds_the_estimate() -> None:
    for wait_s in range(61, 6000, 7):
        span = minutes(wait_s)
        assert span is not None
        assert span[0] <= wait_s / 60 <= span[1]


def test_the_expected_wait_is_the_place_times_the_pace() -> None:
    assert expected_s(Outlook(20, 45.0), 4, RULES) == 180


@pytest.mark.parametrize(
    ("outlook", "position"),
    [
        (None, 4),
        (Outlook(19, 45.0), 4),
        (Outlook(20, None), 4),
        (Outlook(20, float("nan")), 4),
        (Outlook(20, 45.0), None),
    ],
)
def test_the_wait_is_unknown_without_enough_to_stand_on(outlook: Outlook | None, position: int | None) -> None:
    assert expected_s(outlook, position, RULES) is None


def hold(pace: float | None = 60.0) -> Play:
    outlook = {"technical": Outlook(20, pace)} if pace else {}
    return Play(outlook=outlook, finds=()).to_hold()


def test_position_and_wait_are_told_first_and_then_only_when_they_fell() -> None:
    play = hold().wait(0, 7)
    assert play.heard == "You are number 7 in line. About 5 to 10 minutes."
    assert play.data("announced") == {"position": 7, "low_min": 5, "high_min": 10}
    assert play.wait(80, 7).heard == ""
    assert play.wait(110, 4).heard == "You are number 4 in line. About 3 to 5 minutes."
    assert play.wait(150, 2).heard == ""
    assert play.wait(190, 2).heard == "You are number 2 in line. About 1 to 3 minutes."
    assert play.wait(280, 5).heard == ""


def test_at_the_head_of_the_line_no_number_is_said() -> None:
    assert hold(45.0).wait(0, 1).heard == "[next_in_line] [wait_one_minute]"


def test_with_few_answered_calls_only_the_position_is_told() -> None:
    play = hold(None).wait(0, 7)
    assert play.heard == "You are number 7 in line."
    assert play.data("announced") == {"position": 7, "low_min": None, "high_min": None}


def test_a_longer_promise_never_follows_a_shorter_one() -> None:
    play = hold().wait(0, 3)
    play.outlook = {"technical": Outlook(20, 300.0)}
    assert play.wait(100, 2).heard == "You are number 2 in line."


def test_a_quoted_wait_that_passed_is_apologised_for_once_and_no_number_follows() -> None:
    play = hold().wait(0, 3)
    assert play.heard == "You are number 3 in line. About 2 to 4 minutes."
    assert play.wait(240, 3).heard == ""
    assert play.wait(241, 3).heard == "[wait_passed]"
    assert play.wait(330, 2).heard == "You are number 2 in line."
    for at in (600, 900):
        assert play.wait(at, 2).heard == ""


def test_an_unknown_position_is_not_told() -> None:
    assert hold().wait(0, None).heard == ""
    assert hold().wait(0, None).key("0").heard == "[still_holding]"
