"""Real time on the desk: a thread moves the carrier's clock, and stories are played beside it."""

import sys
import threading
import time
import traceback
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from ivr.phone.engine import Carrier
from ivr.phone.story import Story
from ivr.phone.story_play import StoryResult, WallClock, play_story

TICK_S = 0.05
LONGEST_TICK_S = 0.5


class Ticker:
    """Moves the clock by the wall, `speed` times as fast; a slow webhook holds it back, never leaps it."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier, self.speed = carrier, 1.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)

    def start(self) -> "Ticker":
        """Let the clock run."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop the clock; returns when it stands."""
        self._stop.set()
        self._thread.join(LONGEST_TICK_S + 20)

    def skip(self, done: Callable[[], bool], limit_s: float) -> None:
        """Jump from one due thing to the next until `done`, at most `limit_s` of the carrier's time."""
        end = self.carrier.now + timedelta(seconds=limit_s)
        while not done() and (left := (end - self.carrier.now).total_seconds()) > 0:
            self.carrier.advance_to_next(left)

    def _run(self) -> None:
        last = time.monotonic()
        while not self._stop.wait(TICK_S):
            now = time.monotonic()
            passed, last = min(now - last, LONGEST_TICK_S), now
            try:
                self.carrier.advance(passed * self.speed)
            except Exception:  # one broken call must not stop the clock of the others
                traceback.print_exc(file=sys.stderr)


class Plays:
    """Stories played on this desk in real time, each in a thread; their lines are read by polling."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._plays: list[dict[str, Any]] = []
        self._one_at_a_time = threading.Lock()

    def start(self, story: Story, *, double: bool) -> int:
        """Begin a story (after those before it); gives its number."""
        play: dict[str, Any] = {"lines": [], "result": None}
        self._plays.append(play)
        threading.Thread(target=self._play, args=(story, play, double), daemon=True).start()
        return len(self._plays) - 1

    def _play(self, story: Story, play: dict[str, Any], double: bool) -> None:
        with self._one_at_a_time:
            crowd, overflow = self._carrier.crowd, self._carrier.overflow
            try:
                play["result"] = play_story(
                    story, self._carrier, pace=WallClock(), double=double, tell=play["lines"].append
                )
            except Exception as problem:  # told to whoever asked for the story
                traceback.print_exc(file=sys.stderr)
                play["result"] = StoryResult(story.title, problems=[f"the test phone failed: {problem!r}"])
            finally:
                self._carrier.crowd, self._carrier.overflow = crowd, overflow

    def seen(self, place: int, after: int) -> dict[str, Any] | None:
        """The lines from `after` on; None for a story nobody began."""
        if not 0 <= place < len(self._plays):
            return None
        play, result = self._plays[place], self._plays[place]["result"]
        lines = list(play["lines"])
        return {
            "lines": lines[after:],
            "done": result is not None,
            "problems": result.problems if result else [],
            "cannot": result.cannot if result else [],
        }
