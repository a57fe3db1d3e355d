"""Letters that a caller says one by one."""

import pytest

from search.finder import searched_text
from search.query import Query
from search.spelled import joined


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("how do i get rid of the p m i", "how do i get rid of the pmi"),
        ("my V P N drops", "my VPN drops"),
        ("do they have a t v", "do they have a tv"),
        ("the a t m kept my card", "the atm kept my card"),
        ("can i u s b it", "can i usb it"),
        ("i lost my e s p n", "i lost my espn"),
        ("got a new i phone with an e sim", "got a new i phone with an e sim"),
        ("i i want a a new one", "i i want a a new one"),
        ("para ti y a mi e o u", "para ti y a mi e o u"),
        ("it's the u.s. t-mobile plan b c'mon", "it's the u.s. t-mobile plan b c'mon"),
        ("", ""),
    ],
)
def test_spelled_letters_are_one_word_and_words_of_one_letter_stay(said: str, meant: str) -> None:
    assert joined(said) == meant


def test_a_search_joins_them() -> None:
    assert searched_text(Query((), "the t v is black", "en")) == "the tv is black"
    assert searched_text(Query((), "t v", "en")) == "tv"
