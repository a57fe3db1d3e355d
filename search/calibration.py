"""From the gate's logit to a probability, and from the share of wrong texts a manager accepts to a threshold.

A calibration is what was seen when the gate was tried on questions with known answers: the logits of those that got the
right article first, of those that have one but got another, and of those that nothing answers.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

WRONG_SHARE = 0.10  # of texts, unless a manager says otherwise
UNANSWERABLE_SHARE = 0.5  # of callers, until real calls say otherwise
BELIEVED = (0.05, 0.95)  # what real calls are let say about it
LEAST_SHOWN = 0.1  # a threshold that shows fewer of the right articles has too little to stand on
QUANTILES = 201  # kept of each kind
_SHIPPED = Path(__file__).with_name("calibration.json")


@dataclass(frozen=True)
class Promise:
    """What comes of a threshold on the gate's logit: the share of texts that would be wrong at worst, and the share of
    the right articles that reach it."""

    threshold: float
    wrong: float
    shown: float


@dataclass(frozen=True)
class Calibration:
    """Quantiles of the logits of each kind, ascending, and how many questions there were of each."""

    right: tuple[float, ...]
    wrong: tuple[float, ...]
    unanswerable: tuple[float, ...]
    counts: tuple[int, int, int]

    @property
    def found(self) -> float:
        """Of the answerable questions, the share that got the right article first."""
        return self.counts[0] / (self.counts[0] + self.counts[1])

    def probability(self, logit: float, unanswerable: float = UNANSWERABLE_SHARE) -> float:
        """That the first article solves the problem of a caller, when so many callers have one that nothing solves.

        The chance that something answers, times the chance that it is this one: a logistic regression of the logit each
        (Platt 1999), the first moved to the callers' share by Bayes.
        """
        slope, bias = self._answerable
        answerable = slope * logit + bias + math.log(max(1 - unanswerable, 1e-9) / max(unanswerable, 1e-9))
        slope, bias = self._right
        return _chance(answerable) * _chance(slope * logit + bias)

    def promise(self, wrong_share: float = WRONG_SHARE, unanswerable: float = UNANSWERABLE_SHARE) -> Promise:
        """The lowest logit at which, of the texts offered at or above it, at most `wrong_share` would be wrong; where
        no threshold promises that, the one that comes nearest to it.

        The shares that go wrong are taken at the upper end of their one-sided 70 % interval (Wilson 1927): few
        questions promise little.
        """
        candidates = np.unique(np.concatenate([self.right, self.wrong, self.unanswerable]))
        answerable = self.counts[0] + self.counts[1]
        shown = _above(self.right, candidates)
        right = (1 - unanswerable) * self.found * shown
        poor = _upper((1 - self.found) * _above(self.wrong, candidates), answerable)
        wrong = (1 - unanswerable) * poor + unanswerable * _upper(_above(self.unanswerable, candidates), self.counts[2])
        shares = np.where(shown >= LEAST_SHOWN, wrong / np.maximum(right + wrong, 1e-12), 1.0)
        kept = np.flatnonzero(shares <= wrong_share)
        at = int(kept[0]) if len(kept) else int(np.argmin(shares))
        return Promise(float(candidates[at]), float(shares[at]), float(shown[at]))

    def threshold(self, wrong_share: float = WRONG_SHARE, unanswerable: float = UNANSWERABLE_SHARE) -> float:
        """The logit of the `promise`."""
        return self.promise(wrong_share, unanswerable).threshold

    @cached_property
    def _answerable(self) -> tuple[float, float]:
        """The line of an answerable question against an unanswerable one, both alike frequent."""
        return _line(
            [(self.right, self.found, True), (self.wrong, 1 - self.found, True), (self.unanswerable, 1, False)]
        )

    @cached_property
    def _right(self) -> tuple[float, float]:
        """The line of the right article against another, among answerable questions."""
        return _line([(self.right, self.found, True), (self.wrong, 1 - self.found, False)])


@dataclass(frozen=True)
class Calibrations:
    """That of a community, and those of languages that have one of their own: an encoder tells the threads of one
    language apart less well than those of another, and its logits lie closer together there."""

    every: Calibration
    languages: Mapping[str, Calibration] = field(default_factory=dict)

    def of(self, language: str) -> Calibration:
        """The calibration for callers of a language."""
        return self.languages.get(language, self.every)


def unanswerable_share(calibrations: Calibrations, logits: Sequence[tuple[str, float]]) -> float:
    """The share of callers nothing here helps, from the languages and logits of real calls.

    Expectation maximisation over the class share alone (Saerens, Latinne and Decaestecker 2002), from one half.
    """
    if not logits:
        return UNANSWERABLE_SHARE
    lines = {language: calibrations.of(language)._answerable for language, _ in logits}
    odds = np.exp(np.clip([lines[language][0] * logit + lines[language][1] for language, logit in logits], -40, 40))
    share, least, most = 0.5, 1 - BELIEVED[1], 1 - BELIEVED[0]
    for _ in range(200):
        shifted = odds * share / (1 - share)
        share = float(np.clip((shifted / (1 + shifted)).mean(), least, most))
    return 1 - share


def calibrated(logits: Numbers, right: npt.NDArray[np.bool_], answerable: npt.NDArray[np.bool_]) -> Calibration:
    """From trials, one entry each. Raises `ValueError` when a kind is missing."""
    good, poor, none = logits[answerable & right], logits[answerable & ~right], logits[~answerable]
    if not len(good) or not len(none):
        raise ValueError("a calibration needs questions that were answered rightly and questions that nothing answers")
    counts = (len(good), len(poor), len(none))
    return Calibration(_quantiles(good), _quantiles(poor), _quantiles(none), counts)


def shipped() -> Calibration:
    """The calibration that comes with this version, over the sets its weights were fitted on."""
    return calibration_from(json.loads(_SHIPPED.read_text("utf-8")))


def calibrations_from(content: Mapping[str, Any]) -> Calibrations:
    """The calibrations a JSON object describes; the shipped one where it is empty. Raises `ValueError`."""
    if content == {}:
        return Calibrations(shipped())
    every = calibration_from(content)
    try:
        return Calibrations(every, {name: calibration_from(own) for name, own in content.get("languages", {}).items()})
    except AttributeError as error:
        raise ValueError(f"this is no calibration: {error}") from error


def calibration_from(content: Mapping[str, Any]) -> Calibration:
    """The calibration a JSON object describes. Raises `ValueError`."""
    try:
        kinds = [tuple(map(float, content[name])) for name in ("right", "wrong", "unanswerable")]
        right, wrong, none = map(int, content["counts"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"this is no calibration: {error}") from error
    if not kinds[0] or not kinds[2] or min(right, wrong + 1, none) < 1 or not all(map(math.isfinite, sum(kinds, ()))):
        raise ValueError("this is no calibration: a kind of question is missing, or a number is none")
    return Calibration(kinds[0], kinds[1], kinds[2], (right, wrong, none))


def all_as_json(calibrations: Calibrations) -> dict[str, Any]:
    """What `calibrations_from` reads."""
    languages = {name: as_json(own) for name, own in calibrations.languages.items()}
    return as_json(calibrations.every) | ({"languages": languages} if languages else {})


def as_json(calibration: Calibration) -> dict[str, Any]:
    """What `calibration_from` reads."""
    return {
        "right": list(calibration.right),
        "wrong": list(calibration.wrong),
        "unanswerable": list(calibration.unanswerable),
        "counts": list(calibration.counts),
    }


def _quantiles(logits: Numbers) -> tuple[float, ...]:
    if len(logits) <= QUANTILES:
        return tuple(round(float(one), 4) for one in np.sort(logits))
    return tuple(round(float(one), 4) for one in np.quantile(logits, np.linspace(0, 1, QUANTILES)))


def _above(kind: tuple[float, ...], logits: Numbers) -> Numbers:
    """The share of a kind at or above each logit."""
    if not kind:
        return np.zeros(len(logits))
    return np.asarray(1 - np.searchsorted(np.array(kind), logits, side="left") / len(kind))


def _upper(share: Numbers, count: int) -> Numbers:
    """The upper end of Wilson's one-sided 70 % interval of shares seen among `count`."""
    z = 0.5244
    middle = share + z * z / (2 * count)
    half = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return np.asarray((middle + half) / (1 + z * z / count))


def _chance(logit: float) -> float:
    return 1 / (1 + math.exp(-min(max(logit, -40.0), 40.0)))


def _line(kinds: Sequence[tuple[tuple[float, ...], float, bool]]) -> tuple[float, float]:
    """Slope and bias of a logistic regression on kinds given as logits, weight of them all, and truth. A slope is never
    negative."""
    logits = np.concatenate([own for own, _, _ in kinds])
    truth = np.concatenate([np.full(len(own), float(true)) for own, _, true in kinds])
    weights = np.concatenate([np.full(len(own), share / max(len(own), 1)) for own, share, _ in kinds])
    line = np.zeros(2)
    inputs = np.stack([logits, np.ones(len(logits))], axis=1)
    for _ in range(50):  # Newton's method; the small penalty keeps it finite where the kinds do not overlap
        chance = 1 / (1 + np.exp(-np.clip(inputs @ line, -40, 40)))
        gradient = inputs.T @ (weights * (chance - truth)) + 1e-4 * line
        curvature = (inputs * (weights * chance * (1 - chance))[:, None]).T @ inputs + 1e-4 * np.eye(2)
        line -= np.linalg.solve(curvature, gradient)
    return max(float(line[0]), 0.0), float(line[1])
