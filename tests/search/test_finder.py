"""The finder offers what is near, in the caller's language, allowed at the leaf; else it says why not."""

from dataclasses import replace
from pathlib import Path

import pytest

from search.article import Article
from search.calibration import shipped
from search.encoder import OnnxEncoder
from search.evidence import FEATURES
from search.finder import Finder, searched_text
from search.index import build, load
from search.query import Query
from search.result import Match, NoMatch
from tests.search.conftest import article


def make(root: Path, articles: list[Article], encoder: OnnxEncoder) -> Finder:
    version, _ = build(articles, encoder, root)
    return Finder(load(root / version, encoder.model_id, encoder.dimension), encoder)


@pytest.fixture(scope="module")
def finder(tmp_path_factory: pytest.TempPathFactory, community: list[Article], encoder: OnnxEncoder) -> Finder:
    return make(tmp_path_factory.mktemp("index"), community, encoder)


def ask(words: str, *path: str, language: str = "en", tags: str = "", exclude: str = "") -> Query:
    return Query(path, words, language, frozenset(tags.split()), frozenset(exclude.split()))


@pytest.mark.parametrize(
    ("words", "article_id"),
    [
        ("my messages disappeared after the update", "messages-gone"),
        ("the light on my router is red", "red-light"),
        ("you charged me two times this month", "charged-twice"),
        ("the remote control will not pair with my box", "remote"),
    ],
)
def test_a_sentence_finds_the_article_about_it(finder: Finder, words: str, article_id: str) -> None:
    found = finder.find(ask(words))
    assert isinstance(found, Match)
    assert found.article_id == article_id
    assert finder.threshold("en") <= found.score <= 1.0
    assert found.runner_up != article_id
    assert 0.9 < found.margin <= 1.0
    assert (found.index_version, found.how) == (finder.version, "search")
    assert found.logit is not None
    assert found.score == pytest.approx(shipped().probability(found.logit))


def test_something_else_finds_nothing(finder: Finder) -> None:
    found = finder.find(ask("what is the best shoe to wear to a prom"))
    assert isinstance(found, NoMatch)
    assert found.reason == "nothing_near"
    assert found.score is not None
    assert found.score < finder.threshold("en")
    assert found.logit is not None
    assert found.logit < shipped().threshold()


def test_only_articles_in_the_callers_language_are_offered(finder: Finder) -> None:
    found = finder.find(ask("la luz roja del router no se apaga", language="es"))
    assert isinstance(found, Match)
    assert found.article_id == "es-luz-roja"
    assert (found.runner_up, found.margin) == (None, 1.0)
    assert finder.find(ask("das Licht ist rot", language="de")) == NoMatch("language", finder.version)


def test_a_leafs_tags_limit_what_is_offered(finder: Finder) -> None:
    words = "the light on my router is red"
    allowed = finder.find(ask(words, tags="router billing"))
    assert isinstance(allowed, Match)
    assert (allowed.article_id, allowed.runner_up) == ("red-light", None)
    for tags in ("billing", "no-such-tag"):
        refused = finder.find(ask(words, tags=tags))
        assert isinstance(refused, NoMatch)
        assert refused.reason == "not_allowed_here"
    far = finder.find(ask("what is the best shoe to wear to a prom", tags="billing"))
    assert isinstance(far, NoMatch)
    assert far.reason == "nothing_near"


def test_a_forbidden_article_is_not_offered_and_the_next_best_not_in_its_stead(finder: Finder) -> None:
    words = "the light on my router is red"
    assert isinstance(finder.find(ask(words)), Match)
    refused = finder.find(replace(ask(words), forbidden=frozenset({"red-light"})))
    assert isinstance(refused, NoMatch)
    assert refused.reason == "not_allowed_here"
    other = finder.find(replace(ask(words), forbidden=frozenset({"charged-twice", "no-such-article"})))
    assert other == finder.find(ask(words))


def test_an_explanation_answers_as_a_search_and_lays_each_candidate_open(finder: Finder) -> None:
    words = "the light on my router is red"
    for query in (ask(words), ask(words, tags="billing"), ask("what is the best shoe to wear to a prom"), ask("um")):
        told = finder.explain(query, 0.2, 0.4)
        assert told.answer == finder.find(query, 0.2, 0.4)
        assert told.gate == finder.threshold("en", 0.2, 0.4)
    told = finder.explain(ask(words))
    first = told.candidates[0]
    assert (first.article_id, first.verdict, told.searched) == ("red-light", "chosen", words)
    assert isinstance(told.answer, Match)
    assert first.chance == told.answer.score >= told.gate
    assert first.score == pytest.approx(sum(piece.adds for piece in first.pieces), abs=1e-4)
    assert tuple(piece.name for piece in first.pieces) == FEATURES
    assert {one.verdict for one in told.candidates[1:]} <= {"behind", "further"}
    barred = finder.explain(replace(ask(words), forbidden=frozenset({"red-light"}))).candidates
    assert [one.verdict for one in barred].index("barred") == len([one for one in barred if one.verdict != "barred"])
    assert next(one for one in barred if one.verdict == "barred").article_id == "red-light"
    assert barred[0].verdict == "unsure"
    assert finder.explain(ask("um")).candidates == ()


def test_many_searches_at_once_answer_as_each_alone(finder: Finder) -> None:
    words = ("the light on my router is red", "you charged me two times this month", "um", "what a shoe", "")
    queries = [
        ask(said, *path, tags=tags, language=language)
        for said in words
        for path in ((), ("Internet",))
        for tags in ("", "billing")
        for language in ("en", "es", "de")
    ]
    done: list[int] = []
    known = finder.rank_all(queries, 2, done.append)
    assert done[-1] == len(known) == len(queries)
    for query in queries:
        found = known[query]
        alone = finder.find(query)
        together = found if isinstance(found, NoMatch) else finder.judged(found)
        assert (together.score is None) == (alone.score is None)
        assert together.score == pytest.approx(alone.score, abs=1e-4) if alone.score is not None else True
        assert _but_for_its_last_digits(together) == _but_for_its_last_digits(alone)


def _but_for_its_last_digits(found: Match | NoMatch) -> Match | NoMatch:
    if isinstance(found, Match):
        return replace(found, score=0.0, logit=None, margin=round(found.margin, 3))
    return replace(found, score=None, logit=None)


def test_an_excluded_article_is_passed_over(finder: Finder) -> None:
    words = "the light on my router is red"
    first = finder.find(ask(words))
    assert isinstance(first, Match)
    second = finder.find(ask(words, exclude=first.article_id))
    assert getattr(second, "article_id", None) != first.article_id


def test_everything_excluded_is_nothing_near(finder: Finder, community: list[Article]) -> None:
    found = finder.find(ask("the light is red", exclude=" ".join(article.id for article in community)))
    assert found == NoMatch("nothing_near", finder.version, None)


def test_two_unlike_articles_equally_near_are_rivals(tmp_path: Path, encoder: OnnxEncoder) -> None:
    finder = make(
        tmp_path,
        [
            article("light", "The router light is red", "Reset it."),
            article("bill", "I was billed twice in March", "It is a reservation."),
        ],
        encoder,
    )
    ranking = finder.rank(ask("the router light is red and i was billed twice in march"))
    assert ranking is not None
    level = replace(ranking, places=tuple(replace(place, score=1.0) for place in ranking.places))
    assert finder._torn(level, level.further)
    assert not finder._torn(level, 99.0)
    assert not finder._torn(replace(level, places=level.places[:1]), level.further)


def test_a_far_article_is_not_offered_though_all_others_are_farther(tmp_path: Path, encoder: OnnxEncoder) -> None:
    few = make(tmp_path, [article("light", "The router light is red", "Reset it.")], encoder)
    found = few.find(ask("can i have a large pizza with olives"))
    assert isinstance(found, NoMatch)
    assert found.reason == "nothing_near"


def test_two_threads_about_one_thing_are_no_rivals(tmp_path: Path, encoder: OnnxEncoder) -> None:
    finder = make(
        tmp_path,
        [
            article("a", "Router light is red", "Reset it for ten seconds."),
            article("b", "The light of my router is red", "Reset it with a pin."),
        ],
        encoder,
    )
    found = finder.find(ask("red light on the router"))
    assert isinstance(found, Match)
    assert {found.article_id, found.runner_up} == {"a", "b"}


@pytest.mark.parametrize("words", ["", "   ", "...", "um", "uh, yes", "Agent!", "1234", "\ud800", "\x00"])
def test_poor_words_leave_the_menu_path_to_search_by(finder: Finder, words: str) -> None:
    assert searched_text(ask(words, "Internet", "Router light is red")) == "Router light is red"
    found = finder.find(ask(words, "Router", "Router light stays red"))
    assert isinstance(found, Match)
    assert found.article_id == "red-light"
    assert finder.find(ask(words)) == NoMatch("transcript_too_poor", finder.version)


def test_words_said_come_before_the_menu_path(finder: Finder) -> None:
    assert searched_text(ask("charged twice", "Internet", "Router")) == "charged twice"


@pytest.mark.parametrize("words", ["\ud800 router light is red", "red\x00light", "router " * 100_000, "\u202e" * 50])
def test_hostile_words_are_answered(finder: Finder, words: str) -> None:
    assert isinstance(finder.find(ask(words)), Match | NoMatch)
