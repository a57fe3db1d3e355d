"""What the offers avoided, told from the holdout: callers who were offered an article beside those who were not.
measurement.md 2.6; docs/decisions/0051 says why each way was chosen.

The unit is a caller's first exposure in a period. The figure is intention to treat: how many fewer of those who were
offered needed an agent within the window, the call itself included. Pure: numpy and scipy beside the standard library.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, log, sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, ndtri

LEVEL = 0.95
MIXING = 0.03**2  # the variance of effects the live interval is tuned to: three points
ODD = 0.001  # arms in a ratio less likely than this were not drawn as designed: no figure is shown
ENOUGH = 30  # callers in either arm, before whom the live interval tells nothing
REPLICATES = 2000
POWER = 0.8
LEAST = 0.005  # an effect smaller than half a point is not planned for

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Values = npt.NDArray[np.int64]


class Cell(NamedTuple):
    """Callers alike: `share` is the holdout share they were drawn with, `contacted` whether an agent was needed within
    the window, `agent_s` how long agents spoke with each of them within it."""

    queue: str
    week: date  # its Monday
    share: float
    arm: str  # treat or holdout
    contacted: bool
    agent_s: int
    callers: int


def contacted(contacts_s: Sequence[Floats], window_s: float) -> Bools:
    """Who needed an agent within the window; a contact exactly at its end is outside. Each array holds when callers
    first had a contact of one kind, in seconds since the call that exposed them began, infinite for never."""
    first: Floats = np.minimum.reduce(list(contacts_s))
    return first < window_s


class Interval(NamedTuple):
    """An estimate and its doubt."""

    estimate: float
    low: float
    high: float

    @property
    def told_from_zero(self) -> bool:
        """Whether zero is outside."""
        return not self.low <= 0 <= self.high

    def times(self, factor: float) -> "Interval":
        """Each multiplied, by what is not negative."""
        return Interval(*(one * factor for one in self))


def wilson(share: float, callers: float, level: float = LEVEL) -> Interval:
    """Wilson's score interval of a share. `callers` need not be whole: strata make an effective number."""
    if callers <= 0:
        return Interval(share, 0.0, 1.0)
    z = -float(ndtri((1 - level) / 2))
    shrunk = 1 + z * z / callers
    centre = (share + z * z / (2 * callers)) / shrunk
    half = z / shrunk * sqrt(share * (1 - share) / callers + z * z / (4 * callers * callers))
    return Interval(share, max(0.0, centre - half), min(1.0, centre + half))


def newcombe(one: Interval, other: Interval) -> Interval:
    """The difference of two shares, from their Wilson intervals: Newcombe's hybrid score interval (his method 10)."""
    d = one.estimate - other.estimate
    low = d - sqrt((one.estimate - one.low) ** 2 + (other.high - other.estimate) ** 2)
    high = d + sqrt((one.high - one.estimate) ** 2 + (other.estimate - other.low) ** 2)
    return Interval(d, low, high)


def always_valid(d: float, variance: float, alpha: float = 1 - LEVEL) -> Interval:
    """The interval that holds at every look at once, however often one looks: a normal mixture (Johari, Pekelis and
    Walsh)."""
    half = sqrt(variance * (variance + MIXING) / MIXING * log((variance + MIXING) / (alpha * alpha * variance)))
    return Interval(d, max(-1.0, d - half), min(1.0, d + half))


@dataclass(frozen=True, slots=True)
class Arms:
    """Callers by stratum (queue, week and holdout share), each an array over the strata: `held_out` and `treated` of
    them, and the sums of what is measured of them (for a share: how many)."""

    share: Floats
    held_out: Floats
    treated: Floats
    held_out_sum: Floats
    treated_sum: Floats

    @classmethod
    def of(cls, cells: Iterable[Cell]) -> "Arms":
        """Who needed an agent."""
        found: defaultdict[tuple[float, str, date], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for cell in cells:
            counts = found[cell.share, cell.queue, cell.week]
            place = 0 if cell.arm == "holdout" else 1
            counts[place] += cell.callers
            counts[place + 2] += cell.callers * cell.contacted
        table = np.array([(key[0], *found[key]) for key in sorted(found)], dtype=np.float64).reshape(-1, 5)
        return cls(*table.T)

    def weights(self) -> Floats:
        """What each stratum counts for; they add up to one, or are all zero where nothing can be compared.

        Among strata drawn with one share: Mantel and Haenszel's, m n / (m + n), which no stratum with few callers held
        out can upset. Between shares: by callers treated, for the figure is what was avoided among these.
        """
        both = self.held_out + self.treated
        mantel = np.divide(self.held_out * self.treated, both, out=np.zeros_like(both), where=both > 0)
        weights = np.zeros_like(mantel)
        for share in np.unique(self.share):
            phase = self.share == share
            if total := mantel[phase].sum():
                weights[phase] = mantel[phase] / total * self.treated[phase].sum()
        total = weights.sum()
        return weights / total if total else weights

    @property
    def compared(self) -> float:
        """Callers treated in phases that held anybody out: those the figure speaks of."""
        weighed = np.unique(self.share[self.weights() > 0])
        return float(self.treated[np.isin(self.share, weighed)].sum())

    def odd(self) -> float:
        """The chance of arms so far from their design, by chi-square over the phases; 1 where nothing was drawn."""
        statistic, phases = 0.0, 0
        for share in np.unique(self.share):
            if not 0 < share < 1:
                continue
            phase = self.share == share
            held_out, total = self.held_out[phase].sum(), (self.held_out + self.treated)[phase].sum()
            if total:
                statistic += float((held_out - share * total) ** 2 / (total * share * (1 - share)))
                phases += 1
        return float(chdtrc(phases, statistic)) if phases else 1.0


class Pooled(NamedTuple):
    """A share over strata, and how many callers of a single stratum would tell it as well."""

    share: float
    callers: float

    @property
    def variance(self) -> float:
        """Of the share; never zero, as if one more had and one more had not."""
        share = (self.share * self.callers + 1) / (self.callers + 2)
        return share * (1 - share) / self.callers


def pooled(callers: Floats, sums: Floats, weights: Floats) -> Pooled:
    """A weighted share. For one stratum its own; differences between strata do not count as doubt."""
    used = weights > 0
    n, x, w = callers[used], sums[used], weights[used]
    if not len(n):
        return Pooled(0.0, 0.0)
    p, parts = x / n, w * w / n
    share, spread = float(w @ p), float(parts.sum())
    within, many = _within(p, n, parts)
    whole = within and float(many[0] * (1 - many[0])) * many[1] / (many[1] - 1)
    ratio = min(1.5, max(0.25, within / whole)) if whole else 1.0
    return Pooled(min(1.0, max(0.0, share)), 1 / (spread * ratio))


def _within(p: Floats, n: Floats, parts: Floats) -> tuple[float, tuple[float, float]]:
    """The mean variance of a caller within strata, without bias; the share and number of those it is told from."""
    some = n > 1
    if not some.any():
        return 0.0, (0.0, 2.0)
    p, n, parts = p[some], n[some], parts[some] / parts[some].sum()
    return float(parts @ (p * (1 - p) * n / (n - 1))), (float(parts @ p), float(n.sum()))


@dataclass(frozen=True, slots=True)
class Incremental:
    """What the holdout tells. `difference` in shares of callers, `avoided` in callers who needed no agent; both are
    negative where offers made it worse. `odd`: how likely the sizes of the arms are; `weeks`: until the difference
    could be told from zero at this rate, None when it can be, or when it is too small to plan for."""

    treated: int
    held_out: int
    needed_treated: float
    needed_held_out: float
    difference: Interval
    avoided: Interval
    odd: float
    weeks: int | None

    @property
    def hidden(self) -> bool:
        """Whether the arms were not drawn as designed: the figure may not be shown."""
        return self.odd < ODD


def share_at_last(cells: Iterable[Cell]) -> float:
    """The holdout share that callers of the last week were drawn with, the lower one where it changed in it; 0 without
    any."""
    return min(((-cell.week.toordinal(), cell.share) for cell in cells), default=(0, 0.0))[1]


def incremental(
    arms: Arms, *, live: bool, callers_a_week: float = 0.0, share: float | None = None
) -> Incremental | None:
    """The estimate of matured exposures; none where nothing can be compared. While a month is open (`live`) its
    interval is the always-valid one, for what is looked at daily; that of a closed month is Newcombe's. Weeks until it
    can be told from zero are foretold for a holdout share, by default that of all these callers."""
    weights = arms.weights()
    held, treated = pooled(arms.held_out, arms.held_out_sum, weights), pooled(arms.treated, arms.treated_sum, weights)
    if not weights.any():
        return None
    if live:
        difference = always_valid(held.share - treated.share, held.variance + treated.variance)
        if min(held.callers, treated.callers) < ENOUGH:
            difference = difference._replace(low=-1.0, high=1.0)
    else:
        difference = newcombe(wilson(*held), wilson(*treated))
    held_out, all_treated = int(arms.held_out.sum()), int(arms.treated.sum())
    weeks = None
    if not difference.told_from_zero:
        drawn = held_out / (held_out + all_treated) if share is None else share
        weeks = weeks_needed(held.share, difference.estimate, drawn, callers_a_week)
    avoided = difference.times(arms.compared)
    return Incremental(all_treated, held_out, treated.share, held.share, difference, avoided, arms.odd(), weeks)


def callers_needed(held_out: float, difference: float, share: float, power: float = POWER) -> int:
    """Eligible callers in both arms until a difference of shares can be told from zero, at 5 % and this power.
    `held_out`: the share who needed an agent there; `share`: of the holdout."""
    z = -float(ndtri((1 - LEVEL) / 2) + ndtri(1 - power))
    treated = min(1.0, max(0.0, held_out - difference))
    spread = held_out * (1 - held_out) / share + treated * (1 - treated) / (1 - share)
    return ceil(z * z * spread / difference**2)


def weeks_needed(held_out: float, difference: float, share: float, callers_a_week: float) -> int | None:
    """Weeks until a difference can be told from zero, at a site's own rates; none where it cannot be foreseen."""
    if abs(difference) < LEAST or callers_a_week <= 0 or not 0 < share < 1:
        return None
    return ceil(callers_needed(held_out, difference, share) / callers_a_week)


class Minutes(NamedTuple):
    """Agents' minutes avoided: of a caller, and among all treated."""

    each: Interval
    avoided: Interval


def minutes(cells: Iterable[Cell], *, seed: int, replicates: int = REPLICATES, level: float = LEVEL) -> Minutes | None:
    """Agents' minutes within the window that treated callers did not need, by bootstrap within arm and stratum.

    Callers alike are drawn together (a multinomial), so a million cost no more than their distinct minutes. One fewer
    than there are is drawn of each stratum: small ones would tell too little doubt (Rao and Wu).
    """
    kept = list(cells)
    arms, found = Arms.of(kept), _histograms(kept)
    weights, chance = arms.weights(), np.random.default_rng(seed)
    if not weights.any():
        return None
    estimate, drawn = 0.0, np.zeros(replicates)
    for stratum, weight in zip(sorted(found), weights, strict=True):
        for arm, sign in (("holdout", 1.0), ("treat", -1.0)) if weight else ():
            seconds, callers = found[stratum][arm]
            total = int(callers.sum())
            estimate += sign * weight * float(seconds @ callers) / total
            draw = chance.multinomial(max(1, total - 1), callers / total, size=replicates)
            drawn += sign * weight * (draw @ seconds) / max(1, total - 1)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    each = Interval(estimate / 60, float(low) / 60, float(high) / 60)
    return Minutes(each, each.times(arms.compared))


def _histograms(cells: Iterable[Cell]) -> dict[tuple[float, str, date], dict[str, tuple[Values, Values]]]:
    """Stratum -> arm -> (seconds with agents, callers with so many)."""
    counts: defaultdict[tuple[float, str, date], defaultdict[str, defaultdict[int, int]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(int))
    )
    for cell in cells:
        counts[cell.share, cell.queue, cell.week][cell.arm][cell.agent_s] += cell.callers
    return {
        stratum: {
            arm: (np.fromiter(seconds, dtype=np.int64), np.fromiter(seconds.values(), dtype=np.int64))
            for arm, seconds in by_arm.items()
        }
        for stratum, by_arm in counts.items()
    }


@dataclass(frozen=True, slots=True)
class Numbers:
    """The three numbers finance sees, in contacts with agents. `naive`: texts delivered to callers who hung up;
    `ledger`: confirmed, less haircut and what was taken back; `incremental`: None where nothing can be compared."""

    naive: int
    ledger: float
    incremental: Incremental | None

    @property
    def headline(self) -> Interval | None:
        """The figure to show large: the incremental one, once it can be told from zero and the arms are as drawn."""
        one = self.incremental
        return one.avoided if one and not one.hidden and one.difference.told_from_zero else None
