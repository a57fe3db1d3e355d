"""What the holdout tells, by published examples and by statsmodels."""

from collections.abc import Iterable
from datetime import date, timedelta
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from ivr.ledger.estimate import (
    Arms,
    Cell,
    Interval,
    Numbers,
    always_valid,
    callers_needed,
    contacted,
    incremental,
    minutes,
    newcombe,
    share_at_last,
    weeks_needed,
    wilson,
)

MONDAY = date(2026, 9, 7)
WEEK = timedelta(days=7)


def cells(
    held_out: tuple[int, int],
    treated: tuple[int, int],
    *,
    queue: str = "billing",
    week: date = MONDAY,
    share: float = 0.5,
) -> list[Cell]:
    """(needed an agent, of so many) of each arm."""
    return [
        Cell(queue, week, share, arm, needed, 60 * needed, x if needed else n - x)
        for arm, (x, n) in (("holdout", held_out), ("treat", treated))
        for needed in (True, False)
    ]


def closed(rows: Iterable[Cell]) -> Interval:
    found = incremental(Arms.of(rows), live=False)
    assert found is not None
    return found.difference


def test_newcombes_published_example() -> None:
    found = closed(cells((56, 70), (48, 80)))
    assert [round(one, 4) for one in found] == [0.2, 0.0524, 0.3339]


@given(st.integers(1, 400), st.integers(1, 400), st.data())
def test_one_stratum_is_what_statsmodels_says(m: int, n: int, data: st.DataObject) -> None:
    x, y = data.draw(st.integers(0, m)), data.draw(st.integers(0, n))
    low, high = confint_proportions_2indep(x, m, y, n, method="newcomb")
    found = newcombe(wilson(x / m, m), wilson(y / n, n))
    assert found.low == pytest.approx(low, abs=1e-9)
    assert found.high == pytest.approx(high, abs=1e-9)
    assert closed(cells((x, m), (y, n))) == pytest.approx(found, abs=1e-9)


@given(st.integers(1, 10_000), st.data())
def test_wilsons_interval_is_scipys_and_statsmodels(n: int, data: st.DataObject) -> None:
    x = data.draw(st.integers(0, n))
    found, by_scipy = wilson(x / n, n), binomtest(x, n).proportion_ci(method="wilson")
    assert found[1:] == pytest.approx((by_scipy.low, by_scipy.high), abs=1e-9)
    assert found[1:] == pytest.approx(proportion_confint(x, n, method="wilson"), abs=1e-9)


def test_strata_are_weighted_as_mantel_and_haenszel_do() -> None:
    rows = cells((80, 100), (600, 900), share=0.1) + cells((30, 60), (210, 540), share=0.1, week=MONDAY + WEEK)
    w1, w2 = 100 * 900 / 1000, 60 * 540 / 600
    d1, d2 = 80 / 100 - 600 / 900, 30 / 60 - 210 / 540
    assert closed(rows).estimate == pytest.approx((w1 * d1 + w2 * d2) / (w1 + w2))


def test_strata_tell_as_much_doubt_as_the_known_variance_of_the_weighted_difference() -> None:
    parts = [((800, 1000), (6000, 9000)), ((300, 600), (2100, 5400)), ((90, 900), (400, 8100))]
    rows = [cell for n, (m, t) in enumerate(parts) for cell in cells(m, t, share=0.1, queue=f"q{n}")]
    weights = np.array([m[1] * t[1] / (m[1] + t[1]) for m, t in parts])
    weights /= weights.sum()
    variance = sum(
        w * w * sum(x / n * (1 - x / n) / n for x, n in part) for w, part in zip(weights, parts, strict=True)
    )
    found = closed(rows)
    assert (found.high - found.low) / 2 == pytest.approx(1.959964 * sqrt(variance), rel=0.01)


@pytest.mark.parametrize(("fewer", "told"), [(0, True), (15, False)])
def test_strata_and_the_mantel_haenszel_test_agree_on_what_is_told_from_zero(fewer: int, told: bool) -> None:
    parts = [((80 - fewer, 100), (640, 900)), ((45, 60), (360, 540)), ((20, 40), (150, 360))]
    rows = [cell for n, (m, t) in enumerate(parts) for cell in cells(m, t, share=0.1, queue=f"q{n}")]
    tables = [np.array([[m[0], m[1] - m[0]], [t[0], t[1] - t[0]]]) for m, t in parts]
    assert bool(StratifiedTable(tables).test_null_odds(correction=False).pvalue < 0.05) is told
    assert closed(rows).told_from_zero is told


def test_a_share_that_changes_upsets_nothing() -> None:
    """Half held out in a bad week, a tenth in a good one: all together the holdout looks better than it is."""
    rows = cells((90, 100), (90, 100), share=0.5) + cells((10, 100), (90, 900), share=0.1, week=MONDAY + WEEK)
    assert closed(rows).estimate == 0.0
    both = [row._replace(share=0.1, week=MONDAY) for row in rows]
    assert closed(both).estimate == pytest.approx(0.5 - 0.18)


def test_phases_are_pooled_by_callers_treated() -> None:
    rows = cells((80, 100), (70, 100), share=0.5) + cells((80, 100), (540, 900), share=0.1, week=MONDAY + WEEK)
    found = incremental(Arms.of(rows), live=False)
    assert found is not None
    assert found.difference.estimate == pytest.approx((100 * 0.1 + 900 * 0.2) / 1000)
    assert found.avoided.estimate == pytest.approx(100 * 0.1 + 900 * 0.2)


def test_a_stratum_without_holdout_neither_counts_nor_hinders() -> None:
    rows = cells((56, 70), (48, 80))
    alone = closed(rows)
    assert closed([*rows, Cell("night", MONDAY, 0.5, "treat", True, 60, 3)]) == pytest.approx(alone)
    assert incremental(Arms.of([Cell("night", MONDAY, 0.5, "treat", True, 60, 3)]), live=False) is None
    assert incremental(Arms.of([]), live=True) is None


def test_callers_avoided_are_of_the_phases_that_held_anybody_out() -> None:
    found = incremental(
        Arms.of([*cells((56, 70), (48, 80)), Cell("billing", MONDAY, 0.0, "treat", True, 60, 1000)]), live=False
    )
    assert found is not None
    assert found.avoided.estimate == pytest.approx(16)
    assert (found.treated, found.held_out) == (1080, 70)


def test_a_loss_is_told_as_a_gain_is() -> None:
    better, worse = closed(cells((56, 70), (48, 80))), closed(cells((48, 80), (56, 70)))
    assert (worse.low, worse.high) == pytest.approx((-better.high, -better.low))


def test_arms_that_were_not_drawn_as_designed_hide_the_figure() -> None:
    fine = incremental(Arms.of(cells((100, 110), (600, 890), share=0.1)), live=False)
    odd = incremental(Arms.of(cells((80, 140), (600, 860), share=0.1)), live=False)
    assert fine is not None
    assert odd is not None
    assert not fine.hidden
    assert odd.hidden
    assert odd.odd == pytest.approx(2.4829e-5, rel=1e-3)
    assert Numbers(500, 200.0, odd).headline is None
    assert Numbers(500, 200.0, fine).headline == fine.avoided


def test_the_live_interval_is_the_mixture_of_the_reference() -> None:
    v, t2 = 0.0004, 0.0009
    half = sqrt(v * (v + t2) / t2 * np.log((v + t2) / (0.05**2 * v)))
    assert always_valid(0.1, v) == pytest.approx((0.1, 0.1 - half, 0.1 + half))


def test_the_live_interval_tells_nothing_of_a_handful_of_callers() -> None:
    found = incremental(Arms.of(cells((20, 20), (0, 20))), live=True)
    assert found is not None
    assert found.difference == (1.0, -1.0, 1.0)


@pytest.mark.parametrize(
    ("share", "needed"),
    [
        (0.05, (264_870, 66_340, 29_530, 10_670, 4_180)),
        (0.1, (140_050, 35_140, 15_670, 5_680, 2_240)),
        (0.2, (79_070, 19_910, 8_910, 3_250, 1_290)),
        (0.5, (51_160, 13_010, 5_880, 2_180, 890)),
    ],
)
def test_callers_needed_are_those_of_the_published_table(share: float, needed: tuple[int, ...]) -> None:
    found = [callers_needed(0.8, points / 100, share) for points in (1, 2, 3, 5, 8)]
    assert found == pytest.approx(needed, abs=6)


def test_weeks_until_measurable_are_those_of_the_sites_own_rates() -> None:
    assert weeks_needed(0.8, 0.03, 0.1, 1000) == 16
    assert weeks_needed(0.8, 0.001, 0.1, 1000) is None
    found = incremental(Arms.of(cells((75, 100), (640, 900), share=0.1)), live=False, callers_a_week=500)
    assert found is not None
    assert not found.difference.told_from_zero
    assert found.weeks == weeks_needed(0.75, 0.75 - 640 / 900, 0.1, 500)


def test_once_the_share_held_out_has_fallen_the_weeks_are_those_of_the_new_one() -> None:
    half = cells((75, 100), (72, 100), share=0.5)
    tenth = cells((15, 20), (130, 180), week=MONDAY + WEEK, share=0.1)
    both = [*half, *tenth]
    assert (share_at_last(both), share_at_last(half), share_at_last([])) == (0.1, 0.5, 0.0)
    pooled = incremental(Arms.of(both), live=False, callers_a_week=200)
    now = incremental(Arms.of(both), live=False, callers_a_week=200, share=share_at_last(both))
    assert pooled is not None
    assert now is not None
    assert pooled.weeks is not None
    assert weeks_needed(0.75, now.difference.estimate, 0.1, 200) == now.weeks
    assert (now.weeks or 0) > 2 * pooled.weeks


def test_minutes_are_told_as_by_resampling_each_caller() -> None:
    chance = np.random.default_rng(7)
    rows = [
        Cell("billing", MONDAY, 0.5, arm, bool(s), int(s), 1)
        for arm, gone, n in (("holdout", 0.2, 300), ("treat", 0.35, 300))
        for s in np.where(chance.random(n) < gone, 0, chance.lognormal(4.8, 0.9, n))
    ]
    found = minutes(rows, seed=1)
    assert found is not None
    held, treated = (np.array([row.agent_s for row in rows if row.arm == arm]) / 60 for arm in ("holdout", "treat"))
    again = [chance.choice(held, 299).mean() - chance.choice(treated, 299).mean() for _ in range(4000)]
    assert found.each.estimate == pytest.approx(held.mean() - treated.mean())
    assert found.each[1:] == pytest.approx(np.quantile(again, [0.025, 0.975]), abs=0.06)
    assert found.avoided.estimate == pytest.approx(found.each.estimate * 300)
    assert minutes(rows, seed=1) == found


def test_a_contact_at_the_end_of_the_window_is_outside() -> None:
    agents, others = np.array([np.inf, 604_800, np.inf, 30]), np.array([604_799, np.inf, np.inf, np.inf])
    assert contacted([agents, others], WEEK.total_seconds()).tolist() == [True, False, False, True]
