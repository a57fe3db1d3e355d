"""Words said at a menu."""

import pytest

from ivr.call.plan import Menu
from ivr.call.understand import masked, spoken_key, tokens, understand, wants_agent
from tests.ivr.call.play import choice, leaf, make_plan

PLAN = make_plan()


def meaning_of(words: str) -> object:
    found = understand(words, PLAN.main, PLAN, "en", top=True)
    if found.choice is not None:
        return found.choice.id
    return found.key or found.language or ("agent" if found.agent else "repeat" if found.repeat else None)


@pytest.mark.parametrize("words", ["three", "Three.", "number three", "uh, the number 3 please", "press three", "tres"])
def test_a_spoken_number_is_its_key(words: str) -> None:
    assert spoken_key(words) == "3"


@pytest.mark.parametrize(
    ("words", "means"),
    [
        ("Internet.", "internet"),
        ("INTERNET!", "internet"),
        ("um, I need help with my wi-fi, please", "internet"),
        ("wifi", "internet"),
        ("my wi fi is down", "internet"),
        ("I got two bills this month", "billing"),
        ("cell phones", "mobile"),
        ("Agent", "agent"),
        ("a real person please", "agent"),
        ("let me talk to somebody", "agent"),
        ("can you let us talk to a human being", "agent"),
        ("can I speak to a representative", "agent"),
        ("operadora, por favor", "agent"),
        ("quiero hablar con una persona", "agent"),
        ("I was told an agent would ring back", "agent"),
        ("customer service", "agent"),
        ("repeat that please", "repeat"),
        ("otra vez", "repeat"),
        ("Español", "es"),
        ("in Spanish please", "es"),
        ("zero", "0"),
        ("nine", "9"),
        ("the weather in Paris", None),
        ("...", None),
        ("", None),
    ],
)
def test_words_mean_what_a_caller_means(words: str, means: str | None) -> None:
    assert meaning_of(words) == means


def test_words_that_fit_two_choices_equally_mean_nothing() -> None:
    assert meaning_of("the bill for my phone") is None


def test_the_longer_phrase_wins() -> None:
    menu = Menu("m", (choice("light", "1", end=leaf("a", "q")), choice("red-light", "2", end=leaf("b", "q"))))
    found = understand("there is a red light", menu, PLAN, "en", top=False)
    assert found.choice is not None
    assert found.choice.id == "red-light"


def test_a_word_inside_another_word_is_no_match() -> None:
    assert meaning_of("I was billed") is None


def test_a_language_is_chosen_at_the_main_menu_only() -> None:
    assert understand("spanish", PLAN.main, PLAN, "en", top=False).language is None


def test_a_person_in_a_longer_story_is_no_wish_for_an_agent() -> None:
    assert not wants_agent("a person stole it from my car")


def test_tokens_fold_case_accents_and_hyphens() -> None:
    assert tokens("  ¡Mi E-Mail, número DÓS!") == ("mi", "email", "numero", "dos")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("call me at 202 555-0143 ok", "call me at # ok"),
        ("card 4111,1111 and pin 77", "card # and pin #"),
        ("it is five five five oh one four three", "it is #"),
        ("two lights are red", "two lights are red"),
        ("line\x00one\ntwo", "line one two"),
    ],
)
def test_digits_are_masked_before_words_are_kept(said: str, kept: str) -> None:
    assert masked(said) == kept


def test_kept_words_are_not_endless() -> None:
    assert len(masked("word " * 100_000)) <= 500
