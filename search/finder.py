"""The article that solves what a caller chose and said, or the reason to say nothing."""

import math
import re
import threading
from functools import lru_cache
from pathlib import Path

import numpy as np

from search import calibration as calibrations
from search import judge as judges
from search.bundle import Bundle
from search.calibration import UNANSWERABLE_SHARE, WRONG_SHARE
from search.encoder import Encoder
from search.evidence import Asked, asked
from search.index import load
from search.query import Query
from search.ranking import Part, Place, Ranking, rank
from search.result import Match, NoMatch

# Two articles about different things within this many logits of each other: nobody can tell which is meant.
RIVAL_MARGIN = 0.1
RIVAL_LIKENESS = 0.35
RUNNER_UP_WITHIN = 1.0  # logits: a second article worth offering is at least 1/e as likely as the first

MAX_TRANSCRIPT = 2000
_WORD = re.compile(r"[^\W\d_]{2,}")
_FILLERS = frozenset(
    {"um", "uh", "erm", "er", "hmm", "mm", "hello", "hi", "hey", "yes", "yeah", "no", "ok", "okay", "please"}
    | {"agent", "operator", "representative", "help", "hola", "eh", "si", "sí", "bueno", "ayuda", "agente"}
)


class Finder:
    """Searches one bundle. Never changes after it is made; any number of threads may call it at once."""

    def __init__(self, bundle: Bundle, encoder: Encoder) -> None:
        self._bundle = bundle
        self._encoder = encoder
        self._judge = judges.judge_from(bundle.model) if bundle.model else judges.shipped()
        self._calibration = (
            calibrations.calibration_from(bundle.calibration) if bundle.calibration else calibrations.shipped()
        )
        self._threshold = lru_cache(maxsize=64)(self._calibration.threshold)

    @property
    def version(self) -> str:
        """The index version searched."""
        return self._bundle.version

    def threshold(self, wrong_share: float = WRONG_SHARE, unanswerable: float = UNANSWERABLE_SHARE) -> float:
        """The probability below which nothing is offered, so that at most `wrong_share` of the texts are wrong when the
        share `unanswerable` of the callers has a problem that no article solves. Above one: nothing ever is."""
        logit = self._threshold(wrong_share, unanswerable)
        return self._calibration.probability(logit, unanswerable) if math.isfinite(logit) else 2.0

    def find(
        self, query: Query, wrong_share: float = WRONG_SHARE, unanswerable: float = UNANSWERABLE_SHARE
    ) -> Match | NoMatch:
        """The likeliest allowed article in the caller's language, or why none is likely enough.

        A score is the probability that the article solves the problem; the shares are those of `threshold`.
        """
        text = searched_text(query)
        if text is None:
            return NoMatch("transcript_too_poor", self.version)
        if query.language not in self._bundle.language_names:
            return NoMatch("language", self.version)
        caller = self._asked(query, text)
        threshold = self._threshold(wrong_share, unanswerable)
        ranking = self._rank(query, caller, query.allowed_tags)
        score = self._calibration.probability(ranking.gate, unanswerable) if ranking else None
        if ranking is None or ranking.gate < threshold:
            if query.allowed_tags:
                anywhere = self._rank(query, caller, frozenset())
                if anywhere is not None and anywhere.gate >= threshold:
                    return NoMatch("not_allowed_here", self.version, score)
            return NoMatch("nothing_near", self.version, score)
        assert score is not None
        return self._decide(ranking, score)

    def rank(self, query: Query, depth: int = 10) -> Ranking | None:
        """The best allowed articles whether or not they are good enough, for trying and measuring."""
        text = searched_text(query)
        return self._rank(query, self._asked(query, text), query.allowed_tags, depth) if text else None

    def article_id(self, place: Place) -> str:
        """The id of a ranked article."""
        return str(self._bundle.ids[place.row])

    def _asked(self, query: Query, text: str) -> Asked:
        return asked(self._encoder.encode([text])[0], text, query.path, query.language)

    def _rank(self, query: Query, caller: Asked, tags: frozenset[str], depth: int = 10) -> Ranking | None:
        part = Part(self._bundle, self._bundle.allowed(query.language, tags), self._rows(query.exclude))
        return rank([part], caller, self._judge, query.language, depth)

    def _rows(self, ids: frozenset[str]) -> frozenset[int]:
        return frozenset(row for one in ids if (row := self._bundle.row(one)) is not None)

    def _decide(self, ranking: Ranking, score: float) -> Match | NoMatch:
        best, others = ranking.places[0], ranking.places[1:]
        behind = best.score - others[0].score if others else math.inf
        if behind < RIVAL_MARGIN and self._likeness(best, others[0]) < RIVAL_LIKENESS:
            return NoMatch("rival_topics", self.version, score)
        return Match(
            article_id=self.article_id(best),
            score=score,
            margin=1 - math.exp(-behind),
            index_version=self.version,
            runner_up=self.article_id(others[0]) if behind < RUNNER_UP_WITHIN else None,
        )

    def _likeness(self, one: Place, other: Place) -> float:
        """Cosine of the two titles: low means that they are about different things."""
        titles = np.array([self._bundle.passages_of(place.row)[0] for place in (one, other)])
        first, second = self._bundle.vectors.read(titles)
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
