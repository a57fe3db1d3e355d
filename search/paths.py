"""What is found for menu paths without words: there are few, so each is searched before anyone asks."""

from collections.abc import Iterable

from search.finder import Finder
from search.query import Query
from search.ranking import Ranking
from search.result import Match, NoMatch


class PathTable:
    """The rankings of some queries by one finder. Never changes after it is made."""

    def __init__(self, finder: Finder, queries: Iterable[Query]) -> None:
        """Searches for each query, which takes a few milliseconds each."""
        self._finder = finder
        self._known: dict[Query, Ranking | NoMatch | None] = {
            query: finder.refusal(query) or finder.rank(query) for query in queries
        }

    def is_of(self, finder: Finder, queries: frozenset[Query]) -> bool:
        """Whether these queries were asked of this finder."""
        return self._finder is finder and self._known.keys() == queries

    def find(self, query: Query, wrong_share: float, unanswerable: float) -> Match | NoMatch | None:
        """What the finder would answer (see `Finder.find`); None for a query that is not in the table."""
        if query not in self._known:
            return None
        known = self._known[query]
        return known if isinstance(known, NoMatch) else self._finder.judged(known, wrong_share, unanswerable)
