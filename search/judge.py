"""How much the evidence weighs: which article is best, and whether it is good enough to be offered.

The weights are fitted by `python -m search fit` on judged sets (docs/decisions/0015) and shipped in judge.json. A
ranking score is a logit within the candidates of one query (softmax regression; ListNet's top-one form, Cao et al.
2007). The gate is a logistic regression on what the ranking leaves: how near, how far ahead, how like this community.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from search.evidence import FEATURES

Numbers = npt.NDArray[np.float64]

GATE = (
    "near",  # mean cosine of the next ten articles, what is above one half
    "sparse",  # and what is missing to one half
    "lead",  # of the nearest article over these
    "lead where sparse",
    "clear and near where sparse",  # by how much the ranking puts the first before the second, the nearer the more
    "tagged",  # the article has a tag that a menu choice names
    "outside",  # standard deviations below what is usual between askers and articles of this community
)
NEXT = 10
HALF = 0.5
CLEAR = 4.0  # logits: more is not clearer
FLOOR = 0.3  # cosine: an article none of whose views is so near is not what is meant, however far the others are
NEAREST_VIEW = FEATURES.index("any view")
BETTER = FEATURES.index("title or whole")
TAG = FEATURES.index("tag")
_SHIPPED = Path(__file__).with_name("judge.json")


@dataclass(frozen=True)
class Judge:
    """The weights, in the order of FEATURES and of GATE."""

    rank: tuple[float, ...]
    gate: tuple[float, ...]
    gate_bias: float

    def __post_init__(self) -> None:
        if len(self.rank) != len(FEATURES) or len(self.gate) != len(GATE):
            raise ValueError(f"a judge has {len(FEATURES)} ranking weights and {len(GATE)} of the gate")

    def scores(self, features: npt.NDArray[np.float32]) -> Numbers:
        """The ranking score of each candidate."""
        return np.asarray(features @ np.array(self.rank), dtype=np.float64)

    def pieces(self, features: Sequence[float]) -> tuple[float, ...]:
        """What each feature adds to the ranking score of one candidate."""
        return tuple(weight * value for weight, value in zip(self.rank, features, strict=True))

    def logit(self, facts: Numbers) -> float:
        """The gate's logit for one query's `gate_facts`."""
        return float(facts @ np.array(self.gate)) + self.gate_bias


def gate_facts(features: npt.NDArray[np.float32], scores: Numbers, best: int, density: tuple[float, float]) -> Numbers:
    """The values of GATE for the candidate at place `best`, all candidates being what it stands out from."""
    better = -np.sort(-features[:, BETTER].astype(np.float64))
    near = float(better[1 : 1 + NEXT].mean()) if len(better) > 1 else 0.0
    rival = float(np.delete(scores, best).max()) if len(scores) > 1 else -math.inf
    first = float(scores[best]) >= rival
    lead = float(better[0] if first else features[best, BETTER]) - near
    sparse = max(HALF - near, 0.0)
    mean, deviation = density
    outside = min((near - mean) / deviation + HALF, 0.0)
    tagged = float(features[best, TAG] > 0)
    clear = min(max(float(scores[best]) - rival, -CLEAR), CLEAR) * max(float(features[best, NEAREST_VIEW]) - FLOOR, 0.0)
    return np.array([max(near - HALF, 0.0), sparse, lead, sparse * lead, sparse * clear, tagged, outside])


def shipped() -> Judge:
    """The judge that comes with this version."""
    return judge_from(json.loads(_SHIPPED.read_text("utf-8")))


def judge_from(content: Mapping[str, Any]) -> Judge:
    """The judge a JSON object describes. Raises `ValueError`."""
    try:
        rank = tuple(float(content["rank"][name]) for name in FEATURES)
        gate = tuple(float(content["gate"][name]) for name in GATE)
        return Judge(rank, gate, float(content["gate_bias"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"these are not the weights of this version: {error}") from error


def gate_id(judge: Judge, model_id: str) -> str:
    """Tells gates apart: the logits of two are not to be compared. `model_id` is the encoder's."""
    weights = json.dumps(as_json(judge), sort_keys=True)
    return f"{model_id} {hashlib.sha256(weights.encode()).hexdigest()[:12]}"


def as_json(judge: Judge) -> dict[str, Any]:
    """What `judge_from` reads."""
    return {
        "rank": dict(zip(FEATURES, judge.rank, strict=True)),
        "gate": dict(zip(GATE, judge.gate, strict=True)),
        "gate_bias": judge.gate_bias,
    }
