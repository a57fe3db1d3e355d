"""Articles and index versions in a real PostgreSQL."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import Connection

from models import articles, indexes
from models.articles import Upserted
from models.indexes import IndexVersion
from search.article import Answer, Article
from search.result import ArticleCard

RED = Article(
    id="router-light-red",
    title="Router light stays red \u2019\u00e9\U0001f600",
    question="Why?\nSince Monday.",
    answers=(Answer("Same here.", "Lee", 1), Answer("Hold the pin.", "Dana K.", 12, True)),
    author="Sam",
    votes=41,
    url="https://community.lumora.example/t/router-light-red",
    tags=("internet", "router"),
    language="en",
    licence="CC BY 4.0",
    name_authors=True,
    short="Hold the pin for ten seconds.",
)


def test_an_article_comes_back_as_it_went_in(db: Connection) -> None:
    bare = Article("bare", "T", "", (Answer("A"),))
    assert articles.upsert_many(db, [RED, bare], "starter") == Upserted(added=2)
    assert articles.read(db, RED.id) == RED
    assert articles.read(db, "bare") == bare
    assert articles.read(db, "missing") is None
    assert list(articles.iter_live(db)) == [bare, RED]


def test_importing_again_changes_only_what_is_new(db: Connection) -> None:
    articles.upsert_many(db, [RED, replace(RED, id="other")], "starter")
    before = articles.content_digest(db)
    assert articles.upsert_many(db, [RED], "starter") == Upserted(unchanged=1)
    assert articles.content_digest(db) == before
    changed = replace(RED, title="New title")
    assert articles.upsert_many(db, [changed, replace(RED, id="third")], "new") == Upserted(1, 1, 0)
    assert articles.content_digest(db) != before
    assert articles.read(db, RED.id) == changed


def test_more_than_one_batch_is_written(db: Connection) -> None:
    many = [replace(RED, id=f"a{number:04}") for number in range(articles.BATCH * 2 + 1)]
    assert articles.upsert_many(db, many, "starter").added == len(many)
    assert articles.count_live(db) == len(many)
    assert [article.id for article in articles.iter_live(db)] == [article.id for article in many]


def test_an_import_that_fails_on_the_way_writes_nothing(db: Connection) -> None:
    def broken() -> Iterator[Article]:
        for number in range(articles.BATCH + 10):
            yield replace(RED, id=f"a{number}")
        raise ValueError("the file ends in the middle")

    with pytest.raises(ValueError, match="ends in the middle"):
        articles.upsert_many(db, broken(), "starter")
    assert articles.count_live(db) == 0


def test_a_card_says_what_may_be_said(db: Connection) -> None:
    articles.upsert_many(db, [RED], "starter")
    assert articles.card(db, RED.id) == ArticleCard(
        id=RED.id,
        title=RED.title,
        short=RED.short,
        author="Dana K.",
        votes=41,
        helped=0,
        language="en",
        tags=("internet", "router"),
        spoken="Router light stays red \u2019\u00e9",
    )


@pytest.mark.parametrize(
    "article",
    [
        replace(RED, name_authors=False),
        replace(RED, answers=(Answer("Hold the pin.", "xX_net99_Xx", 1, True),)),
        replace(RED, answers=(Answer("Hold the pin.", None, 1, True),)),
        replace(RED, answers=(Answer("Hold the pin.", "Dana K."),)),
    ],
    ids=["source does not allow it", "handle", "nobody", "not accepted"],
)
def test_an_author_is_named_only_where_it_is_allowed_and_can_be_said(db: Connection, article: Article) -> None:
    articles.upsert_many(db, [article], "starter")
    found = articles.card(db, RED.id)
    assert found is not None
    assert found.author is None


def test_a_page_names_nobody_where_the_source_forbids_it(db: Connection) -> None:
    articles.upsert_many(db, [replace(RED, name_authors=False)], "starter")
    found = articles.read(db, RED.id)
    assert found is not None
    assert found.author is None
    assert [answer.author for answer in found.answers] == [None, None]


def test_an_author_who_asked_is_not_named_any_more(db: Connection) -> None:
    articles.upsert_many(db, [RED], "starter")
    articles.unname(db, "Dana K.")
    articles.unname(db, "Dana K.")
    card = articles.card(db, RED.id)
    page = articles.read(db, RED.id)
    assert card is not None
    assert page is not None
    assert card.author is None
    assert (page.author, [answer.author for answer in page.answers]) == ("Sam", ["Lee", None])


def test_cards_come_in_the_order_asked_for_and_only_live_ones(db: Connection) -> None:
    articles.upsert_many(db, [replace(RED, id=name) for name in "abc"], "starter")
    assert articles.withdraw(db, ["b", "missing"]) == ["b"]
    assert articles.withdraw(db, ["b"]) == []
    assert [card.id for card in articles.cards(db, ("c", "b", "a", "c", "missing"))] == ["c", "a"]
    assert articles.cards(db, ()) == ()
    assert articles.card(db, "b") is None
    assert articles.read(db, "b") == replace(RED, id="b")
    assert [articles.state(db, name) for name in ("a", "b", "missing")] == ["live", "withdrawn", None]


def test_a_withdrawn_article_that_comes_again_stays_withdrawn_until_it_is_restored(db: Connection) -> None:
    articles.upsert_many(db, [RED], "starter")
    articles.withdraw(db, [RED.id])
    before = articles.content_digest(db)
    assert articles.upsert_many(db, [RED], "starter") == Upserted(unchanged=1)
    assert articles.upsert_many(db, [replace(RED, votes=5)], "starter") == Upserted(changed=1)
    assert articles.card(db, RED.id) is None
    assert articles.restore(db, [RED.id, "missing"]) == [RED.id]
    assert articles.card(db, RED.id) is not None
    assert articles.content_digest(db) != before


def test_callers_who_were_helped_are_counted_and_survive_an_import(db: Connection) -> None:
    articles.upsert_many(db, [RED], "starter")
    articles.count_helped(db, RED.id)
    articles.count_helped(db, RED.id)
    articles.upsert_many(db, [replace(RED, votes=42)], "starter")
    card = articles.card(db, RED.id)
    assert card is not None
    assert (card.helped, card.votes) == (2, 42)


def test_articles_are_counted_by_source_language_and_state(db: Connection) -> None:
    articles.upsert_many(db, [RED, replace(RED, id="es", language="es")], "one")
    articles.upsert_many(db, [replace(RED, id="gone")], "two")
    articles.withdraw(db, ["gone"])
    assert articles.count_by_source(db) == [
        ("one", "en", "live", 1),
        ("one", "es", "live", 1),
        ("two", "en", "withdrawn", 1),
    ]


def test_reading_all_articles_is_one_moment(db: Connection, database_url: str) -> None:
    articles.upsert_many(db, [replace(RED, id=f"a{number:04}") for number in range(1200)], "starter")
    reading = articles.iter_live(db)
    first = next(reading)
    with psycopg.connect(database_url, autocommit=True) as other:
        articles.withdraw(other, ["a1100"])
    assert len([first, *reading]) == 1200


def version(number: int) -> IndexVersion:
    at = datetime(2026, 11, 22, 8, tzinfo=UTC) + timedelta(hours=number)
    return IndexVersion(f"v{number}", at, 10 + number, "all-MiniLM-L6-v2", "digest")


def test_the_first_index_is_live_only_when_published(db: Connection) -> None:
    assert (indexes.current(db), indexes.before_current(db), indexes.list_all(db)) == (None, None, [])
    indexes.add(db, version(1))
    assert indexes.current(db) is None
    assert indexes.list_all(db) == [version(1)]
    indexes.publish(db, "v1")
    indexes.publish(db, "v1")
    assert indexes.current(db) == replace(version(1), state="live")
    assert indexes.before_current(db) is None


def test_publishing_retires_the_one_before_and_a_rollback_goes_back_in_time(db: Connection) -> None:
    for number in (1, 2, 3):
        indexes.add(db, version(number))
        indexes.publish(db, f"v{number}")
    indexes.add(db, version(4))  # built, never live
    assert [(one.version, one.state) for one in indexes.list_all(db)] == [
        ("v4", "built"),
        ("v3", "live"),
        ("v2", "retired"),
        ("v1", "retired"),
    ]
    for expected in ("v2", "v1"):
        earlier = indexes.before_current(db)
        assert earlier is not None
        assert earlier.version == expected
        indexes.roll_back(db, expected)
    assert indexes.before_current(db) is None
    assert list(indexes.kept(db, 2)) == ["v1", "v3"]


def test_what_a_rollback_put_in_place_stays_until_someone_builds_over_it(db: Connection) -> None:
    for number in (1, 2, 3):
        indexes.add(db, version(number))
        indexes.publish(db, f"v{number}", f"v{number - 1}")
    indexes.roll_back(db, "v2")
    live = indexes.current(db)
    assert live is not None
    assert (live.version, live.held) == ("v2", True)
    indexes.add(db, version(4))
    with pytest.raises(indexes.Held, match="v2 was rolled back to"):
        indexes.publish(db, "v4", "v3")  # was being built meanwhile
    assert indexes.current(db) == live
    indexes.publish(db, "v4", "v2")
    assert [(one.version, one.held) for one in indexes.list_all(db) if one.held] == []
    earlier = indexes.before_current(db)
    assert earlier is not None
    assert earlier.version == "v2"  # v3 was left
    indexes.roll_back(db, "v1")
    assert indexes.before_current(db) is None
    indexes.add(db, version(5))
    indexes.publish(db, "v5", "v1")
    earlier = indexes.before_current(db)
    assert earlier is not None
    assert earlier.version == "v1"


def test_an_unknown_index_is_not_published_and_the_live_one_stays(db: Connection) -> None:
    indexes.add(db, version(1))
    indexes.publish(db, "v1")
    with pytest.raises(LookupError, match="no index version v9"):
        indexes.publish(db, "v9")
    live = indexes.current(db)
    assert live is not None
    assert live.version == "v1"
