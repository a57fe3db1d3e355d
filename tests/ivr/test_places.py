"""What is left out as places run short, in which order."""

import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from ivr import places as rules
from ivr.places import MOST_WAITING, THREADS_BESIDE, TURNED_AWAY, Crowded, Left, Places, left_out

PATIENCE_S = 60.0


@pytest.fixture
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    with capture_logs() as lines:
        yield lines


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who wrote to us waits for as long as a test on a busy machine takes."""
    monkeypatch.setattr(rules, "TEXT_WITHIN_S", PATIENCE_S)


@contextmanager
def waiting(places: Places, count: int) -> Iterator[None]:
    """All places are taken and `count` receipts wait for one, for the length of the block."""
    with ExitStack() as taken:
        for _ in range(places.count):
            taken.enter_context(places.turn("voice.menu"))
        threads = [threading.Thread(target=wait, args=(places,)) for _ in range(count)]
        for thread in threads:
            thread.start()
        assert soon(lambda: places._waiting == count)
        yield
    for thread in threads:
        thread.join()


def soon(true: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and not true():
        time.sleep(0.001)
    return true()


def wait(places: Places) -> None:
    with places.turn("texts.incoming"):
        pass


def test_with_a_place_for_everybody_nothing_is_left_out() -> None:
    assert left_out(waiting=0, places=8, turn_s=30.0) is Left.NOTHING


def test_searches_go_first_then_offers_then_announcements_and_turns_last() -> None:
    levels = [left_out(waiting, places=8, turn_s=0.04) for waiting in range(MOST_WAITING + 1)]
    assert levels == sorted(levels)
    assert list(dict.fromkeys(levels)) == list(Left)


def test_short_turns_let_more_wait_before_anything_is_left_out() -> None:
    assert left_out(waiting=30, places=8, turn_s=0.004) is Left.NOTHING
    assert left_out(waiting=30, places=8, turn_s=0.04) is Left.ANNOUNCEMENTS
    assert left_out(waiting=30, places=2, turn_s=0.04) is Left.TURNS


def test_some_threads_are_always_left_to_answer_without_a_turn() -> None:
    assert left_out(waiting=MOST_WAITING - 1, places=8, turn_s=0.0) is Left.NOTHING
    assert left_out(waiting=MOST_WAITING, places=8, turn_s=0.0) is Left.TURNS
    assert MOST_WAITING + TURNED_AWAY < THREADS_BESIDE


def test_no_turn_begins_while_more_come_than_can_be_told_to_hold() -> None:
    places = Places(1)
    with ExitStack() as answers:
        for _ in range(TURNED_AWAY):
            assert places.left_out() is Left.NOTHING
            answers.enter_context(places.turning_away())
        assert places.left_out() is Left.TURNS
        with pytest.raises(Crowded), places.turn("voice.incoming"):
            pass
        with places.turn("texts.incoming"):
            pass
    assert places.left_out() is Left.NOTHING


def test_who_waits_is_turned_away_as_well_then() -> None:
    places = Places(1)
    ended: list[str] = []

    def menu() -> None:
        try:
            with places.turn("voice.menu"):
                ended.append("had a turn")
        except Crowded:
            ended.append("was turned away")

    with ExitStack() as answers:
        with places.turn("voice.menu"):
            waits = threading.Thread(target=menu)
            waits.start()
            until = time.monotonic() + 1
            while not places._waiting and time.monotonic() < until:
                time.sleep(0.001)
            for _ in range(TURNED_AWAY):
                answers.enter_context(places.turning_away())
        waits.join()
    assert ended == ["was turned away"]
    with places.turn("voice.menu"):  # its place came back
        pass


def test_the_wait_loop_gives_way_before_other_turns_and_a_text_never_does(monkeypatch: pytest.MonkeyPatch) -> None:
    places = Places(1)
    places._turn_s = 0.12
    with waiting(places, 1):
        assert places.left_out() is Left.ANNOUNCEMENTS
        with pytest.raises(Crowded), places.turn("voice.hold"):
            pass
        began = time.monotonic()
        with pytest.raises(Crowded), places.turn("voice.menu"):
            pass
        assert time.monotonic() - began > 0.25  # it waited for a place as long as one may
    monkeypatch.setattr(rules, "TURN_WITHIN_S", PATIENCE_S)
    with waiting(places, 3):
        assert places.left_out() is Left.TURNS
        began = time.monotonic()
        for endpoint in ("voice.menu", "voice.incoming", "voice.status", "texts.status"):
            with pytest.raises(Crowded), places.turn(endpoint):
                pass
        assert time.monotonic() - began < PATIENCE_S / 2  # four of them, told at once: none waited for a place
    with places.turn("voice.hold"):
        assert places.left_out() is Left.NOTHING


def test_more_is_told_at_once_and_less_only_after_a_while(logged: list[MutableMapping[str, Any]]) -> None:
    places = Places(1)
    places._turn_s = 0.05
    assert places.quiet()
    with waiting(places, 1):
        with pytest.raises(Crowded), places.turn("voice.menu"):
            pass
        assert not places.quiet()
    places._told_until = time.monotonic() + 60
    with places.turn("voice.menu"):
        pass
    assert [(line["event"], line["what"]) for line in logged] == [("left_out", "searches")]
    places._told_until = time.monotonic()
    with places.turn("voice.menu"):
        pass
    assert [line["what"] for line in logged] == ["searches", "nothing"]
    assert places.quiet()


def test_a_page_waits_for_a_place_and_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivr.places.PAGE_WITHIN_S", 0.05)
    places = Places(1)
    with places.turn("voice.menu"):
        began = time.monotonic()
        with places.page():
            assert places.left_out() is Left.NOTHING
        assert time.monotonic() - began >= 0.05
    with places.page(), pytest.raises(Crowded), places.turn("voice.status"):
        pass
    with places.turn("voice.status"):
        pass


def test_who_waited_for_a_place_waits_so_much_less_for_the_database() -> None:
    places, left = Places(1), []

    def turn() -> None:
        with places.turn("texts.incoming"):
            left.append(places.left_s(0.7))
        left.append(places.left_s(0.7))

    thread = threading.Thread(target=turn)
    with places.turn("voice.menu"):
        assert places.left_s(70.0) > 60.0
        thread.start()
        assert soon(lambda: places._waiting == 1)
        time.sleep(0.15)
    thread.join()
    assert 0.1 <= left[0] < 0.56
    assert left[1] == 0.7  # of the next request
    assert places.left_s(0.01) == 0.1
