"""What judged sets teach the weights, and what they leave alone."""

import numpy as np
import pytest

from search.evaluation.fitting import USUAL, fit
from search.evaluation.judged import Judged
from search.evaluation.trials import Trial
from search.evidence import FEATURES
from search.query import Query

WORDS, LETTERS = FEATURES.index("words"), FEATURES.index("letters")


def question(number: int, telling: int, right: bool = True, answerable: bool = True) -> Trial:
    """Two candidates; what is `telling` speaks for the right one, or for the other when not `right`."""
    features = np.full((2, len(FEATURES)), 0.5, dtype=np.float32)
    features[0 if right else 1, telling] = 0.9
    relevant = frozenset({"a"}) if answerable else frozenset()
    judged = Judged(f"q{number}", Query((), "words", "en"), relevant, answerable, "")
    return Trial(judged, ("a", "b"), features, np.array([answerable, False]), (0.5, 0.1))


def weights(questions: list[Trial]) -> dict[str, float]:
    none = [question(n, WORDS, answerable=False) for n in range(5)]
    return dict(zip(FEATURES, fit({"set": [*questions, *none]}).rank, strict=True))


def test_evidence_that_a_set_does_not_tell_about_keeps_its_usual_weight() -> None:
    found = weights([question(n, WORDS) for n in range(20)])
    assert found["words"] > USUAL["words"] + 1
    others = {name: weight for name, weight in found.items() if name != "words"}
    assert others == pytest.approx({name: USUAL[name] for name in others}, abs=1e-3)


def test_a_few_wrong_labels_do_not_undo_what_most_say() -> None:
    sound = [question(n, WORDS) for n in range(20)]
    doubtful = [question(n, LETTERS, right=n > 1) for n in range(8)]
    found = weights([*sound, *doubtful])
    assert found["words"] > USUAL["words"]
    assert found["letters"] > USUAL["letters"]
