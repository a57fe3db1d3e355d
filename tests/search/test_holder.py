"""The finder in use is exchanged while searches run, and menu paths without words are looked up."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from search.article import Article
from search.bundle import Evidence
from search.door import Door, SearchBusy
from search.encoder import OnnxEncoder, Vectors
from search.finder import Finder
from search.fresh import Fresh
from search.holder import FinderHolder
from search.index import build, load
from search.query import Query
from search.result import Match, NoMatch
from tests.search.conftest import article

SAID = Query((), "the light on my router is red", "en")
PATH = Query(("Internet", "The router light is red"), "", "en")
SPANISH = Query(("Internet", "La luz roja del router"), "", "es")
FRENCH = Query(("Internet",), "", "fr")
FORBIDDEN = Query(("Internet", "The router light is red"), "", "en", frozenset({"billing"}))
PATHS = frozenset({PATH, SPANISH, FRENCH, FORBIDDEN})


class Counting:
    """An encoder that keeps what it was given."""

    def __init__(self, encoder: OnnxEncoder) -> None:
        self.model_id, self.dimension = encoder.model_id, encoder.dimension
        self._encoder = encoder
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return self._encoder.encode(texts)


@pytest.fixture
def counting(encoder: OnnxEncoder) -> Counting:
    return Counting(encoder)


@pytest.fixture
def finder(tmp_path: Path, community: list[Article], counting: Counting) -> Finder:
    version, _ = build(community, counting, tmp_path)
    made = Finder(load(tmp_path / version, counting.model_id, counting.dimension), counting)
    counting.asked.clear()
    return made


def occupied(holder: FinderHolder, query: Query) -> Match | NoMatch:
    """What is found while another search is at the only place for as long as a search may take."""
    door, over, inside = holder._door, threading.Event(), threading.Event()

    def occupy() -> None:
        with door.entered():
            inside.set()
            over.wait(5)

    with ThreadPoolExecutor(1) as threads:
        threads.submit(occupy)
        inside.wait(5)
        try:
            return holder.find(query)
        finally:
            over.set()


def test_a_menu_path_is_answered_from_the_table_as_the_finder_would(finder: Finder, counting: Counting) -> None:
    expected = {query: finder.find(query, 0.2, 0.4) for query in PATHS}
    assert isinstance(expected[PATH], Match)
    assert {one.reason for one in expected.values() if isinstance(one, NoMatch)} == {"not_allowed_here", "language"}
    holder = FinderHolder()
    holder.swap(finder)
    holder.tabulate(PATHS)
    counting.asked.clear()
    assert {query: holder.find(query, 0.2, 0.4) for query in PATHS} == expected
    said_nothing_of_use = Query(PATH.path, "um hello", "en", nbest=("hm",))
    assert holder.find(said_nothing_of_use, 0.2, 0.4) == expected[PATH]
    assert counting.asked == []


def test_a_tighter_promise_or_other_callers_need_no_new_table(finder: Finder) -> None:
    holder = FinderHolder()
    holder.swap(finder)
    holder.tabulate(PATHS)
    for shares in ((0.01, 0.9), (0.5, 0.1)):
        assert holder.find(PATH, *shares) == finder.find(PATH, *shares)
    assert holder.find(PATH, 0.5, 0.1) != holder.find(PATH, 0.01, 0.9)


def test_a_menu_path_is_answered_while_words_are_refused(finder: Finder) -> None:
    holder = FinderHolder(Door(1, within_s=0.05))
    holder.swap(finder)
    holder.tabulate(PATHS)
    assert isinstance(occupied(holder, PATH), Match)
    with pytest.raises(SearchBusy):
        occupied(holder, SAID)
    assert isinstance(holder.find(SAID), Match)


def test_the_table_follows_the_finder_and_the_plan(finder: Finder, counting: Counting) -> None:
    holder = FinderHolder()
    holder.tabulate(PATHS)
    assert holder.find(PATH) == NoMatch("no_index")
    holder.swap(finder)
    holder.tabulate(PATHS)
    counting.asked.clear()
    holder.tabulate(PATHS)
    assert counting.asked == []
    fresh = Fresh(finder.bundle, counting)
    fresh.withdraw("red-light")
    fresh.put(article("anew", "The router light is red", "Press reset for ten seconds."), "h", Evidence())
    holder.swap(finder.with_delta(fresh.delta()))
    found = holder.find(PATH)
    assert isinstance(found, Match)
    assert found.article_id == "red-light"  # as before, until the table is made
    holder.tabulate(PATHS)
    found = holder.find(PATH)
    assert isinstance(found, Match)
    assert found.article_id == "anew"
    billing = Query(("I was charged twice",), "", "en")
    holder.tabulate(frozenset({billing}))
    counting.asked.clear()
    assert isinstance(holder.find(billing), Match)
    assert counting.asked == []
    assert holder.find(PATH) == found  # of a plan that only calls under way have: searched for
    assert counting.asked == ["The router light is red"]


def test_searchers_see_one_index_or_the_other_while_it_is_swapped(
    tmp_path: Path, community: list[Article], encoder: OnnxEncoder
) -> None:
    """R13: four searching threads, two hundred swaps, no error, versions only as published."""
    versions = [build(community, encoder, tmp_path)[0] for _ in range(2)]
    finders = [Finder(load(tmp_path / one, encoder.model_id, encoder.dimension), encoder) for one in versions]
    holder = FinderHolder()
    holder.swap(finders[0])
    over = threading.Event()

    def search() -> set[str]:
        seen = set()
        while not over.is_set():
            now = holder.current()
            assert now is not None
            found = now.find(SAID)
            assert isinstance(found, Match)
            assert found.article_id == "red-light"
            assert found.index_version == now.version
            seen.add(found.index_version)
        return seen

    with ThreadPoolExecutor(4) as threads:
        searchers = [threads.submit(search) for _ in range(4)]
        for turn in range(200):
            holder.swap(finders[turn % 2])
        over.wait(0.2)
        over.set()
        seen = set().union(*(searcher.result() for searcher in searchers))
    assert seen <= {finder.version for finder in finders}
    assert seen
