"""Threads that say the same are folded into the best of them, and no others."""

import random
import time
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from search.sources.duplicates import Candidate, fold

WORDS = (
    "Router light stays red\nSince the power cut on Monday the light on the front of my router stays red and no device "
    "in the house reaches the internet any more, although the cable is plugged in and the telephone works as before."
)


def one(identity: str, text: str, *, accepted: bool = False, votes: int = 0, day: int | None = None) -> Candidate:
    return Candidate(identity, text, accepted, votes, datetime(2026, 1, day, tzinfo=UTC) if day else None)


def test_the_same_words_are_folded_whatever_their_marks_and_case() -> None:
    assert fold([one("a", "Wi-Fi is slow"), one("b", "WI FI is slow!")]) == {"b": "a"}


def test_an_accepted_answer_is_better_than_votes_and_votes_than_a_late_change() -> None:
    assert fold([one("a", WORDS, votes=9), one("b", WORDS, accepted=True)]) == {"a": "b"}
    assert fold([one("a", WORDS, day=9), one("b", WORDS, votes=1, day=1)]) == {"a": "b"}
    assert fold([one("a", WORDS, day=1), one("b", WORDS, day=9), one("c", WORDS)]) == {"a": "b", "c": "b"}


def test_a_few_words_more_are_folded() -> None:
    assert fold([one("a", WORDS + " Please help me with it."), one("b", WORDS, votes=3)]) == {"a": "b"}


def test_another_version_or_another_thing_in_the_title_is_another_thread() -> None:
    windows = WORDS.replace("Router light", "Router light, Windows 10:")
    assert fold([one("a", windows), one("b", windows.replace("10", "11"))]) == {}
    assert fold([one("a", WORDS), one("b", WORDS.replace("Router light", "Modem light", 1))]) == {}


def test_short_texts_are_folded_only_when_they_are_the_same() -> None:
    assert fold([one("a", "Is there free parking"), one("b", "Is there free parking here")]) == {}


def test_empty_texts_are_not_the_same_thread() -> None:
    assert fold([one("a", ""), one("b", "!!"), one("c", "\ud800")]) == {}


@given(st.randoms(use_true_random=False))
def test_the_order_does_not_matter_and_what_is_kept_is_folded_nowhere(order: random.Random) -> None:
    texts = [WORDS, WORDS + " Please help me with it.", WORDS + " Thank you all for it.", "Wi-Fi is slow"]
    candidates = [one(f"{n}", texts[n % 4], votes=n % 3) for n in range(12)]
    folded = fold(candidates)
    order.shuffle(candidates)
    assert fold(candidates) == folded
    assert not set(folded) & set(folded.values())
    assert len(folded) == 10


def test_many_threads_that_are_nearly_alike_do_not_take_quadratic_time() -> None:
    words = WORDS.split()
    draw = random.Random(5)
    texts = ["Title\n" + " ".join([*words, *draw.choices("abcdefghij", k=12)]) for _ in range(2_000)]
    start = time.process_time()
    folded = fold(one(f"{n}", text) for n, text in enumerate(texts))
    assert time.process_time() - start < 12
    assert not set(folded) & set(folded.values())
