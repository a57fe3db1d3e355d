"""From a caller's words to the articles that could solve it, best first, over one or more collections of articles."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from search.bundle import Allowed, Bundle
from search.evidence import Asked, evidence
from search.judge import FLOOR, NEAREST_VIEW, Judge, gate_facts
from search.words import stop_terms

NEAREST = 64  # passages looked at
SHARED_WORDS = 24  # articles looked at for their words
AT_CHOICE = 40  # passages looked at among those with a tag that a menu choice names
FAR = -10.0
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
    places, as if there were none before it, and then for each that is barred. `language` is the caller's."""

    places: tuple[Place, ...]
    gate: float
    further: float
    anywhere: float
    barred: tuple[Place, ...] = ()
    gates: tuple[float, ...] = ()
    language: str = ""


@dataclass(frozen=True)
class Part:
    """A collection with what is looked at in it, and what of that may be offered. `shadowed` rows are not there:
    a later collection tells them anew."""

    bundle: Bundle
    known: Allowed
    allowed: Allowed
    shadowed: frozenset[int] = frozenset()
    forbidden: frozenset[int] = frozenset()


@dataclass(frozen=True)
class _Seen:
    """Candidates of one question: their evidence, which of them may be offered, and where each is."""

    features: npt.NDArray[np.float32]
    may: npt.NDArray[np.bool_]
    owners: tuple[tuple[int, int], ...]


def rank(
    parts: Sequence[Part], caller: Asked, judge: Judge, language: str, depth: int = 10, *, explained: bool = False
) -> Ranking | None:
    """The best articles of all parts; None when there are none. The first part says how dense the community is.

    What may not be offered here still shows how clear a candidate is.
    """
    (ranking,) = rank_each((parts,), caller, judge, language, depth, explained=explained)
    return ranking


def rank_each(
    questions: Sequence[Sequence[Part]],
    caller: Asked,
    judge: Judge,
    language: str,
    depth: int = 10,
    *,
    explained: bool = False,
) -> list[Ranking | None]:
    """As `rank`, for several questions of one caller that differ in nothing but what may be offered. What they have in
    common is looked at once; scores are those of `rank` but for the last digit of a float32."""
    found: list[list[_Seen]] = [[] for _ in questions]
    for number, alike in enumerate(zip(*questions, strict=True)):
        rows = _candidates(alike, caller, language)
        every = rows[0] if len(rows) == 1 else np.unique(np.concatenate(rows))
        if not len(every):
            continue
        seen = evidence(alike[0].bundle, caller, every).features
        for mine, part, own in zip(found, alike, rows, strict=True):
            if len(own):
                features = seen if len(own) == len(every) else seen[np.searchsorted(every, own)]
                may_be = part.allowed.has(own)
                may = may_be & ~np.isin(own, list(part.forbidden)) if part.forbidden else may_be
                mine.append(_Seen(features, may, tuple((number, row) for row in own.tolist())))
    density = questions[0][0].bundle.density
    ranked = (_ranked(mine, judge, density, depth, explained) if mine else None for mine in found)
    return [one and replace(one, language=language) for one in ranked]


def _ranked(seen: Sequence[_Seen], judge: Judge, density: tuple[float, float], depth: int, explained: bool) -> Ranking:
    owners = [owner for one in seen for owner in one.owners]
    found, may = np.concatenate([one.features for one in seen]), np.concatenate([one.may for one in seen])
    scores = judge.scores(found)
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


def _candidates(parts: Sequence[Part], caller: Asked, language: str) -> list[npt.NDArray[np.int64]]:
    """For each part, which differ in what may be offered only, the rows of the articles worth a closer look: near
    passages, rare words in common, and those a choice names."""
    bundle, known = parts[0].bundle, parts[0].known
    if not known.number:
        return [np.empty(0, dtype=np.int64) for _ in parts]
    found = [bundle.owners[bundle.vectors.candidates(caller.vector, NEAREST, known.passages)]]
    silent = stop_terms(language)
    found.append(bundle.words.candidates(caller.terms, SHARED_WORDS, known.articles, silent).rows)
    for choice in caller.choices:
        tagged = bundle.tagged(choice)
        if tagged is not None and tagged.number <= max(RARE_TAG * len(bundle.ids), AT_CHOICE):
            both = known.passages & tagged.passages
            found.append(bundle.owners[bundle.vectors.candidates(caller.vector, AT_CHOICE, both)])
    if caller.path_terms:
        found.append(bundle.words.candidates(caller.path_terms, AT_CHOICE, known.articles, silent).rows)
    return [_with_allowed(part, caller, found) for part in parts]


def _with_allowed(part: Part, caller: Asked, found: Sequence[npt.NDArray[np.unsignedinteger]]) -> npt.NDArray[np.int64]:
    """The rows found, and the nearest of those that may be offered."""
    if part.allowed is not part.known:
        near = part.bundle.vectors.candidates(caller.vector, NEAREST, part.allowed.passages)
        found = [*found, part.bundle.owners[near]]
    rows = np.unique(np.concatenate(found)).astype(np.int64)
    return rows[~np.isin(rows, list(part.shadowed))] if part.shadowed else rows
