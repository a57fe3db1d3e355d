"""An index travels through the database, and what changes since it was built is found beside it."""

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from psycopg import Connection

from config.settings import Settings
from ivr import articles_cli, bundles
from ivr.articles_cli import build_index, roll_back
from ivr.index_news import IndexNews
from ivr.wiring import index_folder
from models import articles, indexes
from search.article import Answer, Article
from search.encoder import OnnxEncoder
from search.holder import FinderHolder
from search.index import BundleError, load
from search.query import Query
from search.result import Match

RED = Article("red", "Router light stays red after a power cut", "", (Answer("Hold the reset pin.", accepted=True),))
TWICE = Article("twice", "I was charged twice this month", "", (Answer("It is a reservation.", accepted=True),))
REMOTE = Article("remote", "Remote does not pair with the box", "", (Answer("Hold the home key.", accepted=True),))
TURTLE = Article("turtle", "My turtle will not eat in winter", "", (Answer("Warm the tank.", accepted=True),))


@pytest.fixture(scope="module")
def encoder() -> OnnxEncoder:
    return OnnxEncoder()


@pytest.fixture(autouse=True)
def loaded_once(monkeypatch: pytest.MonkeyPatch, encoder: OnnxEncoder) -> None:
    monkeypatch.setattr(articles_cli, "load_encoder", lambda *settings: encoder)


@pytest.fixture
def connect(database_url: str) -> Callable[[], Connection]:
    return lambda: psycopg.connect(database_url, autocommit=True)


@pytest.fixture
def root(settings: Settings, db: Connection) -> Path:
    """Where this machine keeps its bundles; three articles are in the database."""
    articles.upsert_many(db, [RED, TWICE, REMOTE], "test")
    return index_folder(settings)


def best(finders: FinderHolder, words: str) -> str | None:
    """The id of the nearest article, good enough or not."""
    finder = finders.current()
    assert finder is not None
    ranking = finder.rank(Query((), words, "en"))
    return finder.article_id(ranking.places[0]) if ranking else None


def test_another_machine_fetches_the_live_index(
    settings: Settings,
    root: Path,
    tmp_path: Path,
    db: Connection,
    connect: Callable[[], Connection],
    encoder: OnnxEncoder,
) -> None:
    built = build_index(settings)
    finders, elsewhere = FinderHolder(), tmp_path / "elsewhere"
    IndexNews(finders, elsewhere, connect).look(encoder)
    assert finders.version == built.version
    assert best(finders, "the light on my router is red") == "red"
    assert [folder.name for folder in elsewhere.iterdir() if folder.is_dir()] == [built.version]
    ((process, version),) = indexes.uses(db, 60)
    assert (version, ":" in process) == (built.version, True)


def test_a_fetch_goes_on_where_it_was_cut(
    settings: Settings,
    root: Path,
    tmp_path: Path,
    db: Connection,
    encoder: OnnxEncoder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bundles, "CHUNK_BYTES", 1000)
    version = build_index(settings).version
    real = indexes.chunk
    asked: list[tuple[str, int]] = []

    def cut_at_seven(conn: Connection, version: str, file: str, place: int) -> indexes.Chunk | None:
        asked.append((file, place))
        if len(asked) == 7:
            raise psycopg.OperationalError("the line is cut")
        return real(conn, version, file, place)

    monkeypatch.setattr(indexes, "chunk", cut_at_seven)
    with pytest.raises(psycopg.OperationalError):
        bundles.fetch(db, tmp_path, version)
    assert not (tmp_path / version).exists()
    whole_files = {name for name, place in asked[:6] if place == 1}
    whole_chunks = {(name, 0) for name in whole_files}
    bundles.fetch(db, tmp_path, version)
    assert whole_chunks
    assert not set(asked[7:]) & whole_chunks
    assert list(load(tmp_path / version, encoder.model_id, 384).ids) == ["red", "remote", "twice"]


def test_another_machine_keeps_what_a_rollback_goes_back_to_and_no_more(
    settings: Settings,
    root: Path,
    tmp_path: Path,
    connect: Callable[[], Connection],
    encoder: OnnxEncoder,
) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "just-built").mkdir(parents=True)  # not yet in the database
    news, versions = IndexNews(FinderHolder(), elsewhere, connect), []
    for _ in range(bundles.KEPT + 1):
        versions.append(build_index(settings).version)
        news.look(encoder)
    assert {folder.name for folder in elsewhere.iterdir() if folder.is_dir()} == {"just-built", *versions[1:]}


def test_an_index_the_disk_has_no_room_for_is_not_begun_with(
    settings: Settings, root: Path, tmp_path: Path, db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = build_index(settings).version
    needed = indexes.size_bytes(db, version) + bundles.LEFT_FREE_BYTES
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=needed - 1))
    with pytest.raises(OSError, match="must be free for the index"):
        bundles.fetch(db, tmp_path / "elsewhere", version)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=needed))
    bundles.fetch(db, tmp_path / "elsewhere", version)


def test_a_damaged_chunk_is_refused_and_the_old_index_stays(
    settings: Settings,
    root: Path,
    tmp_path: Path,
    db: Connection,
    connect: Callable[[], Connection],
    encoder: OnnxEncoder,
) -> None:
    first = build_index(settings)
    finders = FinderHolder()
    news = IndexNews(finders, tmp_path / "elsewhere", connect)
    news.look(encoder)
    second = build_index(settings)
    db.execute(
        "UPDATE index_chunks SET content = set_byte(content, 9, 255 - get_byte(content, 9))"
        " WHERE version = %s AND file = 'vectors.npy'",
        (second.version,),
    )
    with pytest.raises(BundleError, match="damaged in the database"):
        news.look(encoder)
    assert finders.version == first.version
    assert best(finders, "charged two times") == "twice"


def test_a_bundle_damaged_here_is_fetched_again(
    settings: Settings, root: Path, connect: Callable[[], Connection], encoder: OnnxEncoder
) -> None:
    version = build_index(settings).version
    (root / version / "owners.npy").write_bytes(b"\x93NUMPY")
    finders = FinderHolder()
    IndexNews(finders, root, connect).look(encoder)
    assert finders.version == version
    assert best(finders, "remote will not pair") == "remote"


def test_a_bundle_of_another_model_stays_for_those_who_have_it(
    settings: Settings,
    root: Path,
    connect: Callable[[], Connection],
    encoder: OnnxEncoder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = build_index(settings).version
    there = (root / version).stat().st_ino
    monkeypatch.setattr(encoder, "model_id", "tuned")
    with pytest.raises(BundleError, match="not with tuned"):
        IndexNews(FinderHolder(), root, connect).look(encoder)
    assert (root / version).stat().st_ino == there


def test_changes_are_found_after_the_database_was_restored_on_another_server(
    settings: Settings, root: Path, db: Connection, connect: Callable[[], Connection], encoder: OnnxEncoder
) -> None:
    build_index(settings)
    db.execute("UPDATE index_versions SET read_at = '9000000000'")  # by the old server's count
    articles.upsert_many(db, [TURTLE], "test")
    finders = FinderHolder()
    IndexNews(finders, root, connect).look(encoder)
    assert best(finders, "my turtle will not eat") == "turtle"


def test_what_changes_is_found_at_the_next_look(
    settings: Settings, root: Path, db: Connection, connect: Callable[[], Connection], encoder: OnnxEncoder
) -> None:
    build_index(settings)
    finders = FinderHolder()
    news = IndexNews(finders, root, connect)
    news.look(encoder)
    assert best(finders, "my turtle will not eat") != "turtle"
    moved = replace(RED, title="Sourdough bread does not rise", answers=(Answer("Wait a day longer."),))
    articles.upsert_many(db, [TURTLE, moved], "test")
    articles.withdraw(db, ["remote"])
    news.look(encoder)
    assert best(finders, "my turtle will not eat") == "turtle"
    assert best(finders, "sourdough bread does not rise") == "red"
    finder = finders.current()
    assert finder is not None
    found = finder.find(Query((), "my turtle will not eat in winter", "en"))
    assert isinstance(found, Match)
    assert found.article_id == "turtle"
    for words in ("remote does not pair with the box", "router light stays red after a power cut"):
        ranking = finder.rank(Query((), words, "en"))
        assert ranking is not None
        ids = [finder.article_id(place) for place in ranking.places]
        assert sorted(ids) == ["red", "turtle", "twice"]
    articles.withdraw(db, ["turtle"])
    news.look(encoder)
    assert best(finders, "my turtle will not eat") != "turtle"
    articles.restore(db, ["turtle"])
    build_index(settings)
    news.look(encoder)
    assert best(finders, "my turtle will not eat") == "turtle"


def test_a_change_that_commits_late_is_not_missed(
    settings: Settings, root: Path, connect: Callable[[], Connection], encoder: OnnxEncoder
) -> None:
    """Its transaction began before the index was read and ended after."""
    late = connect()
    with late.transaction():
        articles.upsert_many(late, [TURTLE], "test")
        build_index(settings)
        finders = FinderHolder()
        news = IndexNews(finders, root, connect)
        news.look(encoder)
        assert best(finders, "my turtle will not eat") != "turtle"
    late.close()
    news.look(encoder)
    assert best(finders, "my turtle will not eat") == "turtle"


def test_searches_never_fail_while_indexes_come_and_go(
    settings: Settings, root: Path, connect: Callable[[], Connection], encoder: OnnxEncoder
) -> None:
    """Builds, roll-backs and damage, under threads that search all the time."""
    versions = {build_index(settings).version}
    finders = FinderHolder()
    news = IndexNews(finders, root, connect)
    news.look(encoder)
    over = threading.Event()

    def search() -> set[str]:
        seen = set()
        while not over.is_set():
            finder = finders.current()
            assert finder is not None
            ranking = finder.rank(Query((), "the light on my router is red", "en"))
            assert ranking is not None
            assert finder.article_id(ranking.places[0]) == "red"
            seen.add(finder.version)
        return seen

    with ThreadPoolExecutor(3) as threads:
        searchers = [threads.submit(search) for _ in range(3)]
        try:
            for turn in range(4):
                versions.add(build_index(settings).version)
                news.look(encoder)
                if turn % 2:
                    roll_back(settings)
                    news.look(encoder)
        finally:
            over.set()
        seen = set().union(*(searcher.result() for searcher in searchers))
    assert seen <= versions
    assert len(seen) > 1


def test_changes_are_found_while_a_big_index_is_fetched(
    settings: Settings,
    root: Path,
    tmp_path: Path,
    db: Connection,
    connect: Callable[[], Connection],
    encoder: OnnxEncoder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = build_index(settings)
    finders = FinderHolder()
    news = IndexNews(finders, tmp_path / "elsewhere", connect)
    news.look(encoder)
    second = build_index(settings)
    fetching, on = threading.Event(), threading.Event()
    real = bundles.fetch

    def slow_line(conn: Connection, where: Path, version: str) -> None:
        fetching.set()
        on.wait(10)
        real(conn, where, version)

    monkeypatch.setattr(bundles, "fetch", slow_line)
    with ThreadPoolExecutor(1) as threads:
        brought = threads.submit(news.bring, encoder)
        assert fetching.wait(10)
        articles.upsert_many(db, [TURTLE], "test")
        news.follow()
        assert (finders.version, best(finders, "my turtle will not eat")) == (first.version, "turtle")
        on.set()
        brought.result()
    assert (finders.version, best(finders, "my turtle will not eat")) == (second.version, "turtle")


def test_what_was_found_beside_an_index_is_found_beside_the_next_at_once(
    settings: Settings, root: Path, db: Connection, connect: Callable[[], Connection], encoder: OnnxEncoder
) -> None:
    build_index(settings)
    finders = FinderHolder()
    news = IndexNews(finders, root, connect)
    news.look(encoder)
    articles.upsert_many(db, [TURTLE], "test")
    articles.withdraw(db, ["remote"])
    news.look(encoder)
    articles.restore(db, ["remote"])
    build_index(settings)
    newest = build_index(settings)
    roll_back(settings)
    articles.withdraw(db, ["twice"])
    news.bring(encoder)
    assert finders.version != newest.version
    assert best(finders, "my turtle will not eat") == "turtle"
    assert best(finders, "remote does not pair") == "remote"
    assert best(finders, "I was charged twice this month") != "twice"


def test_an_index_that_is_elsewhere_is_not_waited_for_at_the_start(
    settings: Settings, root: Path, tmp_path: Path, connect: Callable[[], Connection], encoder: OnnxEncoder
) -> None:
    version = build_index(settings).version
    finders = FinderHolder()
    news = IndexNews(finders, tmp_path / "elsewhere", connect)
    news.bring(encoder, fetching=False)
    assert finders.current() is None
    news.bring(encoder)
    assert finders.version == version
    here = FinderHolder()
    IndexNews(here, root, connect).bring(encoder, fetching=False)
    assert here.version == version
