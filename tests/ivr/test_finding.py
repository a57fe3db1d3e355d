"""From a search to what may be offered: the manager's promise goes along, and what is gone is named."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from psycopg import Connection

from config.settings import Settings
from ivr.call.effects import Search
from ivr.finding import find
from ivr.wiring import Wiring, build
from models import articles
from search.article import Answer, Article
from search.finder import Finder
from search.query import Query
from search.result import Match, NoMatch

RED = Article("red", "Router light stays red", "", (Answer("Hold the reset pin.", accepted=True),), short="Hold it.")
ASKED = Search(("Internet",), "the light is red", "en", wrong_share=0.2)


class Told(Finder):
    """A finder that answers as told, and keeps what it was asked."""

    def __init__(self, answer: Match | NoMatch) -> None:
        self.answer = answer
        self.asked: list[tuple[Query, float, float]] = []

    @property
    def version(self) -> str:
        return "v1"

    def find(self, query: Query, wrong_share: float = 0.0, unanswerable: float = 0.0) -> Match | NoMatch:
        self.asked.append((query, wrong_share, unanswerable))
        return self.answer


MATCH = Match("red", 0.9, 0.4, "v1", logit=1.5)


@pytest.fixture
def wiring(settings: Settings, db: Connection) -> Iterator[Wiring]:
    made = build(settings, name="tests", pool_size=2)
    articles.upsert_many(db, [RED], "town")
    made.finders.swap(Told(MATCH))
    yield made
    made.close()


def test_the_managers_share_and_that_of_callers_go_to_the_finder(wiring: Wiring, db: Connection) -> None:
    finder = Told(MATCH)
    wiring.finders.swap(finder)
    wiring.unanswerable = 0.31
    found = find(wiring, db, ASKED)
    assert finder.asked == [(Query(("Internet",), "the light is red", "en"), 0.2, 0.31)]
    assert ([card.id for card in found.cards], found.reason, found.score, found.logit) == (["red"], None, 0.9, 1.5)


def test_an_article_that_lapsed_or_was_withdrawn_is_stale(wiring: Wiring, db: Connection) -> None:
    assert articles.lapse_others(db, "town", []) == 1
    lapsed = find(wiring, db, ASKED)
    assert (lapsed.cards, lapsed.reason, lapsed.score, lapsed.logit) == ((), "article_stale", 0.9, 1.5)
    articles.withdraw(db, ["red"])
    assert find(wiring, db, ASKED).reason == "article_stale"


def test_an_article_that_was_never_there_is_stale_and_one_in_another_language_not_allowed(
    wiring: Wiring, db: Connection
) -> None:
    wiring.finders.swap(Told(replace(MATCH, article_id="gone")))
    assert find(wiring, db, ASKED).reason == "article_stale"
    articles.upsert_many(db, [replace(RED, language="es")], "town")
    wiring.finders.swap(Told(MATCH))
    assert find(wiring, db, ASKED).reason == "not_allowed_here"


def test_a_refusal_keeps_the_logit_of_the_best_article(wiring: Wiring, db: Connection) -> None:
    wiring.finders.swap(Told(NoMatch("nothing_near", "v1", 0.1, -2.5)))
    found = find(wiring, db, ASKED)
    assert (found.reason, found.score, found.logit) == ("nothing_near", 0.1, -2.5)
