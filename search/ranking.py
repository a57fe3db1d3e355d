"""From a caller's words to the articles that could solve it, best first, over one or more collections of articles."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search.bundle import Allowed, Bundle
from search.evidence import FEATURES, Asked, evidence
from search.judge import Judge, gate_facts
from search.words import stop_terms

NEAREST_VIEW = FEATURES.index("any view")
NEAREST = 64  # passages looked at
SHARED_WORDS = 24  # articles looked at for their words
AT_CHOICE = 40  # passages looked at among those with a tag that a menu choice names
FAR = -10.0
FLOOR = 0.3  # cosine: an article none of whose views is so near is not what is meant, however far the others are
RARE_TAG = 0.05  # share of the articles: what is tagged more often says little about the problem


@dataclass(frozen=True)
class Place:
    """One article of a ranking: where it is, its ranking score, and its evidence by `search.evidence.FEATURES`."""

    collection: int
    row: int
    score: float
    features: tuple[float, ...]


@dataclass(frozen=True)
class Ranking:
    """The allowed articles, best first. Logits of the gate: `gate` that the first of them solves the problem, `further`
    that the second does if there were no first, `anywhere` that of the best article whether allowed or not.

    Where it is asked for, `barred` are the best that may not be offered here, and `gates` has a logit for each of the
    places, as if there were none before it, and then for each that is barred."""

    places: tuple[Place, ...]
    gate: float
    further: float
    anywhere: float
    barred: tuple[Place, ...] = ()
    gates: tuple[float, ...] = ()


@dataclass(frozen=True)
class Part:
    """A collection with what is looked at in it, and what of that may be offered. `shadowed` rows are not there:
    a later collection tells them anew."""

    bundle: Bundle
    known: Allowed
    allowed: Allowed
    shadowed: frozenset[int] = frozenset()
    forbidden: frozenset[int] = frozenset()


def rank(
    parts: Sequence[Part], caller: Asked, judge: Judge, language: str, depth: int = 10, *, explained: bool = False
) -> Ranking | None:
    """The best articles of all parts; None when there are none. The first part says how dense the community is.

    What may not be offered here still shows how clear a candidate is.
    """
    features: list[npt.NDArray[np.float32]] = []
    owners: list[tuple[int, int]] = []
    allowed: list[npt.NDArray[np.bool_]] = []
    for number, part in enumerate(parts):
        rows = _candidates(part, caller, language)
        if len(rows):
            features.append(evidence(part.bundle, caller, rows).features)
            may_be = part.allowed.has(rows)
            allowed.append(may_be & ~np.isin(rows, list(part.forbidden)) if part.forbidden else may_be)
            owners += [(number, int(row)) for row in rows]
    if not owners:
        return None
    found, may = np.concatenate(features), np.concatenate(allowed)
    scores = judge.scores(found)
    density = parts[0].bundle.density
    order = np.argsort(-scores, kind="stable")
    offered = order[may[order]]
    anywhere = _gate(judge, found, scores, int(order[0]), density)

    def places(those: npt.NDArray[np.int64]) -> tuple[Place, ...]:
        return tuple(
            Place(owners[at][0], owners[at][1], float(scores[at]), tuple(map(float, found[at]))) for at in those[:depth]
        )

    last = min(len(offered), depth if explained else 2)
    gates = [_gate_of(judge, found, scores, offered, n, density) for n in range(last)]
    gate, further, *_ = (*gates, -math.inf, -math.inf)
    if not explained:
        return Ranking(places(offered), gate, further, anywhere)
    barred = order[~may[order]]
    gates += [_gate(judge, found, scores, int(at), density) for at in barred[:depth]]
    return Ranking(places(offered), gate, further, anywhere, places(barred), tuple(gates))


def _gate(
    judge: Judge,
    found: npt.NDArray[np.float32],
    scores: npt.NDArray[np.float64],
    place: int,
    density: tuple[float, float],
) -> float:
    """The gate's logit of one candidate; far below every threshold for one that is not near at all."""
    logit = judge.logit(gate_facts(found, scores, place, density))
    return logit if found[place, NEAREST_VIEW] >= FLOOR else min(logit, FAR)


def _gate_of(
    judge: Judge,
    found: npt.NDArray[np.float32],
    scores: npt.NDArray[np.float64],
    offered: npt.NDArray[np.int64],
    nth: int,
    density: tuple[float, float],
) -> float:
    """The gate's logit of the `nth` allowed article, those before it taken away."""
    place = int(offered[nth])
    if not nth:
        return _gate(judge, found, scores, place, density)
    before = offered[:nth]
    kept = np.delete(np.arange(len(found)), before)
    return _gate(judge, found[kept], scores[kept], place - int((before < place).sum()), density)


def _candidates(part: Part, caller: Asked, language: str) -> npt.NDArray[np.int64]:
    """Rows of the articles worth a closer look: near passages, rare words in common, and those a choice names."""
    bundle, allowed = part.bundle, part.known
    if not allowed.number:
        return np.empty(0, dtype=np.int64)
    found = [bundle.owners[bundle.vectors.candidates(caller.vector, NEAREST, allowed.passages)]]
    if part.allowed is not allowed:
        found.append(bundle.owners[bundle.vectors.candidates(caller.vector, NEAREST, part.allowed.passages)])
    silent = stop_terms(language)
    found.append(bundle.words.candidates(caller.terms, SHARED_WORDS, allowed.articles, silent).rows)
    for choice in caller.choices:
        tagged = bundle.tagged(choice)
        if tagged is not None and tagged.number <= max(RARE_TAG * len(bundle.ids), AT_CHOICE):
            both = allowed.passages & tagged.passages
            found.append(bundle.owners[bundle.vectors.candidates(caller.vector, AT_CHOICE, both)])
    if caller.path_terms:
        found.append(bundle.words.candidates(caller.path_terms, AT_CHOICE, allowed.articles, silent).rows)
    rows = np.unique(np.concatenate(found)).astype(np.int64)
    return rows[~np.isin(rows, list(part.shadowed))] if part.shadowed else rows
