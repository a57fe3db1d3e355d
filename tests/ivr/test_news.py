"""What a process takes up while it runs: plans, indexes and the answers to menu paths, none waiting for another."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psycopg import Connection

from config.settings import Settings
from ivr import articles_cli, bundles, wiring
from ivr.articles_cli import build_index
from ivr.planfile.store import STARTER
from ivr.wiring import Wiring, build
from models import articles, plans
from search.article import Answer, Article
from search.encoder import OnnxEncoder, Vectors
from search.query import Query
from search.result import Match, NoMatch
from tests.scenery import NOON, patched

WITHIN_S = 10.0
RED = Article(
    "red",
    "A red light on the router",
    "",
    (Answer("Hold the reset pin.", accepted=True),),
    tags=("internet", "router"),
)
RED_PATH = Query(("Internet", "a red light on the router"), "", "en", frozenset({"internet", "router"}))


@pytest.fixture(scope="module")
def encoder() -> OnnxEncoder:
    return OnnxEncoder()


@pytest.fixture
def published(settings: Settings, db: Connection, encoder: OnnxEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The starter menu and an index of one article."""
    for place in (articles_cli, wiring):
        monkeypatch.setattr(place, "load_encoder", lambda *_: encoder)
    articles.upsert_many(db, [RED], "test")
    plans.publish(db, STARTER.read_text("utf-8"), "tests", "the starter menu", at=NOON)
    build_index(settings)


@pytest.fixture
def elsewhere(published: None, settings: Settings, tmp_path: Path) -> Iterator[Wiring]:
    """A process on another machine, which does not have the index yet."""
    made = build(settings.model_copy(update={"data_dir": tmp_path / "elsewhere"}), name="tests", pool_size=2)
    yield made
    made.close()


def soon(true: Callable[[], bool]) -> bool:
    """Whether it comes true within a while."""
    end = time.monotonic() + WITHIN_S
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    return true()


def test_a_plan_is_taken_up_while_an_index_is_fetched(
    elsewhere: Wiring, db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    on, real = threading.Event(), bundles.fetch

    def slow_line(conn: Connection, root: Path, version: str) -> None:
        on.wait(WITHIN_S * 3)
        real(conn, root, version)

    monkeypatch.setattr(bundles, "fetch", slow_line)
    elsewhere.warm()
    assert elsewhere.finders.find(RED_PATH) == NoMatch("no_index")
    version = plans.publish(db, patched({"brand": "Another"}), "tests", "another name", at=NOON)
    assert soon(lambda: (known := elsewhere.plans.known()) is not None and known.version == version)
    assert elsewhere.finders.current() is None
    on.set()
    assert soon(lambda: elsewhere.finders.current() is not None)


def test_the_menu_paths_of_each_plan_are_searched_for_before_a_caller_takes_them(
    elsewhere: Wiring, db: Connection, encoder: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched, mine, encode = [], threading.get_ident(), encoder.encode

    def noted(texts: list[str]) -> Vectors:
        if threading.get_ident() == mine:
            searched.append(texts)
        return encode(texts)

    def looked_up(query: Query) -> bool:
        searched.clear()
        answer = elsewhere.finders.find(query)
        return isinstance(answer, Match) and answer.article_id == "red" and not searched

    elsewhere.warm()
    monkeypatch.setattr(encoder, "encode", noted)
    assert soon(lambda: looked_up(RED_PATH))
    renamed = {"label": {"en": "a router with a red lamp", "es": "una luz roja"}}
    patch = {"menu": {"choices": {"internet": {"menu": {"choices": {"red-light": renamed}}}}}}
    plans.publish(db, patched(patch), "tests", "other words", at=NOON)
    assert soon(lambda: looked_up(Query(("Internet", "a router with a red lamp"), "", "en", RED_PATH.allowed_tags)))
