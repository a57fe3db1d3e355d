"""Fitting the weights of the judge and its calibration on judged sets, and checking them on sets held back."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import softmax

from search.calibration import Calibration, calibrated
from search.evaluation.trials import Trial
from search.evidence import FEATURES
from search.judge import GATE, Judge, gate_facts

Numbers = npt.NDArray[np.float64]

# Where the ranking weights begin, and what draws them back there: all evidence counts alike until sets show otherwise.
USUAL = {**dict.fromkeys(FEATURES, 4.0), "title hub": -2.0, "whole hub": -2.0}
RANK_PENALTY = 3e-3  # times half the squared distance from the usual; a set's loss is around one half
DOUBT = (
    0.5  # that a query's labels tell the truth: one that goes badly wrong bends the weights no further than this lets
)
USUAL_GATE = 0.3  # the same for the gate, for each standard deviation of what it looks at
GATE_PENALTY = 0.1


def fit(sets: Mapping[str, Sequence[Trial]], incomplete: frozenset[str] = frozenset()) -> Judge:
    """Weights over all sets, each counted by the root of its questions for ranking, alike for the gate.

    In a set whose labels are incomplete, an offer is taken for right where the question has an answer at all.
    """
    rank = _fit_rank(sets)
    first = Judge(rank, (0.0,) * len(GATE), 0.0)
    facts, truth, weights = [], [], []
    for name, own in sets.items():
        inputs, right = gate_inputs(first, own)
        answerable = np.array([trial.judged.answerable for trial in own])
        facts.append(inputs)
        truth.append(answerable if name in incomplete else answerable & right)
        weights.append(np.full(len(own), 1.0 / len(own)))
    gate, bias = _fit_gate(np.concatenate(facts), np.concatenate(truth), np.concatenate(weights) / len(sets))
    return Judge(rank, tuple(gate.tolist()), bias)


def calibrate(judge: Judge, own: Sequence[Trial]) -> Calibration:
    """The calibration of `judge` over one set whose labels are complete. Raises `ValueError`."""
    if not own:
        raise ValueError("none of the questions finds an article in its language")
    inputs, right = gate_inputs(judge, own)
    answerable = np.array([trial.judged.answerable for trial in own])
    return calibrated(inputs @ np.array(judge.gate) + judge.gate_bias, right, answerable)


def gate_inputs(judge: Judge, own: Sequence[Trial]) -> tuple[Numbers, npt.NDArray[np.bool_]]:
    """For each trial what the gate looks at, and whether the first article is a right one."""
    inputs, right = [], []
    for trial in own:
        scores = judge.scores(trial.features)
        best = int(np.argmax(scores))
        inputs.append(gate_facts(trial.features, scores, best, trial.density))
        right.append(bool(trial.right[best]))
    return np.array(inputs), np.array(right)


def _fit_rank(sets: Mapping[str, Sequence[Trial]]) -> tuple[float, ...]:
    """Softmax regression on the chance of a right article, forgiving as DOUBT says, near the USUAL weights."""
    queries, shares = [], []
    for own in sets.values():
        useful = [trial for trial in own if trial.right.any() and trial.judged.answerable]
        queries += [(trial.features.astype(np.float64), trial.right) for trial in useful]
        shares += [len(useful) ** -0.5] * len(useful)
    weighed = np.array(shares) * len(sets) / sum(shares)
    usual = np.array([USUAL[name] for name in FEATURES])

    def loss(weights: Numbers) -> tuple[float, Numbers]:
        total, gradient = 0.0, RANK_PENALTY * (weights - usual)
        for (features, right), share in zip(queries, weighed, strict=True):
            chance = softmax(features @ weights)
            found = float(chance[right].sum())
            believed = DOUBT + (1 - DOUBT) * found
            total -= share * math.log(believed)
            gradient -= share * (1 - DOUBT) / believed * (features.T @ (chance * (right - found)))
        return total + RANK_PENALTY * float((weights - usual) @ (weights - usual)) / 2, gradient

    return tuple(minimize(loss, usual, jac=True, method="L-BFGS-B").x.tolist())


def _fit_gate(inputs: Numbers, truth: npt.NDArray[np.bool_], weights: Numbers) -> tuple[Numbers, float]:
    """Logistic regression on standardised inputs, near USUAL_GATE; the weights for inputs as they are, and the bias."""
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0) + 1e-9
    scaled = np.column_stack([(inputs - mean) / scale, np.ones(len(inputs))])
    usual = np.append(np.full(inputs.shape[1], USUAL_GATE), 0)

    def loss(line: Numbers) -> tuple[float, Numbers]:
        logits = scaled @ line
        chance = 1 / (1 + np.exp(-np.clip(logits, -40, 40)))
        away = np.append((line - usual)[:-1], 0)
        penalty = GATE_PENALTY * away
        total = float(weights @ (np.logaddexp(0, logits) - truth * logits)) + float(penalty @ away) / 2
        return total, scaled.T @ (weights * (chance - truth)) + penalty

    line = minimize(loss, usual, jac=True, method="L-BFGS-B").x
    gate = line[:-1] / scale
    return gate, float(line[-1] - gate @ mean)
