"""What a telephone does to words."""

import random

from hypothesis import given
from hypothesis import strategies as st

from search.tuning.noise import FILLERS, MAX_WORDS, OPENINGS, Telephone, spoken_words

TEXTS = ["The mail server will not send my mail", "Male voices sound hollow", "My modem's light is red!"]


class GoodLine(random.Random):
    """No opening, nothing dropped, misheard or filled in."""

    def random(self) -> float:
        return 0.5


def test_words_arrive_without_capitals_and_punctuation() -> None:
    heard = Telephone([]).hear("HELP: my (new) printer won't print!!", GoodLine())
    assert heard == "help my new printer won't print"


def test_a_word_is_misheard_as_another_the_community_uses() -> None:
    line = Telephone(TEXTS)
    heard = {line.hear("mail", random.Random(seed)).split()[-1] for seed in range(300)}
    assert "male" in heard
    assert heard <= {"mail", "male", *" ".join(FILLERS).split()}


def test_the_same_chance_hears_the_same() -> None:
    line = Telephone(TEXTS)
    assert [line.hear(text, random.Random(7)) for text in TEXTS] == [
        line.hear(text, random.Random(7)) for text in TEXTS
    ]


def test_a_long_story_is_cut_to_what_a_caller_says() -> None:
    words = [f"word{number}" for number in range(500)]
    assert Telephone([]).hear(" ".join(words), GoodLine()).split() == words[:45]


@given(st.text(max_size=300), st.integers(0, 2**32))
def test_any_text_is_heard_and_one_with_words_never_as_nothing(text: str, seed: int) -> None:
    heard = Telephone([text]).hear(text, random.Random(seed))
    most = max(len(one.split()) for one in (*FILLERS, *OPENINGS))
    assert len(heard.split()) <= (2 + most) * (MAX_WORDS + 1)
    assert bool(heard) or not spoken_words(text)
