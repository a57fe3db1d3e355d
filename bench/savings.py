"""`python -m bench.savings`: what the estimates are worth, tried on months of callers whose truth is known.

At least 4,000 months in memory through the product's own functions (rows of calls, outcomes, haircuts, estimates,
guardrails), and 30 through facts, PostgreSQL and settlement, which have to give the very same. Every figure has its
Monte-Carlo error (one standard error). The seeds are fixed.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import starmap
from math import sqrt
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn
from rich.table import Table

from bench.savings_books import MONTHS, through_books
from bench.savings_callers import ARTICLES, HARMS, HELPS, NOTHING, ONE_HARMS, UNSEEN, Floats, Law
from bench.savings_months import Played, play

SEED = 20_261_122
TENTH = ((0, 0.1),)
PHASES = ((0, 0.5), (21, 0.1))  # as the defaults are: half for three weeks, then a tenth
CHUNK = 10


class Scenario(NamedTuple):
    """Months alike. `looks`: the live figure is looked at daily; `guarded`: so are the guardrails; `timed`: agents'
    minutes are told."""

    name: str
    law: Law
    months: int
    callers: int = 4000
    days: int = 30
    held: tuple[tuple[int, float], ...] = TENTH
    looks: bool = False
    guarded: bool = False
    timed: bool = False
    honest: bool = True  # all contacts are seen: coverage and bias are held to their aims


SCENARIOS = (
    Scenario("helps, a tenth held out", HELPS, 900),
    Scenario("helps, a twentieth", HELPS, 250, held=((0, 0.05),)),
    Scenario("helps, a fifth", HELPS, 250, held=((0, 0.2),)),
    Scenario("helps, half", HELPS, 250, held=((0, 0.5),)),
    Scenario("helps, half then a tenth", HELPS, 500, held=PHASES, timed=True),
    Scenario("helps, a small site", HELPS, 500, callers=500),
    Scenario("changes nothing", NOTHING, 800, days=60, looks=True),
    Scenario("harms", HARMS, 300),
    Scenario("a third comes back unseen", UNSEEN, 250, honest=False),
    Scenario("watched: changes nothing", NOTHING, 150, callers=8000, days=60, held=PHASES, guarded=True),
    Scenario("watched: helps", HELPS, 100, callers=8000, days=60, held=PHASES, guarded=True),
    Scenario("watched: harms", HARMS, 100, callers=8000, days=60, held=PHASES, guarded=True),
    Scenario("watched: one article harms", ONE_HARMS, 100, callers=16_000, days=60, held=PHASES, guarded=True),
)


def _chunk(number: int, first: int, count: int) -> tuple[int, int, list[Played]]:
    one = SCENARIOS[number]
    rest = (one.law, one.callers, one.days, one.held, one.looks, one.guarded, one.timed)
    return number, first, list(starmap(play, ((SEED, number, n, *rest) for n in range(first, first + count))))


def played(share: float, processes: int, console: Console) -> list[list[Played]]:
    """Every scenario's months; `share` of them for a short look."""
    sizes = [max(2, round(one.months * share)) for one in SCENARIOS]
    found: list[dict[int, list[Played]]] = [{} for _ in SCENARIOS]
    columns = ("[progress.description]{task.description}", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with ProcessPoolExecutor(processes) as pool, Progress(*columns, console=console) as progress:
        bar = progress.add_task("months in memory", total=sum(sizes))
        waiting = [
            pool.submit(_chunk, number, first, min(CHUNK, size - first))
            for number, size in enumerate(sizes)
            for first in range(0, size, CHUNK)
        ]
        for done in as_completed(waiting):
            number, first, months = done.result()
            found[number][first] = months
            progress.advance(bar, len(months))
    return [[month for first in sorted(chunks) for month in chunks[first]] for chunks in found]


class Share(NamedTuple):
    """So many of so many."""

    some: int
    of: int

    @property
    def value(self) -> float:
        """The share."""
        return self.some / self.of

    @property
    def error(self) -> float:
        """Its standard error; of none or all, as if one more had been otherwise."""
        p = (self.some + 1) / (self.of + 2)
        return sqrt((self.value * (1 - self.value) or p * (1 - p)) / self.of)

    def __str__(self) -> str:
        return f"{self.value:.1%} ±{self.error:.1%}"


class Mean(NamedTuple):
    """A mean over months and its standard error."""

    value: float
    error: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Mean":
        """Of at least two."""
        return cls(float(np.mean(values)), float(np.std(values, ddof=1) / sqrt(len(values))))


class Found(NamedTuple):
    """What a scenario's months show, in shares of callers treated. `width`: the mean one of an interval."""

    truth: float
    covered: Share
    minutes_covered: Share | None
    errors: list[float]
    width: float
    ledger: Mean
    naive: Mean
    told: Share
    hidden: Share


class Truth(NamedTuple):
    """What an offer does to a caller of each type, on average: contacts and minutes with agents avoided."""

    contacts: Floats
    spoken: Floats

    @classmethod
    def of(cls, months: Sequence[Played]) -> "Truth":
        """From both worlds of every caller of months with one law."""
        callers = np.maximum(1, np.sum([month.callers for month in months], axis=0))
        contacts, spoken = (np.sum([getattr(month, name) for month in months], axis=0) for name in cls._fields)
        return cls(contacts / callers, spoken / callers)


def judged(months: Sequence[Played], truth: Truth) -> Found:
    """Months beside their truth."""
    kept = [(month, month.closed) for month in months if month.closed is not None]
    truths = [float(month.treated @ truth.contacts / month.treated.sum()) for month, _ in kept]
    timed = [
        (month.minutes, float(month.treated @ truth.spoken / month.treated.sum())) for month, _ in kept if month.minutes
    ]

    def mean(of: Callable[[Played], float]) -> Mean:
        return Mean.of([of(month) / float(month.treated.sum()) for month, _ in kept])

    inside = sum(one.difference.low <= t <= one.difference.high for (_, one), t in zip(kept, truths, strict=True))
    return Found(
        truth=float(np.mean(truths)),
        covered=Share(inside, len(kept)),
        minutes_covered=Share(sum(m.low <= t <= m.high for m, t in timed), len(timed)) if timed else None,
        errors=[one.difference.estimate - t for (_, one), t in zip(kept, truths, strict=True)],
        width=float(np.mean([one.difference.high - one.difference.low for _, one in kept])),
        ledger=mean(lambda month: month.ledger),
        naive=mean(lambda month: month.naive),
        told=Share(sum(one.difference.told_from_zero for _, one in kept), len(kept)),
        hidden=Share(sum(one.hidden for _, one in kept), len(kept)),
    )


def _points(one: Mean, truth: float = 0.0) -> str:
    return f"{100 * (one.value - truth):+.2f} ±{100 * one.error:.2f}"


def tell(months: Sequence[Sequence[Played]], console: Console) -> list[str]:
    """The tables; what missed its aim."""
    table = Table(title="The closed month (points of callers; ± one standard error of the simulation)")
    for column in (
        "scenario", "months", "truth", "coverage of 95 %", "of minutes", "incremental's error", "ledger's error",
        "naive's error", "told from zero", "hidden",
    ):  # fmt: skip
        table.add_column(column, justify="left" if column == "scenario" else "right")
    laws = {one.law: Truth.of([m for other, kept in zip(SCENARIOS, months, strict=True) if other.law == one.law
                               for m in kept]) for one in SCENARIOS}  # fmt: skip
    results = [judged(kept, laws[one.law]) for one, kept in zip(SCENARIOS, months, strict=True)]
    for scenario, one, found in zip(SCENARIOS, months, results, strict=True):
        table.add_row(
            scenario.name, str(len(one)), f"{100 * found.truth:+.2f}", str(found.covered),
            str(found.minutes_covered or ""), _points(Mean.of(found.errors)), _points(found.ledger, found.truth),
            _points(found.naive, found.truth), str(found.told), str(found.hidden),
        )  # fmt: skip
    console.print(table)
    honest = [found for scenario, found in zip(SCENARIOS, results, strict=True) if scenario.honest]
    return [*_closed(honest, console), *_live(months, console), *_guarded(months, console)]


def _closed(found: Sequence[Found], console: Console) -> list[str]:
    """All scenarios together, where everything is seen."""
    covered = Share(sum(one.covered.some for one in found), sum(one.covered.of for one in found))
    weights = np.concatenate([np.full(len(one.errors), one.width**-2) for one in found])
    errors = np.concatenate([one.errors for one in found])
    bias = Mean(float(weights @ errors / weights.sum()), float(np.sqrt(weights**2 @ errors**2) / weights.sum()))
    console.print(f"coverage of the closed month's interval, all together: {covered} (aim 95 %)")
    console.print(f"the incremental figure's error, all together: {_points(bias)} points (aim 0)")
    missed = []
    if not abs(covered.value - 0.95) <= 2 * covered.error:
        missed.append("coverage is not 95 % within two standard errors")
    if not abs(bias.value) <= 2 * bias.error:
        missed.append("the incremental figure is off by more than two standard errors")
    return missed


def _live(months: Sequence[Sequence[Played]], console: Console) -> list[str]:
    looked = [one for scenario, kept in zip(SCENARIOS, months, strict=True) if scenario.looks for one in kept]
    alarms = Share(sum(one.false_alarm for one in looked), len(looked))
    console.print(f"live interval, 60 daily looks where nothing changes: false alarms {alarms} (aim under 5 %)")
    return ["the live interval raises 5 % false alarms or more"] if alarms.value >= 0.05 else []


def _guarded(months: Sequence[Sequence[Played]], console: Console) -> list[str]:
    """How often the guardrails fired, and how soon."""
    table = Table(title="Guardrails, looked at daily for two months")
    for column in (
        "scenario",
        "runs",
        "all offers stopped",
        "on day",
        "the bad article paused",
        "on day",
        "a good one",
    ):
        table.add_column(column, justify="left" if column == "scenario" else "right")
    missed = []
    for scenario, kept in zip(SCENARIOS, months, strict=True):
        if not scenario.guarded:
            continue
        watched = [one.watched for one in kept if one.watched is not None]
        bad, harmful = scenario.law.bad, scenario.law is HARMS  # then every article does harm, and none is good
        good = [article for article in range(ARTICLES) if article != bad]
        stops = [one.stopped for one in watched if one.stopped]
        paused = [one.paused[bad] for one in watched if bad is not None and one.paused[bad]]
        stopped, wrong = (
            Share(len(stops), len(watched)),
            Share(sum(any(one.paused[article] for article in good) for one in watched), len(watched)),
        )
        caught = Share(len(paused), len(watched))
        table.add_row(
            scenario.name, str(len(watched)), str(stopped), f"{np.median(stops):.0f}" if stops else "",
            str(caught) if bad is not None else "", f"{np.median(paused):.0f}" if paused else "",
            "" if harmful else str(wrong),
        )  # fmt: skip
        if harmful and stopped.value < 0.9:
            missed.append(f"{scenario.name}: offers were stopped in {stopped} of the runs only")
        if not harmful and (stopped.value > 0.05 + 2 * stopped.error or wrong.value > 0.05 + 2 * wrong.error):
            missed.append(f"{scenario.name}: false alarms of the guardrails")
        if bad is not None and caught.value < 0.9:
            missed.append(f"{scenario.name}: the article was paused in {caught} of the runs only")
    console.print(table)
    return missed


def main() -> int:
    """Exit status 1 where an aim was missed."""
    given = argparse.ArgumentParser(prog="python -m bench.savings", description=__doc__)
    given.add_argument("--share", type=float, default=1.0, help="of the months, for a short look")
    given.add_argument("--books", type=int, default=MONTHS, help="months through facts, PostgreSQL and settlement")
    given.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = given.parse_args()
    console, begun = Console(width=200), time.perf_counter()
    console.print(f"seed {SEED}; a month's own is SeedSequence({SEED}, spawn_key=(scenario, month))")
    missed = tell(played(options.share, options.processes, console), console)
    if options.books:
        missed += through_books(SEED, options.books, console)
    for one in missed:
        console.print(f"[bold red]missed:[/] {one}")
    console.print(f"{time.perf_counter() - begun:.0f} s" + ("" if missed else "; every aim was reached"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
