"""The promise about wrong texts, kept on known mixtures."""

import json
import math

import numpy as np
import pytest

from search.calibration import (
    Calibration,
    Calibrations,
    all_as_json,
    as_json,
    calibrated,
    calibration_from,
    calibrations_from,
    shipped,
    unanswerable_share,
)

DRAW = np.random.default_rng(7)
ANSWERABLE, UNANSWERABLE = DRAW.normal(2.0, 1.5, 4000), DRAW.normal(-2.0, 1.5, 4000)
RIGHT = DRAW.random(4000) < 0.9
KINDS = np.concatenate([RIGHT, np.zeros(4000, bool)]), np.arange(8000) < 4000


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return calibrated(np.concatenate([ANSWERABLE, UNANSWERABLE]), *KINDS)


@pytest.mark.parametrize("wrong_share", [0.15, 0.2, 0.3])
@pytest.mark.parametrize("unanswerable", [0.3, 0.5, 0.7])
def test_the_promised_share_of_wrong_texts_is_kept(
    calibration: Calibration, wrong_share: float, unanswerable: float
) -> None:
    threshold = calibration.threshold(wrong_share, unanswerable)
    right = (1 - unanswerable) * (RIGHT & (threshold <= ANSWERABLE)).mean()
    wrong = (1 - unanswerable) * (~RIGHT & (threshold <= ANSWERABLE)).mean()
    wrong += unanswerable * (threshold <= UNANSWERABLE).mean()
    assert wrong_share - 0.03 < wrong / (right + wrong) <= wrong_share + 0.003


def test_more_unanswerable_callers_raise_the_threshold_and_lower_the_probability(calibration: Calibration) -> None:
    assert calibration.threshold(0.15, 0.3) < calibration.threshold(0.15, 0.7)
    assert calibration.probability(1.0, 0.3) > calibration.probability(1.0, 0.5) > calibration.probability(1.0, 0.7)


def test_a_probability_is_what_comes_true(calibration: Calibration) -> None:
    logits, right = np.concatenate([ANSWERABLE, UNANSWERABLE]), np.concatenate([RIGHT, np.zeros(4000, bool)])
    told = np.array([calibration.probability(float(one)) for one in logits])
    for low in (0.0, 0.2, 0.4, 0.6):
        within = (told >= low) & (told < low + 0.2)
        assert abs(told[within].mean() - right[within].mean()) < 0.06
    assert np.all(np.diff(told[np.argsort(logits)]) >= 0)


def test_a_promise_that_cannot_be_kept_is_kept_as_well_as_can_be(calibration: Calibration) -> None:
    threshold = calibration.threshold(0.001, 0.5)  # one in ten of the answerable is wrong whatever the score
    assert math.isfinite(threshold)
    assert (threshold <= ANSWERABLE[RIGHT]).mean() >= 0.09
    promise = calibration.promise(0.001, 0.5)
    assert (promise.threshold, promise.shown >= 0.09) == (threshold, True)
    assert 0.05 < promise.wrong < 0.15  # and this much of it can be kept


def test_a_promise_says_what_it_comes_to(calibration: Calibration) -> None:
    promise = calibration.promise(0.2, 0.5)
    assert 0.19 < promise.wrong <= 0.2
    assert promise.shown == pytest.approx((promise.threshold <= ANSWERABLE[RIGHT]).mean(), abs=0.01)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_the_share_of_unanswerable_callers_is_read_off_their_scores(calibration: Calibration, share: float) -> None:
    count = int(2000 * share)
    logits = np.concatenate([UNANSWERABLE[:count], ANSWERABLE[: 2000 - count]])
    calls = [("en", float(logit)) for logit in logits]
    assert unanswerable_share(Calibrations(calibration), calls) == pytest.approx(share, abs=0.06)
    assert unanswerable_share(Calibrations(calibration), []) == 0.5


def test_each_language_goes_by_its_own_calibration(calibration: Calibration) -> None:
    """Where all threads look alike to an encoder, the same share of callers has lower logits."""
    lower = calibrated(np.concatenate([ANSWERABLE, UNANSWERABLE]) / 4 - 1, *KINDS)
    both = Calibrations(calibration, {"es": lower})
    assert (both.of("es"), both.of("en"), both.of("fr")) == (lower, calibration, calibration)
    assert both.of("es").threshold(0.2) < both.of("en").threshold(0.2)
    calls = [("es", float(logit) / 4 - 1) for logit in (*UNANSWERABLE[:500], *ANSWERABLE[:500])]
    assert unanswerable_share(both, calls) == pytest.approx(0.5, abs=0.06)
    assert calibrations_from(json.loads(json.dumps(all_as_json(both)))) == both
    damages: tuple[dict[str, object], ...] = ({"languages": []}, {"languages": {"es": {}}})
    for damaged in damages:
        with pytest.raises(ValueError, match="no calibration"):
            calibrations_from(as_json(calibration) | damaged)


def test_a_calibration_survives_a_file(calibration: Calibration) -> None:
    assert calibration_from(json.loads(json.dumps(as_json(calibration)))) == calibration
    assert shipped().counts[2] > 100


@pytest.mark.parametrize(
    "change", [{"right": []}, {"unanswerable": ["x"]}, {"counts": [0, 0, 1]}, {"counts": 3}, {"right": [float("nan")]}]
)
def test_what_is_no_calibration_is_refused(calibration: Calibration, change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"no calibration|could not convert"):
        calibration_from({**as_json(calibration), **change})


def test_a_calibration_needs_both_kinds_of_questions() -> None:
    with pytest.raises(ValueError, match="needs questions"):
        calibrated(np.array([1.0]), np.array([True]), np.array([True]))
