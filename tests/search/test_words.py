"""The word index finds the articles that share rare words, and knows in which field each word stands."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.words import ANSWERS, CHAMPIONS, QUESTION, TITLE, WordIndex, WordsBuilder, analyse, impacts, stop_terms

ROWS = [
    [("title", analyse("Router light is red")), ("answers", analyse("Reset the router with a pin"))],
    [("title", analyse("Charged twice")), ("question", analyse("Why was my card charged twice?"))],
    [("title", analyse("Remote does not pair")), ("answers", analyse("Hold the home key"))],
]


@pytest.fixture(scope="module")
def words() -> WordIndex:
    return WordIndex.build(ROWS)


@pytest.mark.parametrize(
    ("text", "language", "terms"),
    [
        ("My E-Mails disappeared!", "en", ["my", "email", "disappear"]),
        ("¿Dónde está la FACTURACIÓN?", "es", ["dond", "esta", "la", "factur"]),
        ("router's light don’t blink", "en", ["router", "light", "dont", "blink"]),
        ("ﬁle 2 of 10", "en", ["file", "2", "of", "10"]),
        ("talo vielä", "xx", ["talo", "viela"]),
        ("\ud800 \x00 ...", "en", []),
    ],
)
def test_text_becomes_plain_stems(text: str, language: str, terms: list[str]) -> None:
    assert analyse(text, language) == terms


def test_articles_that_share_words_are_found_best_first(words: WordIndex) -> None:
    found = words.candidates(analyse("the red light on my router"), 10, skipped=stop_terms())
    assert found.rows.tolist() == [0]
    assert found.scores[0] > 2.0
    both = words.candidates(["router", "charg", "light"])
    assert both.rows.tolist() == [0, 1]


def test_words_of_no_article_find_nothing(words: WordIndex) -> None:
    assert words.candidates(analyse("saxophone lessons")).rows.tolist() == []
    assert words.candidates([]).rows.tolist() == []


def test_a_bitmap_limits_the_articles(words: WordIndex) -> None:
    allowed = np.packbits([False, True, True], bitorder="little")
    assert words.candidates(["router", "charg"], allowed=allowed).rows.tolist() == [1]


def test_idf_is_that_of_bm25(words: WordIndex) -> None:
    assert words.idf("router") == pytest.approx(math.log(1 + 2.5 / 1.5))
    assert words.idf("saxophone") == pytest.approx(math.log(1 + 3.5 / 0.5))


def test_each_word_is_known_by_its_fields(words: WordIndex) -> None:
    numbers = words.numbers(["router", "charg", "saxophone", "twice", "router"])
    assert numbers[2] == -1
    assert words.fields([1, 0, 2], numbers).tolist() == [
        [0, TITLE | QUESTION, 0, TITLE | QUESTION, 0],
        [TITLE | ANSWERS, 0, 0, 0, TITLE | ANSWERS],
        [0, 0, 0, 0, 0],
    ]
    terms, masks = words.terms_of(0)
    assert dict(zip(terms.tolist(), masks.tolist(), strict=True))[int(numbers[0])] == TITLE | ANSWERS
    assert len(terms) == len({*analyse("router light is red reset the router with a pin")})


def test_a_word_weighs_by_how_often_it_stands_in_how_short_an_article(words: WordIndex) -> None:
    numbers = words.numbers(["router", "charg", "saxophone"])
    found = impacts(words.marks([0, 1, 2], numbers))
    mean = (10 + 8 + 8) / 3  # words of the three articles
    twice_in_ten, twice_in_eight = (2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * length / mean)) for length in (10, 8))
    assert found == pytest.approx(np.array([[twice_in_ten, 0, 0], [0, twice_in_eight, 0], [0, 0, 0]]), abs=1.1 / 31)


def test_a_few_new_articles_are_long_or_short_by_the_measure_of_all() -> None:
    long = [("title", ["router", *["other"] * 9])]
    alone, among_short = WordsBuilder(), WordsBuilder(mean_length=2.0)
    for builder in (alone, among_short):
        builder.add(long)
    of_usual, of_long = (WordIndex(builder.arrays()) for builder in (alone, among_short))
    weights = [float(impacts(one.marks([0], one.numbers(["router"])))[0, 0]) for one in (of_usual, of_long)]
    assert weights == pytest.approx([1.0, 2.2 / (1 + 1.2 * 4)], abs=1.1 / 31)


def test_a_common_word_finds_only_when_nothing_rarer_was_said() -> None:
    rows = [[("title", ["common", *(["rare"] if n == 7 else [])])] for n in range(100)]
    words = WordIndex.build(rows)
    assert words.candidates(["common", "rare"]).rows.tolist() == [7]
    assert len(words.candidates(["common"], 200).rows) == 100


def test_a_word_of_many_articles_keeps_those_where_it_weighs_most() -> None:
    rows = [[("title", ["word"] * (3 if n % 3 == 0 else 1)), ("answers", ["other"] * 5)] for n in range(3 * CHAMPIONS)]
    found = WordIndex.build(rows).candidates(["word"], 5000)
    assert sorted(found.rows.tolist()) == list(range(0, 3 * CHAMPIONS, 3))


def test_an_index_of_nothing_answers() -> None:
    words = WordIndex.build([])
    assert words.candidates(["router"]).rows.tolist() == []
    assert words.fields([], words.numbers(["router"])).shape == (0, 1)


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["title", "question", "answers"]), st.lists(st.sampled_from("abcdefg"))))
    )
)
def test_what_goes_in_comes_out(rows: list[list[tuple[str, list[str]]]]) -> None:
    words = WordIndex.build(rows)
    numbers = words.numbers(list("abcdefg"))
    bits = {"title": TITLE, "question": QUESTION, "answers": ANSWERS}
    masks = words.fields(list(range(len(rows))), numbers)
    for row, fields in enumerate(rows):
        for column, term in enumerate("abcdefg"):
            expected = 0
            for field, terms in fields:
                expected |= bits[field] if term in terms else 0
            assert masks[row, column] == expected
