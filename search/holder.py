"""The finder that a process uses, exchanged while searches run."""

import threading
from dataclasses import replace

from search.calibration import UNANSWERABLE_SHARE, WRONG_SHARE
from search.door import Door
from search.explained import Explained
from search.finder import Finder, says_something
from search.paths import PathTable
from search.query import Query
from search.result import Match, NoMatch


class FinderHolder:
    """Searches under way keep the finder they began with when another takes its place."""

    def __init__(self, door: Door | None = None) -> None:
        self._finder: Finder | None = None
        self._paths: PathTable | None = None
        self._tabulating = threading.Lock()
        self._door = door or Door()

    @property
    def version(self) -> str | None:
        """The index version in use, None before the first."""
        finder = self._finder
        return finder.version if finder else None

    def current(self) -> Finder | None:
        """The finder in use, None before the first."""
        return self._finder

    def swap(self, finder: Finder) -> None:
        """Put `finder` in use; one reference is set."""
        self._finder = finder

    def tabulate(self, paths: frozenset[Query]) -> None:
        """Search for these menu paths, unless the finder in use was asked for them before. Until that is done, the
        answers of the one before it serve."""
        with self._tabulating:
            finder, table = self._finder, self._paths
            if finder is not None and (table is None or not table.is_of(finder, paths)):
                self._paths = PathTable(finder, paths)

    def find(
        self, query: Query, wrong_share: float = WRONG_SHARE, unanswerable: float = UNANSWERABLE_SHARE
    ) -> Match | NoMatch:
        """As `Finder.find`. A menu path without words is looked up; words are searched for behind the door. Raises
        `SearchBusy`."""
        finder, table = self._finder, self._paths
        if finder is None:
            return NoMatch("no_index")
        if table is not None and not says_something(query.transcript):
            known = table.find(replace(query, transcript="", nbest=()), wrong_share, unanswerable)
            if known is not None:
                return known
        with self._door.entered():
            return finder.find(query, wrong_share, unanswerable)

    def explain(
        self, query: Query, wrong_share: float = WRONG_SHARE, unanswerable: float = UNANSWERABLE_SHARE
    ) -> Explained:
        """As `Finder.explain`, behind the door. Raises `SearchBusy`."""
        finder = self._finder
        if finder is None:
            return Explained(NoMatch("no_index"), 1.0, "")
        with self._door.entered():
            return finder.explain(query, wrong_share, unanswerable)
