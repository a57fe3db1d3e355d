"""Under a storm a search is done in time or refused; none queues up."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from search.door import Door, SearchBusy


def refused_after(door: Door) -> float:
    """Seconds until a search is refused while another has the only place."""
    over = threading.Event()

    def occupy() -> None:
        with door.entered():
            over.wait(5)

    with ThreadPoolExecutor(1) as threads:
        threads.submit(occupy)
        time.sleep(0.02)
        begun = time.perf_counter()
        with pytest.raises(SearchBusy), door.entered():
            pass
        waited = time.perf_counter() - begun
        over.set()
    return waited


def test_a_search_that_would_come_too_late_is_refused_in_time() -> None:
    door = Door(1, within_s=0.25)
    assert 0.15 < refused_after(door) < 0.5
    with door.entered():
        pass


def test_in_a_storm_as_many_are_done_as_can_be_and_the_rest_is_told_at_once() -> None:
    door = Door(1, most_waiting=10, within_s=0.25)
    done: list[float] = []
    refused: list[float] = []

    def search() -> None:
        begun = time.perf_counter()
        try:
            with door.entered():
                time.sleep(0.02)
            done.append(time.perf_counter() - begun)
        except SearchBusy:
            refused.append(time.perf_counter() - begun)

    with ThreadPoolExecutor(64) as threads:
        for _ in range(64):
            threads.submit(search)
    assert len(done) + len(refused) == 64
    assert 3 <= len(done) <= 20
    assert min(refused) < 0.05


def test_the_slower_searches_are_the_sooner_a_wait_is_given_up() -> None:
    door = Door(1, within_s=0.25)
    for _ in range(3):
        with door.entered():
            time.sleep(0.2)
    assert 0.05 < refused_after(door) < 0.16


def test_few_wait_and_the_next_is_refused_at_once() -> None:
    door, over = Door(1, most_waiting=2, within_s=0.25), threading.Event()
    entered: list[int] = []

    def search(number: int) -> None:
        with door.entered():
            entered.append(number)
            over.wait(5)

    with ThreadPoolExecutor(3) as threads:
        searches = [threads.submit(search, number) for number in range(3)]
        time.sleep(0.03)
        begun = time.perf_counter()
        with pytest.raises(SearchBusy), door.entered():
            pass
        refused_after = time.perf_counter() - begun
        over.set()
        for one in searches:
            one.result()
    assert len(entered) == 3
    assert refused_after < 0.05


def test_an_error_in_a_search_leaves_its_place() -> None:
    door = Door(1)
    for _ in range(3):
        with pytest.raises(ValueError, match="torn"), door.entered():
            raise ValueError("torn")
    with door.entered():
        pass
