"""The article nearest to what a caller chose and said, or the reason to say nothing."""

import re
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import faiss
import numpy as np

from search.encoder import Encoder, Vectors
from search.index import Bundle, load
from search.query import Query
from search.result import Match, NoMatch

# Measured in docs/decisions/0010-when-the-search-says-nothing.md.
THRESHOLD = 0.60
RIVAL_MARGIN = 0.01
RIVAL_LIKENESS = 0.35

MAX_TRANSCRIPT = 2000
_faiss: Any = faiss  # its stubs know only the C++ signatures
_WORD = re.compile(r"[^\W\d_]{2,}")
_FILLERS = frozenset(
    {"um", "uh", "erm", "er", "hmm", "mm", "hello", "hi", "hey", "yes", "yeah", "no", "ok", "okay", "please"}
    | {"agent", "operator", "representative", "help", "hola", "eh", "si", "sí", "bueno", "ayuda", "agente"}
)


class _Near(NamedTuple):
    """The best passage of an article: its score and the article's position."""

    score: float
    article: int


class Finder:
    """Searches one bundle. Never changes after it is made; any number of threads may call it at once."""

    def __init__(self, bundle: Bundle, encoder: Encoder, threshold: float = THRESHOLD) -> None:
        self.threshold = threshold
        self._bundle = bundle
        self._encoder = encoder
        self._languages = frozenset(bundle.languages)
        self._most_passages = int(np.bincount(bundle.owners).max())
        self._first_passage = np.searchsorted(bundle.owners, np.arange(len(bundle.ids)))
        self._allowed = lru_cache(maxsize=256)(self._allowed_passages)

    @property
    def version(self) -> str:
        """The index version searched."""
        return self._bundle.version

    def find(self, query: Query) -> Match | NoMatch:
        """The nearest allowed article in the caller's language, or why none is near enough."""
        text = searched_text(query)
        if text is None:
            return NoMatch("transcript_too_poor", self.version)
        if query.language not in self._languages:
            return NoMatch("language", self.version)
        vector = self._encoder.encode([text])
        near = self._nearest(vector, query.language, query.allowed_tags, query.exclude)
        if near and near[0].score >= self.threshold:
            return self._decide(near)
        return self._refuse(vector, query, near)

    def _decide(self, near: list[_Near]) -> Match | NoMatch:
        best = near[0]
        runner_up = near[1] if len(near) > 1 else None
        margin = best.score - runner_up.score if runner_up else best.score
        if runner_up and margin < RIVAL_MARGIN and self._likeness(best, runner_up) < RIVAL_LIKENESS:
            return NoMatch("rival_topics", self.version, best.score)
        return Match(
            article_id=self._bundle.ids[best.article],
            score=best.score,
            margin=margin,
            index_version=self.version,
            runner_up=self._bundle.ids[runner_up.article] if runner_up else None,
        )

    def _refuse(self, vector: Vectors, query: Query, near: list[_Near]) -> NoMatch:
        """`not_allowed_here` when only the leaf's tags stand in the way."""
        score = near[0].score if near else None
        if query.allowed_tags:
            anywhere = self._nearest(vector, query.language, frozenset(), query.exclude)
            if anywhere and anywhere[0].score >= self.threshold:
                return NoMatch("not_allowed_here", self.version, score)
        return NoMatch("nothing_near", self.version, score)

    def _nearest(self, vector: Vectors, language: str, tags: frozenset[str], exclude: frozenset[str]) -> list[_Near]:
        """The two best articles, best first; fewer when fewer are allowed."""
        selected = _faiss.SearchParameters(sel=_faiss.IDSelectorBitmap(self._allowed(language, tags)))
        wanted = min(self._most_passages * (len(exclude) + 2), len(self._bundle.owners))
        scores, rows = self._bundle.passages.search(vector, wanted, params=selected)
        found: dict[int, float] = {}
        for score, row in zip(scores[0], rows[0], strict=True):
            article = int(self._bundle.owners[row]) if row >= 0 else -1
            if article >= 0 and article not in found and self._bundle.ids[article] not in exclude:
                found[article] = float(np.clip(score, 0.0, 1.0))
        return [_Near(score, article) for article, score in list(found.items())[:2]]

    def _allowed_passages(self, language: str, tags: frozenset[str]) -> "np.typing.NDArray[np.uint8]":
        """One bit per passage: its article is in the language and, if tags are given, has one of them."""
        bundle = self._bundle
        articles = np.array(
            [
                own == language and (not tags or not tags.isdisjoint(has))
                for own, has in zip(bundle.languages, bundle.tags, strict=True)
            ]
        )
        return np.packbits(articles[bundle.owners], bitorder="little")

    def _likeness(self, one: _Near, other: _Near) -> float:
        """Cosine of the two titles: low means that they are about different things."""
        rows = [int(self._first_passage[near.article]) for near in (one, other)]
        first, second = (self._bundle.passages.reconstruct(row) for row in rows)
        return float(first @ second)


def searched_text(query: Query) -> str | None:
    """What is embedded: the caller's words, or the menu path when nothing was said; None when neither is."""
    if says_something(query.transcript):
        return query.transcript[:MAX_TRANSCRIPT]
    path = " ".join(query.path)
    return path[:MAX_TRANSCRIPT] if says_something(path) else None


def says_something(text: str) -> bool:
    """Whether `text` has a word that could name a problem."""
    return any(word.casefold() not in _FILLERS for word in _WORD.findall(text[:MAX_TRANSCRIPT]))


class FinderHolder:
    """The finder in use. Searches under way keep the one they began with when another takes its place."""

    def __init__(self) -> None:
        self._finder: Finder | None = None
        self._loading = threading.Lock()

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

    def load(self, folder: Path, encoder: Encoder) -> None:
        """Load the bundle in `folder` and use it. Raises `BundleError`, and then the one in use stays."""
        with self._loading:
            if self.version != folder.name:
                self.swap(Finder(load(folder, encoder.model_id, encoder.dimension), encoder))
