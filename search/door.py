"""Lets in as many searches at once as there are cores, few to wait, and none that could not be done in time."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

WITHIN_S = 0.25
AT_FIRST_S = 0.02  # what a search takes, before any was timed
# Of the latest search in what one usually takes. Most searches take less than that: it rises sooner than it falls.
WEIGHT_SLOWER, WEIGHT_FASTER = 0.3, 0.05


class SearchBusy(RuntimeError):
    """This search would not be done in time."""


class Door:
    """Shared by all threads of a process that search."""

    def __init__(self, places: int = 1, most_waiting: int = 2, within_s: float = WITHIN_S) -> None:
        """Who waits occupies a thread of the process: where all wait, nobody answers callers who need no search."""
        self._places = threading.Semaphore(places)
        self._of_places, self._most_waiting, self._within_s = places, most_waiting, within_s
        self._waiting, self._usual_s = 0, AT_FIRST_S
        self._lock = threading.Lock()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """A search of its own. Raises `SearchBusy` at once when too many wait or those before it leave too little time,
        and as soon as too little is left."""
        self._enter()
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._places.release()
            with self._lock:
                more = min(time.perf_counter() - begun, self._within_s) - self._usual_s
                self._usual_s += (WEIGHT_SLOWER if more > 0 else WEIGHT_FASTER) * more

    def _enter(self) -> None:
        with self._lock:
            if not self._waiting and self._places.acquire(blocking=False):
                return
            patience = self._within_s - self._usual_s
            before = self._waiting * self._usual_s / self._of_places
            if self._waiting >= self._most_waiting or before > patience:
                raise SearchBusy
            self._waiting += 1
        entered = self._places.acquire(timeout=max(0.0, patience))
        with self._lock:
            self._waiting -= 1
        if not entered:
            raise SearchBusy
