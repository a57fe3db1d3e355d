"""The menu that a newcomer hears first."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ivr.call.plan import Choice, Leaf, Menu, Plan
from ivr.call.understand import understand
from ivr.call.wording import WORDING
from ivr.planfile.read import read_plan
from ivr.planfile.store import STARTER


@pytest.fixture(scope="module")
def plan() -> Plan:
    read = read_plan(STARTER.read_bytes(), version=1)
    assert [str(one) for one in read.problems] == []
    assert read.plan is not None
    return read.plan


def choices(menu: Menu) -> Iterator[tuple[Menu, Choice]]:
    for choice in menu.choices:
        yield menu, choice
        if choice.menu is not None:
            yield from choices(choice.menu)


def pressed(plan: Plan, keys: str) -> Menu | Leaf:
    path: tuple[str, ...] = ()
    for key in keys:
        here = plan.walk(path)
        assert isinstance(here, Menu)
        path = (*path, next(choice.id for choice in here.choices if choice.key == key))
    return plan.walk(path)


def test_who_took_spanish_by_mistake_asks_for_english(plan: Plan) -> None:
    assert understand("inglés", plan.main, plan, "es", top=True).language == "en"
    assert understand("In English, please.", plan.main, plan, "es", top=True).language == "en"


def test_three_then_two_is_the_router_that_is_not_online(plan: Plan) -> None:
    leaf = pressed(plan, "32")
    assert isinstance(leaf, Leaf)
    assert (leaf.id, leaf.queue, leaf.ask) == ("internet-not-online", "technical", True)


def test_nine_is_spanish_and_no_choice_of_the_main_menu(plan: Plan) -> None:
    spanish = plan.language("es")
    assert (spanish.key, spanish.invite) == ("9", "Para español, oprima nueve.")
    assert "9" not in {choice.key for choice in plan.main.choices}


def test_every_sentence_is_there_in_english_and_spanish(plan: Plan) -> None:
    assert {code: set(said) for code, said in plan.wording.items()} == {"en": set(WORDING), "es": set(WORDING)}


def test_pins_name_articles_of_the_starter_community_in_their_language(plan: Plan) -> None:
    lines = (STARTER.parent / "articles.jsonl").read_text("utf-8").splitlines()
    languages = {one["id"]: one["language"] for one in map(json.loads, lines)}
    pinned = [(code, one) for _, leaf in plan.leaves().values() for code, ids in leaf.pinned.items() for one in ids]
    assert len([code for code, _ in pinned if code == "es"]) == 8
    assert [(code, one) for code, one in pinned if languages.get(one) != code] == []


def test_tags_of_leaves_occur_in_the_starter_community(plan: Plan) -> None:
    lines = (STARTER.parent / "articles.jsonl").read_text("utf-8").splitlines()
    tags = {tag for line in lines for tag in json.loads(line)["tags"]}
    assert {tag for _, leaf in plan.leaves().values() for tag in leaf.allowed_tags} <= tags


def test_callers_in_distress_are_never_offered_an_article(plan: Plan) -> None:
    silent = {leaf.id for _, leaf in plan.leaves().values() if leaf.never_offer}
    assert silent == {"stolen-or-fraud", "bereavement", "emergency-line", "cancel-service"}


def test_texts_about_bills_and_accounts_do_not_name_the_subject(plan: Plan) -> None:
    open_words = {leaf.id for path, leaf in plan.leaves().values() if not leaf.discreet}
    assert not {name for name in open_words if "billing" in name or "account" in name}
    assert "internet-slow" in open_words


def test_a_newcomers_call_is_held_at_any_hour(plan: Plan) -> None:
    begin = datetime(2026, 11, 22, tzinfo=UTC)
    for name in (plan.default_queue, "technical", "urgent"):
        hours = plan.queues[name].hours
        assert {hours.closed_why(begin + timedelta(minutes=30 * n)) for n in range(48 * 8)} == {None}


def test_billing_is_closed_on_thanksgiving_and_at_night(plan: Plan) -> None:
    hours = plan.queues["billing"].hours
    assert hours.closed_why(datetime(2026, 11, 26, 17, tzinfo=UTC)) == "holiday"
    assert hours.closed_why(datetime(2026, 11, 24, 12, 59, tzinfo=UTC)) == "hours"
    assert hours.closed_why(datetime(2026, 11, 24, 13, 0, tzinfo=UTC)) is None


def test_every_label_and_synonym_is_understood_as_its_own_choice(plan: Plan) -> None:
    missed = [
        (language.code, menu.id, choice.id, words)
        for menu, choice in choices(plan.main)
        for language in plan.languages
        for words in (choice.label[language.code], *choice.synonyms.get(language.code, ()))
        if understand(words, menu, plan, language.code, top=menu is plan.main).choice is not choice
    ]
    assert missed == []


@pytest.mark.parametrize(
    ("words", "choice"),
    [
        ("My router lights are red.", "internet"),
        ("the internet is really slow tonight", "internet"),
        ("My phone was stolen yesterday", "other"),
        ("I think I was charged twice", "billing"),
        ("I have no bars and no signal", "mobile"),
        ("my e-mail is gone", "email-tv"),
        ("Pues, mi correo", "email-tv"),
        ("ME ROBARON EL CELULAR", "other"),
        ("no tengo internet", "internet"),
    ],
)
def test_what_callers_say_at_the_main_menu_is_understood(plan: Plan, words: str, choice: str) -> None:
    language = "es" if words.split()[0] in ("Pues,", "ME", "no") else "en"
    understood = understand(words, plan.main, plan, language, top=True).choice
    assert understood is not None
    assert understood.id == choice
