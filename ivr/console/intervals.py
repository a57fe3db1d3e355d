"""Shares with what is not known about them: Wilson's interval at 95 %.

By its own formula, which takes a microsecond: `scipy.stats.binomtest`, against which it is tested, takes milliseconds a
share for a test nobody asks for, and seconds to load.
"""

from dataclasses import dataclass
from math import sqrt

Z = 1.959963984540054  # 97.5 % of the normal distribution lie under it


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `of`, and between which shares (0..1) the true one lies. Of nothing: anywhere."""

    count: int
    of: int

    @property
    def mid(self) -> float:
        """The share itself; 0 of nothing."""
        return self.count / self.of if self.of else 0.0

    @property
    def low(self) -> float:
        """The least it may truly be."""
        return self._bounds()[0]

    @property
    def high(self) -> float:
        """The most it may truly be."""
        return self._bounds()[1]

    def _bounds(self) -> tuple[float, float]:
        if not self.of:
            return 0.0, 1.0
        n, p = self.of, self.mid
        middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
        half = Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
        return (0.0 if self.count == 0 else middle - half), (1.0 if self.count == n else middle + half)


def share(count: int, of: int) -> Share:
    """A share. Where more did the second thing than the first, as by a later call, it is all of them."""
    return Share(count, max(count, of))
