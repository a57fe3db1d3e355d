"""Which threads are learnt from, and which are kept to judge by."""

import pytest

from search.article import Answer, Article
from search.tuning.pairs import Pair, asked, best_answer, confirmed_from, groups, held_back, training_pairs

LONG = "after the update last night my mail program shows no folders and no messages at all"


def thread(name: str, question: str = "", answers: tuple[Answer, ...] = (Answer("Restart it."),)) -> Article:
    return Article(id=name, title=f"Title {name}", question=question, answers=answers)


def test_threads_that_share_a_long_row_of_words_are_one_group() -> None:
    articles = [thread("a", LONG), thread("b", "Something else"), thread("c", f"Please help: {LONG.upper()}!")]
    assert groups(articles) == [0, 1, 0]


def test_a_row_of_words_that_everybody_writes_joins_nobody() -> None:
    articles = [thread(str(number), f"Number {number}. {LONG}") for number in range(21)]
    assert groups(articles) == list(range(21))


def test_about_a_tenth_is_held_back_and_near_duplicates_with_it() -> None:
    articles = [thread(f"{number}", f"question {number // 2} " * 12) for number in range(1000)]
    own_group = groups(articles)
    hidden = held_back(articles, own_group)
    assert 60 < len(hidden) < 140
    assert hidden == {place for place in range(1000) if own_group[place] in {own_group[one] for one in hidden}}
    assert hidden == held_back(articles, own_group)


def test_no_pair_comes_from_a_group_held_back() -> None:
    articles = [thread("a", LONG), thread("b", "My screen is dark"), thread("c", LONG)]
    pairs = training_pairs(articles, groups(articles), frozenset({2}), [("no folders", "a"), ("dark", "b")])
    assert {pair.thread for pair in pairs} == {1}


def test_a_thread_gives_question_to_answer_title_to_thread_and_question_to_title() -> None:
    article = thread("a", "My screen is dark", (Answer("No idea.", votes=2), Answer("Press F5.", accepted=True)))
    assert training_pairs([article], [0], frozenset()) == [
        Pair("Title a. My screen is dark", "Press F5.", 0, 0),
        Pair("Title a", "My screen is dark\nNo idea.\nPress F5.", 0, 0),
        Pair("My screen is dark", "Title a", 0, 0),
    ]


def test_a_confirmed_call_teaches_its_article() -> None:
    pairs = training_pairs([thread("a", "Dark")], [0], frozenset(), [("it is all black", "a"), ("lost", "gone")])
    assert [pair for pair in pairs if pair.asked in ("it is all black", "lost")] == [
        Pair("it is all black", "Dark\nRestart it.", 0, 0),
        Pair("it is all black", "Title a", 0, 0),
    ]


def test_without_an_accepted_answer_the_one_with_most_votes_is_best() -> None:
    assert best_answer(thread("a", "", (Answer("one", votes=1), Answer("two", votes=5), Answer("three", votes=5)))) == (
        Answer("two", votes=5)
    )
    assert best_answer(thread("a", "", ())) is None


def test_a_question_that_repeats_its_title_is_asked_once() -> None:
    assert asked(Article("a", "Dark screen", "Dark screen since today", ())) == "Dark screen since today"


def test_confirmed_calls_are_read_from_json_lines() -> None:
    lines = ['{"transcript": "no sound", "article_id": "a1", "more": 1}', "", '{"transcript": "", "article_id": "b"}']
    assert confirmed_from(lines) == [("no sound", "a1"), ("", "b")]


@pytest.mark.parametrize(
    "line", ["{", "[]", "3", '{"transcript": 1, "article_id": "a"}', '{"transcript": "x"}', "[" * 99999]
)
def test_a_bad_line_of_confirmed_calls_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="line 2 is not"):
        confirmed_from(['{"transcript": "x", "article_id": "a"}', line])
