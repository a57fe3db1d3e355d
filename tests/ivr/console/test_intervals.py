"""Shares and what is not known about them."""

import pytest
from scipy.stats import binomtest

from ivr.console.intervals import share


@pytest.mark.parametrize(("count", "of"), [(0, 1), (1, 1), (0, 12), (3, 10), (12, 12), (57, 400), (99_999, 100_000)])
def test_an_interval_is_wilsons_at_95_percent(count: int, of: int) -> None:
    expected = binomtest(count, of).proportion_ci(method="wilson")
    found = share(count, of)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert found.mid == count / of


def test_of_nobody_anything_may_be_true() -> None:
    assert (share(0, 0).low, share(0, 0).mid, share(0, 0).high) == (0.0, 0.0, 1.0)


def test_more_that_did_the_second_than_the_first_are_all_of_them() -> None:
    assert share(3, 2).mid == 1.0
