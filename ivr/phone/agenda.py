"""The virtual clock and everything that is due on it."""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass
class Due:
    """Something that happens at an instant; `cancel()` makes it not happen."""

    at: datetime
    action: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        """Take it off the agenda."""
        self.cancelled = True


@dataclass
class Agenda:
    """A clock that moves only when told, from one due thing to the next."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    _heap: list[tuple[datetime, int, Due]] = field(default_factory=list)
    _count: "itertools.count[int]" = field(default_factory=itertools.count)

    def after(self, seconds: float, action: Callable[[], None]) -> Due:
        """Put `action` on the agenda `seconds` from now (0 = in this instant, after what is already due)."""
        due = Due(self.now + timedelta(seconds=max(0.0, seconds)), action)
        heapq.heappush(self._heap, (due.at, next(self._count), due))
        return due

    def next_at(self) -> datetime | None:
        """When the next thing is due, or None."""
        while self._heap and self._heap[0][2].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take(self, until: datetime) -> Due | None:
        """Move the clock to the next thing due by `until` and return it, or None when there is none."""
        at = self.next_at()
        if at is None or at > until:
            return None
        due = heapq.heappop(self._heap)[2]
        self.now = max(self.now, due.at)
        return due
