"""Measures against values worked out by hand."""

import math

import numpy as np
import pytest

from search.evaluation.measures import auroc, gate, gate_at, interval, judge


def test_a_right_article_in_third_place() -> None:
    success1, success5, mrr, ndcg, recall = judge(["x", "y", "a", "z"], frozenset({"a"}))
    assert (success1, success5, recall) == (0.0, 1.0, 1.0)
    assert mrr == pytest.approx(1 / 3)
    assert ndcg == pytest.approx(1 / math.log2(4))


def test_two_right_articles_the_second_in_sixth_place() -> None:
    success1, _, mrr, ndcg, recall = judge(["a", "v", "w", "x", "y", "b"], frozenset({"a", "b"}))
    assert (success1, mrr, recall) == (1.0, 1.0, 0.5)
    assert ndcg == pytest.approx((1 + 1 / math.log2(7)) / (1 + 1 / math.log2(3)))


def test_what_comes_after_ten_does_not_count() -> None:
    assert judge([*"abcdefghij", "right"], frozenset({"right"})) == (0.0, 0.0, 0.0, 0.0, 0.0)


def test_auroc_counts_ties_half() -> None:
    assert auroc(np.array([3.0, 1.0]), np.array([1.0, 0.0])) == pytest.approx((1 + 1 + 0.5 + 1) / 4)
    assert math.isnan(auroc(np.array([1.0]), np.array([])))


def test_an_interval_of_equal_systems_is_nought_and_of_a_better_one_above_it() -> None:
    ours = np.tile([1.0, 0.0, 1.0, 1.0], 50)
    assert interval(ours, ours) == (0.0, 0.0)
    low, high = interval(ours, np.zeros(200))
    assert 0.65 < low < 0.75 < high < 0.85
    assert interval(ours, np.zeros(200)) == (low, high)  # the same draw each time


def test_the_gate_lets_no_more_than_the_told_share_of_unanswerable_ones_through() -> None:
    answerable = np.array([True] * 4 + [False] * 10)
    scores = np.array([0.95, 0.8, 0.5, 0.1, *np.linspace(0.0, 0.9, 10)])
    right = np.array([True, False, True, True] + [False] * 10)
    shares = gate_at(scores, right, answerable, 0.10)
    assert shares.offered_unanswerable == 0.1
    assert (shares.offered, shares.right) == (0.25, 0.25)  # above 0.8, the tenth unanswerable one left out


def test_wrong_texts_follow_from_the_base_rate() -> None:
    shares = gate(np.array([1, 1, 0, 1, 0], bool), np.array([1, 0, 0, 0, 0], bool), np.array([1, 1, 1, 0, 0], bool))
    assert shares.offered == pytest.approx(2 / 3)
    assert shares.right == pytest.approx(1 / 3)
    assert shares.offered_unanswerable == 0.5
    assert shares.wrong_share(0.5) == pytest.approx((0.25 + 1 / 6) / (0.25 + 1 / 3))
    assert shares.served(0.5) == pytest.approx(1 / 6)
