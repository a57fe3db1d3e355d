"""Who finds the answers of the threads held back, and when a model has won."""

import numpy as np

from search.article import Answer, Article
from search.encoder import Vectors
from search.tuning.compare import compare, passages_of, places

ARTICLES = [
    Article("a", "a title", "a question", (Answer("a answer"), Answer("a second"))),
    Article("b", "b title", "", (Answer("b answer"),)),
    Article("c", "c title", "c question", (Answer("c answer"),)),
]


def unit(*angles: float) -> Vectors:
    return np.array([[np.cos(angle), np.sin(angle)] for angle in angles], dtype=np.float32)


def test_passages_are_title_question_and_each_answer() -> None:
    found = passages_of(ARTICLES)
    assert found.texts == (
        *("a title", "a question", "a answer", "a second"),
        *("b title", "b answer"),
        *("c title", "c question", "c answer"),
    )
    assert found.owners.tolist() == [0, 0, 0, 0, 1, 1, 2, 2, 2]
    assert found.kinds.tolist() == [0, 1, 2, 2, 0, 2, 0, 1, 2]


def test_the_own_title_and_question_are_not_found_but_those_of_others_are() -> None:
    vectors = unit(0.0, 0.0, 0.9, 0.3, 1.5, 1.5, 0.1, 1.5, 1.5)
    assert places(vectors, passages_of(ARTICLES), unit(0.0), [0]).tolist() == [2]  # c's title is nearer
    assert places(vectors, passages_of(ARTICLES), unit(0.3), [0]).tolist() == [1]


def test_an_answer_given_in_two_threads_earns_nothing() -> None:
    vectors = unit(1.5, 1.5, 0.2, 1.5, 1.5, 0.2, 1.5, 1.5, 1.5)
    assert places(vectors, passages_of(ARTICLES), unit(0.2), [0]).tolist() == [2]


def test_a_model_that_gives_no_numbers_finds_nothing() -> None:
    vectors = np.full((9, 2), np.nan, dtype=np.float32)
    assert places(vectors, passages_of(ARTICLES), unit(0.0), [0]).tolist() == [3]


def test_a_model_wins_when_it_is_better_beyond_chance() -> None:
    base = np.array([3, 50, 2, 11] * 50)
    tuned = np.array([2, 9, 1, 11] * 50)
    result = compare(base, tuned)
    assert result.base == {"success@1": 0.0, "success@10": 0.5, "MRR@10": (1 / 3 + 1 / 2) / 4}
    assert np.isclose(result.tuned["MRR@10"], (1 / 2 + 1 / 9 + 1) / 4)
    assert result.low < result.tuned["MRR@10"] - result.base["MRR@10"] < result.high
    assert result.won


def test_a_model_that_is_as_good_or_better_by_chance_only_has_not_won() -> None:
    assert not compare(np.array([1, 2, 3]), np.array([1, 2, 3])).won
    assert not compare(np.array([1, 2, 3, 4]), np.array([2, 1, 3, 3])).won
    assert not compare(np.array([1, 2] * 50), np.array([4, 9] * 50)).won
