"""How long the worker waits for what."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Times:
    """`lease` is longer than `request`, the longest a send may take; `settle` is comfortably longer than the carrier's
    message list lags behind, for a text missing there counts as not taken only after it."""

    lease: timedelta = timedelta(seconds=45)
    request: timedelta = timedelta(seconds=16)
    settle: timedelta = timedelta(seconds=45)
    look_again: timedelta = timedelta(seconds=10)  # after a look-up that failed
    look_for: timedelta = timedelta(days=1)  # as long as look-ups fail, then it stays unknown
    grace: timedelta = timedelta(seconds=3)  # a queued text is left to its job for so long
    sweep_every_s: float = 2.0
    useful: timedelta = timedelta(minutes=10)  # a text later than this after the yes is none
    senders: int = 4  # texts sent at the same time


DEFAULT = Times()
