"""Estimates with their 95 % intervals, in whole numbers: added up, multiplied and rounded."""

from collections.abc import Iterable
from math import isqrt
from typing import NamedTuple

from ivr.ledger.books import MICRO
from ivr.ledger.estimate import Interval


class Band(NamedTuple):
    """An estimate and its 95 % interval, in millionths."""

    estimate: int
    low: int
    high: int

    @classmethod
    def of(cls, interval: Interval) -> "Band":
        """Rounded to millionths."""
        return cls(*(round(one * MICRO) for one in interval))

    @property
    def told(self) -> bool:
        """Whether it can be told from zero."""
        return not self.low <= 0 <= self.high

    def times(self, micro: int) -> "Band":
        """Each multiplied by a factor in millionths, which is not negative."""
        return Band(*(round_half(one * micro, MICRO) for one in self))

    def plus(self, amount: int) -> "Band":
        """Each moved by a certain amount."""
        return Band(*(one + amount for one in self))


def added(bands: Iterable[Band]) -> Band:
    """The sum of independent estimates: their doubts add up as squares do."""
    kept = list(bands)
    estimate = sum(one.estimate for one in kept)
    below = isqrt(sum((one.estimate - one.low) ** 2 for one in kept))
    above = isqrt(sum((one.high - one.estimate) ** 2 for one in kept))
    return Band(estimate, estimate - below, estimate + above)


def round_half(value: int, unit: int) -> int:
    """How many units a value is, halves away from zero."""
    whole = (2 * abs(value) + unit) // (2 * unit)
    return whole if value >= 0 else -whole
