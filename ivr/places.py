"""A web process's places to work in, and what is left out when they run short, so that no caller waits for long.

More threads take requests than work on them (ivr/server.py): who waits, waits here, where it is seen and bounded
(docs/load.md).
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import structlog
from psycopg_pool import PoolTimeout

from ivr.watching import shed

log = structlog.get_logger()

MOST_WAITING = 40  # requests of a process that wait for a place
TURNED_AWAY = 8  # so many answers without a turn under way: more come than can even be told to hold
THREADS_BESIDE = 64  # those that wait, and as many as it takes to turn everybody else away
TURN_WITHIN_S = 0.3  # a place comes by then, or the caller holds without a turn
TEXT_WITHIN_S = 2.0  # whoever wrote to us waits, rather than being asked to write again
PAGE_WITHIN_S = 1.0
LEAST_S = 0.1  # for the database, however long the place took
TOLD_FOR_S = 1.0  # what is left out is told no sooner to be less
USUAL_TURN_S = 0.005
_SMOOTH = 1 / 32


class Left(IntEnum):
    """What is left out, each with all before it. Never the hold."""

    NOTHING = 0
    SEARCHES = 1
    OFFERS = 2
    ANNOUNCEMENTS = 3  # a round of the wait loop is music alone, without a turn
    TURNS = 4  # everybody holds, by the document that needs no store


#: seconds that whoever comes now would wait, beyond which each is left out
BEYOND_S = ((Left.SEARCHES, 0.03), (Left.OFFERS, 0.06), (Left.ANNOUNCEMENTS, 0.1), (Left.TURNS, 0.2))

#: what an endpoint is left out with; None: it waits
_WITH: dict[str, Left | None] = {"voice.hold": Left.ANNOUNCEMENTS, "texts.incoming": None}


def left_out(waiting: int, places: int, turn_s: float, turned_away: int = 0) -> Left:
    """What to leave out while `waiting` requests wait for one of `places`, which a turn holds for `turn_s` seconds, and
    `turned_away` are answered without one. Nobody sees how many more the server has; that many under way tell of it."""
    if waiting >= MOST_WAITING or turned_away >= TURNED_AWAY:
        return Left.TURNS
    expected_s = waiting * turn_s / places
    return max((left for left, beyond_s in BEYOND_S if expected_s > beyond_s), default=Left.NOTHING)


class Crowded(PoolTimeout):
    """No place for this request in time."""


class Places:
    """So many requests at a time work in this process, as many as it has connections."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._free = threading.Semaphore(count)
        self._lock = threading.Lock()
        self._waiting = self._turned_away = 0
        self._turn_s = USUAL_TURN_S
        self._told, self._told_until = Left.NOTHING, 0.0
        self._here = threading.local()

    def left_out(self) -> Left:
        """What is left out now."""
        return left_out(self._waiting, self.count, self._turn_s, self._turned_away)

    def quiet(self) -> bool:
        """Whether nothing was left out for a while: what can wait may be done."""
        return self._told is Left.NOTHING or time.monotonic() > self._told_until + TOLD_FOR_S

    @contextmanager
    def turn(self, endpoint: str) -> Iterator[None]:
        """A place for one webhook. Raises Crowded."""
        left = self.left_out()
        if left or self._told:
            self._tell(left)
        gives_way = _WITH.get(endpoint, Left.TURNS)
        if gives_way is not None and left >= gives_way:
            self._refuse(endpoint)
        came = time.monotonic()
        if not self._free.acquire(blocking=False):
            self._wait(endpoint, TURN_WITHIN_S if gives_way is not None else TEXT_WITHIN_S)
        begun = time.monotonic()
        self._here.waited_s = begun - came
        try:
            yield
        finally:
            self._here.waited_s = 0.0
            self._free.release()
            self._turn_s += (time.monotonic() - begun - self._turn_s) * _SMOOTH

    def left_s(self, within_s: float) -> float:
        """Of so many seconds until an answer, those that this thread did not spend waiting for its place."""
        waited_s: float = getattr(self._here, "waited_s", 0.0)
        return max(within_s - waited_s, LEAST_S)

    @contextmanager
    def turning_away(self) -> Iterator[None]:
        """An answer is made for a request that had no place."""
        with self._lock:
            self._turned_away += 1
        try:
            yield
        finally:
            with self._lock:
                self._turned_away -= 1

    @contextmanager
    def page(self) -> Iterator[None]:
        """A place for a page, which goes without when none is free for long: it does not count as waiting."""
        mine = self._free.acquire(timeout=PAGE_WITHIN_S)
        try:
            yield
        finally:
            if mine:
                self._free.release()

    def _wait(self, endpoint: str, within_s: float) -> None:
        with self._lock:
            self._waiting += 1
        try:
            came = self._free.acquire(timeout=within_s)
        finally:
            with self._lock:
                self._waiting -= 1
        if came and self._turned_away >= TURNED_AWAY and endpoint != "texts.incoming":  # answers go before turns
            self._free.release()
            came = False
        if not came:
            self._refuse(endpoint)

    def _refuse(self, endpoint: str) -> None:
        shed.count("announcement" if endpoint == "voice.hold" else "turn")
        raise Crowded("no place in time")

    def _tell(self, left: Left) -> None:
        """More at once; less when it stayed so."""
        now = time.monotonic()
        with self._lock:
            if left == self._told:
                self._told_until = now + TOLD_FOR_S
                return
            if left < self._told and now < self._told_until:
                return
            self._told, self._told_until = left, now + TOLD_FOR_S
        log.warning("left_out", what=left.name.lower(), waiting=self._waiting, turn_ms=round(self._turn_s * 1000, 1))
