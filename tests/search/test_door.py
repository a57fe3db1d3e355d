"""Under a storm a search is done in time or refused; none queues up."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from search.door import Door, SearchBusy

PATIENCE_S = 60.0  # nothing takes as long, however busy the machine


def refused_after(door: Door) -> float:
    """Seconds that a search means to wait until it is refused, while another has the only place."""
    over, inside = threading.Event(), threading.Event()
    meant, acquire = [], door._places.acquire

    def noted(blocking: bool = True, timeout: float | None = None) -> bool:
        if timeout is not None:
            meant.append(timeout)
        return acquire(blocking, timeout)

    def occupy() -> None:
        with door.entered():
            inside.set()
            over.wait(PATIENCE_S)

    with ThreadPoolExecutor(1) as threads, pytest.MonkeyPatch.context() as patch:
        threads.submit(occupy)
        try:
            assert inside.wait(PATIENCE_S)
            patch.setattr(door._places, "acquire", noted)
            begun = time.perf_counter()
            with pytest.raises(SearchBusy), door.entered():
                pass
            took = time.perf_counter() - begun
        finally:
            over.set()
    (seconds,) = meant
    assert seconds - 0.01 < took < PATIENCE_S / 2
    return seconds


def soon(true: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and not true():
        time.sleep(0.001)
    return true()


def test_a_search_that_would_come_too_late_is_refused_in_time() -> None:
    door = Door(1, within_s=0.25)
    assert 0.15 < refused_after(door) < 0.25
    with door.entered():
        pass


def test_in_a_storm_as_many_are_done_as_can_be_and_the_rest_is_told_at_once() -> None:
    door = Door(1, most_waiting=10, within_s=PATIENCE_S)
    refused: list[int] = []

    def search(number: int) -> bool:
        """Whoever is inside stays until all others have come, and those too many have been told."""
        try:
            with door.entered():
                assert soon(lambda: len(refused) == 64 - 11)
        except SearchBusy:
            refused.append(number)
            return False
        return True

    with ThreadPoolExecutor(64) as threads:
        searches = [threads.submit(search, number) for number in range(64)]
    assert sum(one.result() for one in searches) == 11
    assert len(refused) == 53


def test_the_slower_searches_are_the_sooner_a_wait_is_given_up() -> None:
    door = Door(1, within_s=0.25)
    for _ in range(3):
        with door.entered():
            time.sleep(0.2)
    assert 0.05 < refused_after(door) < 0.16


def test_few_wait_and_the_next_is_refused_at_once() -> None:
    door, over = Door(1, most_waiting=2, within_s=PATIENCE_S), threading.Event()
    entered: list[int] = []

    def search(number: int) -> None:
        with door.entered():
            entered.append(number)
            over.wait(PATIENCE_S)

    with ThreadPoolExecutor(3) as threads:
        searches = [threads.submit(search, number) for number in range(3)]
        assert soon(lambda: door._waiting == 2)
        begun = time.perf_counter()
        with pytest.raises(SearchBusy), door.entered():
            pass
        refused_after = time.perf_counter() - begun
        over.set()
        for one in searches:
            one.result()
    assert len(entered) == 3
    assert refused_after < PATIENCE_S / 2  # it did not wait as those two do


def test_an_error_in_a_search_leaves_its_place() -> None:
    door = Door(1)
    for _ in range(3):
        with pytest.raises(ValueError, match="torn"), door.entered():
            raise ValueError("torn")
    with door.entered():
        pass
