"""Base against tuned: the askers of threads held back must find the answers they got. Pure numpy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search.article import Article
from search.encoder import Vectors
from search.evaluation.measures import DEPTH, interval

TITLE, QUESTION, ANSWER = range(3)
_QUERIES_PER_RUN = 64


@dataclass(frozen=True)
class Passages:
    """All passages of a community, an article's together: their texts, articles' positions and kinds."""

    texts: tuple[str, ...]
    owners: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Comparison:
    """Means over the held-back threads, and the 95 % interval of the difference in MRR@10 (paired bootstrap)."""

    threads: int
    base: dict[str, float]
    tuned: dict[str, float]
    low: float
    high: float

    @property
    def won(self) -> bool:
        """Whether the tuned model is better beyond chance."""
        return self.low > 0


def passages_of(articles: Sequence[Article]) -> Passages:
    """Title, question and each answer apart."""
    rows = [
        (text, place, kind)
        for place, article in enumerate(articles)
        for text, kind in (
            (article.title, TITLE),
            (article.question, QUESTION),
            *((answer.text, ANSWER) for answer in article.answers),
        )
        if text
    ]
    texts, owners, kinds = zip(*rows, strict=True)
    return Passages(texts, np.array(owners), np.array(kinds))


def places(vectors: Vectors, passages: Passages, asked: Vectors, threads: Sequence[int]) -> npt.NDArray[np.int64]:
    """For each asker (`asked[i]` the words of the thread at position `threads[i]`) the place, from 1, at which
    an answer of the own thread is found. Its own title and question are not looked at: they are the asker's
    words again. Of articles equally near the own one is the last, so doubled answers earn nothing."""
    starts = np.flatnonzero(np.diff(passages.owners, prepend=-1))
    found = np.empty(len(threads), dtype=np.int64)
    for first in range(0, len(threads), _QUERIES_PER_RUN):
        own = np.asarray(threads[first : first + _QUERIES_PER_RUN])
        scores = asked[first : first + len(own)] @ vectors.T
        scores[(passages.owners == own[:, None]) & (passages.kinds != ANSWER)] = -2.0
        best = np.maximum.reduceat(scores, starts, axis=1)
        mine = best[np.arange(len(own)), own]
        ahead = np.isnan(best) | ~(best < mine[:, None])  # a model that gives no numbers finds nothing
        found[first : first + len(own)] = ahead.sum(axis=1)
    return found


def compare(base: npt.NDArray[np.int64], tuned: npt.NDArray[np.int64]) -> Comparison:
    """Two models' `places` of the same threads, in the same order."""
    ours, theirs = _reciprocal(tuned), _reciprocal(base)
    return Comparison(len(base), _means(base), _means(tuned), *interval(ours, theirs))


def _means(found: npt.NDArray[np.int64]) -> dict[str, float]:
    return {
        "success@1": float((found == 1).mean()),
        f"success@{DEPTH}": float((found <= DEPTH).mean()),
        f"MRR@{DEPTH}": float(_reciprocal(found).mean()),
    }


def _reciprocal(found: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return np.where(found <= DEPTH, 1.0 / found, 0.0)
