"""A month of callers through the product's own functions: rows of calls, outcomes, haircut, estimates, guardrails."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from bench.savings_callers import (
    ARTICLES,
    DAY_S,
    MONDAY,
    QUEUES,
    SEASONS,
    WEEK_S,
    WINDOW_S,
    Bools,
    Floats,
    Ints,
    Law,
    Lived,
    Month,
    month,
)  # fmt: skip
from ivr.ledger.baselines import Handled, HeldOut, baselines, bin_of, haircut
from ivr.ledger.estimate import Arms, Cell, Incremental, Interval, contacted, incremental, minutes
from ivr.ledger.guardrails import Alarm, Tally, alarms
from ivr.ledger.outcomes import WINDOW, Contact, Kind, judge
from ivr.ledger.summary import Caller, Summary, summarize

NAMES = ("billing", "internet", "orders")
TYPES = len(QUEUES) * len(SEASONS)  # callers of one queue in one season are alike
NOBODY = summarize(Caller("", "", "en", False, datetime(2026, 1, 1, tzinfo=UTC), None, None), ())
HISTORY = 60_000  # callers, of whom those without an offer tell the haircut


def lived(one: Month) -> Lived:
    """What each caller of a month did, as the arm fell."""
    return Lived(
        *(
            np.where(one.held_out, getattr(one.not_offered, name), getattr(one.offered, name))
            for name in Lived.__dataclass_fields__
        )
    )


def needed(did: Lived, *, truly: bool = False) -> Bools:
    """Who needed an agent within the window; `truly`: by channels that are not connected, too."""
    seen = [did.agent_at_s, did.next_agent_s, did.next_other_s]
    return contacted([*seen, did.unseen_s] if truly else seen, WINDOW_S)


def spoken_s(did: Lived) -> Ints:
    """Seconds with agents within the window."""
    again = np.where(did.next_call_s < WINDOW_S, did.next_agent_for_s, 0.0)
    return np.rint(did.agent_s).astype(np.int64) + np.rint(again).astype(np.int64)


def cells(one: Month, did: Lived, among: Bools, *, spoken: bool = False) -> list[Cell]:
    """The matured callers, counted by those alike; how long agents spoke only where it is asked for."""
    week = (one.began_s // WEEK_S).astype(np.int64)
    seconds = spoken_s(did) if spoken else np.zeros(one.callers, dtype=np.int64)
    keys, counts = _alike((one.queue, week, _share(one), one.held_out, needed(did), seconds), among & one.keyed)
    return [
        Cell(NAMES[queue], one.monday + timedelta(weeks=int(w)), share / 10_000, _arm(held), bool(yes), int(s), int(n))
        for queue, w, share, held, yes, s, n in zip(*keys, counts, strict=True)
    ]


def _share(one: Month) -> Ints:
    return np.rint(one.share * 10_000).astype(np.int64)


def _alike(columns: Sequence[Ints | Bools], among: Bools) -> tuple[tuple[Ints, ...], Ints]:
    """Whatever stands together in these columns, and how often."""
    given = [column[among].astype(np.int64) for column in columns]
    sizes = tuple(int(column.max(initial=0)) + 1 for column in given)
    codes, counts = np.unique(np.ravel_multi_index(given, sizes), return_counts=True)
    return np.unravel_index(codes, sizes), counts


def _arm(held_out: int) -> str:
    return "holdout" if held_out else "treat"


def summaries(one: Month, did: Lived) -> Iterator[tuple[Summary, list[Contact], float]]:
    """The rows of treated callers who had a text delivered, what they did later, and how long they had held."""
    for n in np.flatnonzero(did.delivered & one.keyed):
        began = one.began + timedelta(seconds=float(one.began_s[n]))

        def at(seconds: Floats, n: int = int(n), began: datetime = began) -> datetime | None:
            return began + timedelta(seconds=float(seconds[n])) if seconds[n] < np.inf else None

        gone = bool(did.gone[n])
        row = NOBODY._replace(
            call_sid=str(n), caller_key=str(n), started_at=began, queue=NAMES[one.queue[n]], arm="treat", texts=1,
            delivered=1, used_at=at(did.used_s), solved_at=at(did.said_solved_s), not_at=at(did.said_not_s),
            hung_up_at=at(did.left_s) if gone else None, agent_at=None if gone else at(did.left_s),
        )  # fmt: skip
        later = [
            Contact(when, channel, channel, channel == "call")
            for when, channel in ((at(did.next_call_s), "call"), (at(did.next_other_s), "other"))
            if when is not None
        ]
        yield row, later, float(one.offer_s[n])


@lru_cache(maxsize=8)
def shares(law: Law) -> dict[tuple[int, int], float]:
    """(queue, bin) -> the haircut there, by what a long time of holding out shows."""
    past = month(np.random.default_rng(1), law, callers=HISTORY, days=28, shares=((0, 1.0),))
    did = past.not_offered
    gave_up = did.gone & ~needed(did)
    bins = np.array([bin_of(s) for s in past.offer_s])
    rows = []
    for queue, name in enumerate(NAMES):
        for bin_ in np.unique(bins):
            here = (past.queue == queue) & (bins == bin_)
            rows.append(
                HeldOut(MONDAY - timedelta(days=60), name, int(bin_), int(here.sum()), int(gave_up[here].sum()))
            )
    handled = (Handled(MONDAY - timedelta(days=60), NAMES[0], 1, 1),)
    known = {(row.queue, row.bin): row for row in baselines(MONDAY, rows, handled, WINDOW)}
    return {
        (queue, bin_): (haircut(MONDAY, known, NAMES[queue], held_s).share or 0) / 1e6
        for queue in range(len(NAMES))
        for bin_, held_s in {bin_of(s): float(s) for s in range(15, 120)}.items()
    }


def ledger(one: Month, did: Lived) -> float:
    """Contacts the ledger confirms, less the haircut."""
    now = one.began + timedelta(days=120)
    cut, total = shares(one.law), 0.0
    for row, later, held_s in summaries(one, did):
        if judge(row, later, WINDOW, now).kind in (Kind.CONFIRMED_EXPLICIT, Kind.CONFIRMED_INFERRED):
            total += 1 - cut[NAMES.index(row.queue or ""), bin_of(held_s)]
    return total


def tallies(one: Month, did: Lived, day: int, live: Bools) -> list[Tally]:
    """What the guardrails see in the morning of a day, of articles that are `live`."""
    now = day * DAY_S
    among = (one.began_s < now - DAY_S) & one.keyed & live[one.article]
    matured = one.began_s < now - WINDOW_S
    repeat = np.minimum(did.next_call_s, did.next_other_s) < WINDOW_S
    counted = np.array((
        among, did.gone & ~(did.used_s < np.inf), matured, matured & needed(did), matured & repeat,
        did.accepted, did.opted_out,
    ))[:, among]  # fmt: skip
    week = (one.began_s // WEEK_S).astype(np.int64)
    given = [column[among].astype(np.int64) for column in (one.article, one.queue, week, _share(one), one.held_out)]
    sizes = tuple(int(column.max(initial=0)) + 1 for column in given)
    codes, place = np.unique(np.ravel_multi_index(given, sizes), return_inverse=True)
    sums = [np.bincount(place, weights=what, minlength=len(codes)).astype(int).tolist() for what in counted]
    return [
        Tally(f"a{a}", NAMES[q], one.monday + timedelta(weeks=int(w)), s / 10_000, _arm(h), *counts)
        for a, q, w, s, h, counts in zip(*np.unravel_index(codes, sizes), zip(*sums, strict=True), strict=True)
    ]


class Watched(NamedTuple):
    """What the guardrails did: when all offers were stopped, and when each article was paused; days, 0 for never."""

    stopped: int
    paused: tuple[int, ...]


def watch(one: Month, did: Lived, days: int) -> Watched:
    """Look every morning, and act as the job does."""
    live, paused = np.ones(ARTICLES, dtype=bool), [0] * ARTICLES
    for day in range(2, days + 1):
        found: list[Alarm] = alarms(tallies(one, did, day, live))
        for alarm in found:
            if alarm.article is None:
                return Watched(day, tuple(paused))
            paused[int(alarm.article[1:])] = day
            live[int(alarm.article[1:])] = False
    return Watched(0, tuple(paused))


def false_alarm(one: Month, did: Lived, days: int) -> bool:
    """Whether the live figure was ever told from zero, looked at every morning."""
    for day in range(8, days + 1):
        found = incremental(Arms.of(cells(one, did, one.began_s < day * DAY_S - WINDOW_S)), live=True)
        if found is not None and found.difference.told_from_zero:
            return True
    return False


@dataclass(frozen=True, slots=True)
class Played:
    """What came of one month. Arrays by type of caller: how many, how many treated, contacts and minutes truly avoided
    by an offer, added up over everybody."""

    closed: Incremental | None
    minutes: Interval | None
    naive: int
    ledger: float
    callers: Floats
    treated: Floats
    contacts: Floats
    spoken: Floats
    false_alarm: bool
    watched: Watched | None


def play(seed: int, scenario: int, n: int, law: Law, callers: int, days: int, held: tuple[tuple[int, float], ...],
         looks: bool, guarded: bool, timed: bool) -> Played:  # fmt: skip
    """One month, from its own seed."""
    chance = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(scenario, n)))
    one = month(chance, law, callers=callers, days=days, shares=held)
    did, everybody = lived(one), np.ones(one.callers, dtype=bool)
    kept = cells(one, did, everybody, spoken=timed)
    seconds = minutes(kept, seed=n) if timed else None
    kinds = one.queue * len(SEASONS) + one.season

    def by_type(what: Floats | Bools) -> Floats:
        return np.bincount(kinds[one.keyed], weights=what[one.keyed], minlength=TYPES).astype(np.float64)

    treated = ~one.held_out
    without, offered = one.not_offered, one.offered
    more = needed(without, truly=True).astype(float) - needed(offered, truly=True)
    return Played(
        closed=incremental(Arms.of(kept), live=False),
        minutes=seconds.each if seconds else None,
        naive=int((did.delivered & did.gone & one.keyed).sum()),
        ledger=ledger(one, did),
        callers=by_type(everybody),
        treated=by_type(treated),
        contacts=by_type(more),
        spoken=by_type((spoken_s(without) - spoken_s(offered)) / 60),
        false_alarm=looks and false_alarm(one, did, days + 8),
        watched=watch(one, did, days + 8) if guarded else None,
    )
