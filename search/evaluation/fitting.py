"""Fitting the weights of the judge and its calibration on judged sets, and checking them on sets held back."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from search.calibration import Calibration, calibrated
from search.evaluation.trials import Trial
from search.judge import GATE, Judge, gate_facts

Numbers = npt.NDArray[np.float64]

RANK_PENALTY = 3e-4  # times half the squared weights; a set's log-loss is around one
GATE_PENALTY = 0.01


def fit(sets: Mapping[str, Sequence[Trial]], incomplete: frozenset[str] = frozenset()) -> Judge:
    """Weights over all sets, each set counted alike.

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
    queries = []
    for own in sets.values():
        useful = [trial for trial in own if trial.right.any() and trial.judged.answerable]
        queries += [(trial.features.astype(np.float64), trial.right, 1 / len(useful)) for trial in useful]

    def loss(weights: Numbers) -> tuple[float, Numbers]:
        total, gradient = 0.0, np.zeros(len(weights))
        for features, right, share in queries:
            scores = features @ weights
            scores -= scores.max()
            chance = np.exp(scores)
            chance /= chance.sum()
            wanted = right / right.sum()
            total -= share * float(wanted @ (scores - np.log(np.exp(scores).sum())))
            gradient += share * (features.T @ (chance - wanted))
        return total + RANK_PENALTY * float(weights @ weights) / 2, gradient + RANK_PENALTY * weights

    found = minimize(loss, np.ones(queries[0][0].shape[1]), jac=True, method="L-BFGS-B")
    return tuple(found.x.tolist())


def _fit_gate(inputs: Numbers, truth: npt.NDArray[np.bool_], weights: Numbers) -> tuple[Numbers, float]:
    """Logistic regression on standardised inputs; the weights for inputs as they are, and the bias."""
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0) + 1e-9
    scaled = np.column_stack([(inputs - mean) / scale, np.ones(len(inputs))])

    def loss(line: Numbers) -> tuple[float, Numbers]:
        logits = scaled @ line
        chance = 1 / (1 + np.exp(-np.clip(logits, -40, 40)))
        penalty = GATE_PENALTY * np.append(line[:-1], 0)
        total = float(weights @ (np.logaddexp(0, logits) - truth * logits)) + float(penalty @ line) / 2
        return total, scaled.T @ (weights * (chance - truth)) + penalty

    line = minimize(loss, np.zeros(scaled.shape[1]), jac=True, method="L-BFGS-B").x
    gate = line[:-1] / scale
    return gate, float(line[-1] - gate @ mean)
