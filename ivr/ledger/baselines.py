"""The haircut: how many like callers would have given up anyway and not come back, by what the holdout showed.

Known on a day is what had matured LAG before it, and of other channels what was imported before it: a ledger settled
late applies the very same haircuts.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from ivr.ledger.books import MICRO

BINS = (30, 60, 120, 300, 600)  # seconds held when the offer was, or would have been, made
K = 50  # a bin is shrunk to its queue, a queue to the site, by so many callers
ENOUGH = 50  # holdout callers, before whom nothing can be told
LOOK_BACK = timedelta(days=182)
LAG = timedelta(days=3)  # other channels' contacts are imported with a delay
ALL = -1  # the bin of a whole queue
SITE = ""  # the queue of the whole site


class HeldOut(NamedTuple):
    """Holdout callers of a day, queue and bin. `gave_up`: hung up, and no agent within the window; `told_on`: they
    reached us by another channel within it, as was imported on that day."""

    day: date
    queue: str
    bin: int
    held_out: int
    gave_up: int
    told_on: date | None = None


class Handled(NamedTuple):
    """Conversations with agents of a day and queue."""

    day: date
    queue: str
    calls: int
    agent_s: int


class Baseline(NamedTuple):
    """What was known of a queue and bin on a day. `share` in millionths; `agent_ms`: mean time with an agent."""

    day: date
    queue: str
    bin: int
    held_out: int
    gave_up: int
    share: int
    agent_ms: int | None


def bin_of(waited_s: float) -> int:
    """The bin of a wait."""
    return bisect_right(BINS, waited_s)


def baselines(
    day: date, held_out: Iterable[HeldOut], handled: Iterable[Handled], window: timedelta
) -> tuple[Baseline, ...]:
    """What was known on a day: a row for the site, for each queue, and for each bin of it. A share is (x + k m) /
    (n + k), with m that of the queue, and of the site for a queue."""
    matured = day - window - LAG
    counts: defaultdict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    for one in held_out:
        if matured - LOOK_BACK <= one.day < matured:
            for key in ((SITE, ALL), (one.queue, ALL), (one.queue, one.bin)):
                counts[key][0] += one.held_out
                counts[key][1] += one.gave_up if one.told_on is None or one.told_on >= day else 0
    times: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for call in handled:
        if day - LAG - LOOK_BACK <= call.day < day - LAG:
            for queue in {SITE, call.queue}:
                times[queue][0] += call.calls
                times[queue][1] += call.agent_s
    return tuple(_row(day, queue, bin_, counts, times) for queue, bin_ in sorted({(SITE, ALL), *counts, *_all(times)}))


def _all(times: Iterable[str]) -> list[tuple[str, int]]:
    return [(queue, ALL) for queue in times]


def _row(
    day: date, queue: str, bin_: int, counts: dict[tuple[str, int], list[int]], times: dict[str, list[int]]
) -> Baseline:
    n, x = counts.get((queue, bin_), [0, 0])
    calls, agent_s = times.get(queue, [0, 0])
    agent_ms = agent_s * 1000 // calls if calls and bin_ == ALL else None
    return Baseline(day, queue, bin_, n, x, round(_share(queue, bin_, counts) * MICRO), agent_ms)


def _share(queue: str, bin_: int, counts: dict[tuple[str, int], list[int]]) -> float:
    n, x = counts.get((queue, bin_), [0, 0])
    if queue == SITE:
        return x / n if n else 1.0
    mean = _share(SITE, ALL, counts) if bin_ == ALL else _share(queue, ALL, counts)
    return (x + K * mean) / (n + K)


class Haircut(NamedTuple):
    """What is taken off a saving: `share` in millionths, None while the holdout cannot tell."""

    day: date
    share: int | None
    agent_ms: int | None


Known = Mapping[tuple[str, int], Baseline]  # by queue and bin


def haircut(day: date, known: Known, queue: str, waited_s: float) -> Haircut:
    """Of a caller of a queue who had held so long."""
    site = known[SITE, ALL]
    near = known.get((queue, bin_of(waited_s))) or known.get((queue, ALL)) or site
    of_queue = known.get((queue, ALL), site)
    agent_ms = of_queue.agent_ms if of_queue.agent_ms is not None else site.agent_ms
    return Haircut(day, near.share if site.held_out >= ENOUGH else None, agent_ms)
