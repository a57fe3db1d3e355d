"""Measures of a ranking and of a gate. Pure.

Rankings are judged over answerable queries: success@k (one relevant article in the first k), MRR@10 (Voorhees 1999),
nDCG@10 with relevance 0 or 1 (Järvelin and Kekäläinen 2002), recall@5.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

DEPTH = 10
RESAMPLES = 2000
MEASURES = ("success@1", "success@5", "MRR@10", "nDCG@10", "recall@5")


def judge(ranked: Sequence[str], relevant: frozenset[str]) -> tuple[float, ...]:
    """One query's value of each of MEASURES."""
    gains = [1.0 if one in relevant else 0.0 for one in ranked[:DEPTH]]
    first = next((place for place, gain in enumerate(gains) if gain), None)
    ideal = sum(1 / math.log2(place + 2) for place in range(min(len(relevant), DEPTH)))
    return (
        float(first == 0),
        float(first is not None and first < 5),
        0.0 if first is None else 1 / (first + 1),
        sum(gain / math.log2(place + 2) for place, gain in enumerate(gains)) / ideal if ideal else 0.0,
        sum(gains[:5]) / len(relevant) if relevant else 0.0,
    )


def interval(ours: Numbers, theirs: Numbers, seed: int = 1) -> tuple[float, float]:
    """95 % interval of the mean difference, paired bootstrap by the percentile method (Efron 1979)."""
    difference = ours - theirs
    if not len(difference):
        return math.nan, math.nan
    draws = np.random.default_rng(seed).integers(0, len(difference), (RESAMPLES, len(difference)))
    low, high = np.percentile(difference[draws].mean(axis=1), (2.5, 97.5))
    return float(low), float(high)


def auroc(answerable: Numbers, unanswerable: Numbers) -> float:
    """Chance that an answerable query scores above an unanswerable one, ties counted half (Mann and Whitney 1947)."""
    if not len(answerable) or not len(unanswerable):
        return math.nan
    both = np.concatenate([answerable, unanswerable])
    order = np.argsort(both, kind="stable")
    _, inverse, counts = np.unique(both[order], return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = np.empty(len(both))
    ranks[order] = ((ends - counts + 1 + ends) / 2)[inverse]
    above = ranks[: len(answerable)].sum() - len(answerable) * (len(answerable) + 1) / 2
    return float(above / (len(answerable) * len(unanswerable)))


@dataclass(frozen=True)
class Gate:
    """Shares of queries: offered an article among answerable and unanswerable ones, offered the right one among
    answerable ones."""

    offered: float
    right: float
    offered_unanswerable: float

    def wrong_share(self, unanswerable: float) -> float:
        """The share of texts that would be wrong when this share of callers had an unanswerable problem."""
        wrong = unanswerable * self.offered_unanswerable + (1 - unanswerable) * (self.offered - self.right)
        texts = unanswerable * self.offered_unanswerable + (1 - unanswerable) * self.offered
        return wrong / texts if texts else 0.0

    def served(self, unanswerable: float) -> float:
        """The share of all callers who get the right article, at this share of unanswerable problems."""
        return (1 - unanswerable) * self.right


def gate(offers: npt.NDArray[np.bool_], right: npt.NDArray[np.bool_], answerable: npt.NDArray[np.bool_]) -> Gate:
    """The shares of decisions taken; each array has one entry a query."""
    has, none = answerable, ~answerable
    return Gate(
        offered=float(offers[has].mean()) if has.any() else math.nan,
        right=float((offers & right)[has].mean()) if has.any() else math.nan,
        offered_unanswerable=float(offers[none].mean()) if none.any() else math.nan,
    )


def gate_at(scores: Numbers, right: npt.NDArray[np.bool_], answerable: npt.NDArray[np.bool_], most: float) -> Gate:
    """The gate of a threshold on `scores` that lets at most the share `most` of unanswerable queries through."""
    none = np.sort(scores[~answerable])[::-1]
    allowed = int(most * len(none))
    threshold = none[allowed] if allowed < len(none) else -math.inf
    return gate(scores > threshold, right, answerable)
