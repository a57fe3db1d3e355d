"""The article that solves what a caller chose and said, or the reason to say nothing."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np

from search import calibration as calibrations
from search import judge as judges
from search.bundle import Bundle
from search.calibration import UNANSWERABLE_SHARE, WRONG_SHARE
from search.encoder import Encoder, Vectors
from search.evidence import FEATURES, Asked, asked
from search.explained import Candidate, Explained, Piece
from search.fresh import NOTHING_NEW, Delta
from search.openings import to_the_point
from search.query import Query
from search.ranking import Part, Place, Ranking, rank, rank_each
from search.result import Match, NoMatch
from search.spelled import joined

# Two articles about different things within this many logits of each other: nobody can tell which is meant.
RIVAL_MARGIN = 0.5
RIVAL_LIKENESS = 0.35

AT_ONCE = 16  # texts that a thread takes
JUDGED = 2  # places of a ranking that `judged` looks at
MAX_TRANSCRIPT = 2000
_WORD = re.compile(r"[^\W\d_]{2,}")
_FILLERS = frozenset(
    {"um", "uh", "erm", "er", "hmm", "mm", "hello", "hi", "hey", "yes", "yeah", "no", "ok", "okay", "please"}
    | {"agent", "operator", "representative", "help", "hola", "eh", "si", "sí", "bueno", "ayuda", "agente"}
)


class Finder:
    """Searches one bundle. Never changes after it is made; any number of threads may call it at once."""

    def __init__(self, bundle: Bundle, encoder: Encoder, delta: Delta = NOTHING_NEW) -> None:
        self._bundle = bundle
        self._encoder = encoder
        self._delta = delta
        self._collections = (bundle,) if delta.bundle is None else (bundle, delta.bundle)
        self._languages = frozenset(name for one in self._collections for name in one.language_names)
        self._hidden = _rows(bundle, delta.hidden)
        self._judge = judges.judge_from(bundle.model) if bundle.model else judges.shipped()
        self._calibrations = calibrations.calibrations_from(bundle.calibration)
        self._threshold = lru_cache(maxsize=64)(
            lambda language, wrong, unanswerable: self._calibrations.of(language).threshold(wrong, unanswerable)
        )

    @property
    def version(self) -> str:
        """The index version searched."""
        return self._bundle.version

    @property
    def bundle(self) -> Bundle:
        """The index searched, without what changed since."""
        return self._bundle

    def with_delta(self, delta: Delta) -> "Finder":
        """The same finder, with what changed since its index was built."""
        return Finder(self._bundle, self._encoder, delta)

    def threshold(
        self, language: str, wrong_share: float = WRONG_SHARE, unanswerable: float = UNANSWERABLE_SHARE
    ) -> float:
        """The probability below which callers of a language are offered nothing, so that at most `wrong_share` of the
        texts are wrong when the share `unanswerable` of them has a problem that no article solves."""
        least = self._threshold(language, wrong_share, unanswerable)
        return self._calibrations.of(language).probability(least, unanswerable)

    def find(
        self, query: Query, wrong_share: float = WRONG_SHARE, unanswerable: float = UNANSWERABLE_SHARE
    ) -> Match | NoMatch:
        """The likeliest allowed article in the caller's language, or why none is likely enough.

        A score is the probability that the article solves the problem; the shares are those of `threshold`.
        """
        refused = self.refusal(query)
        return refused if refused is not None else self.judged(self.rank(query), wrong_share, unanswerable)

    def refusal(self, query: Query) -> NoMatch | None:
        """Why there is nothing to search for, None when there is."""
        if searched_text(query) is None:
            return NoMatch("transcript_too_poor", self.version)
        if query.language not in self._languages:
            return NoMatch("language", self.version)
        return None

    def judged(
        self, ranking: Ranking | None, wrong_share: float = WRONG_SHARE, unanswerable: float = UNANSWERABLE_SHARE
    ) -> Match | NoMatch:
        """What `find` says of what `rank` gave."""
        if ranking is None:
            return NoMatch("nothing_near", self.version)
        threshold = self._threshold(ranking.language, wrong_share, unanswerable)
        if not ranking.places:
            barred = ranking.anywhere >= threshold
            return NoMatch("not_allowed_here" if barred else "nothing_near", self.version)
        score = self._calibrations.of(ranking.language).probability(ranking.gate, unanswerable)
        if self._torn(ranking, threshold):
            return NoMatch("rival_topics", self.version, score, ranking.gate)
        if ranking.gate < threshold:
            barred = ranking.anywhere >= threshold
            return NoMatch("not_allowed_here" if barred else "nothing_near", self.version, score, ranking.gate)
        others = ranking.places[1:]
        return Match(
            article_id=self.article_id(ranking.places[0]),
            score=score,
            margin=1 - math.exp(others[0].score - ranking.places[0].score) if others else 1.0,
            index_version=self.version,
            runner_up=self.article_id(others[0]) if ranking.further >= threshold else None,
            logit=ranking.gate,
        )

    def rank(self, query: Query, depth: int = 10) -> Ranking | None:
        """The best allowed articles whether or not they are good enough, for trying and measuring."""
        text = searched_text(query)
        return self._rank(query, self._asked(query, text), depth) if text else None

    def rank_all(
        self, queries: Iterable[Query], cores: int = 1, told: Callable[[int], None] = lambda _: None
    ) -> dict[Query, Ranking | NoMatch | None]:
        """For each query what `judged` wants, or why there is nothing to search for. Each text is encoded once, and
        alone as that of a call is: in the company of others its vector may be another. What queries of one text and
        path have in common is looked at once. `told` hears now and then how many queries are done."""
        known: dict[Query, Ranking | NoMatch | None] = {query: self.refusal(query) for query in queries}
        alike: dict[str, dict[tuple[Any, ...], list[Query]]] = {}
        for query, none in known.items():
            if none is None and (text := searched_text(query)):
                group = query.path, query.language, query.exclude
                alike.setdefault(text, {}).setdefault(group, []).append(query)
        texts = list(alike)

        def one_batch(batch: Sequence[str]) -> dict[Query, Ranking | None]:
            found: dict[Query, Ranking | None] = {}
            for text in batch:
                vector = self._encoder.encode([text])[0]
                for group in alike[text].values():
                    caller = asked(vector, text, group[0].path, group[0].language)
                    parts = [self._parts(query) for query in group]
                    ranked = rank_each(parts, caller, self._judge, group[0].language, JUDGED)
                    found.update(zip(group, ranked, strict=True))
            return found

        done = len(known) - sum(len(group) for groups in alike.values() for group in groups.values())
        batches = [texts[start : start + AT_ONCE] for start in range(0, len(texts), AT_ONCE)]
        with ThreadPoolExecutor(cores) as threads:
            for found in threads.map(one_batch, batches):
                known.update(found)
                done += len(found)
                told(done)
        return known

    def explain(
        self, query: Query, wrong_share: float = WRONG_SHARE, unanswerable: float = UNANSWERABLE_SHARE
    ) -> Explained:
        """What `find` answers, with every candidate, what speaks for it, and why it was chosen or not."""
        gate = self.threshold(query.language, wrong_share, unanswerable)
        refused, text = self.refusal(query), searched_text(query)
        if refused is not None or text is None:
            return Explained(refused or NoMatch("transcript_too_poor", self.version), gate, text or "")
        ranking = self._rank(query, self._asked(query, text), explained=True)
        answer = self.judged(ranking, wrong_share, unanswerable)
        if ranking is None:
            return Explained(answer, gate, text)
        verdicts = [_verdict(answer, n) for n in range(len(ranking.places))] + ["barred"] * len(ranking.barred)
        places = (*ranking.places, *ranking.barred)
        candidates = [
            Candidate(
                self.article_id(place),
                verdict,
                self._calibrations.of(query.language).probability(logit, unanswerable),
                tuple(map(Piece, FEATURES, place.features, self._judge.pieces(place.features))),
                place.score,
            )
            for place, logit, verdict in zip(places, ranking.gates, verdicts, strict=True)
        ]
        return Explained(answer, gate, text, tuple(candidates))

    def article_id(self, place: Place) -> str:
        """The id of a ranked article."""
        return str(self._collections[place.collection].ids[place.row])

    def _asked(self, query: Query, text: str) -> Asked:
        return asked(self._encoder.encode([text])[0], text, query.path, query.language)

    def _rank(self, query: Query, caller: Asked, depth: int = 10, *, explained: bool = False) -> Ranking | None:
        return rank(self._parts(query), caller, self._judge, query.language, depth, explained=explained)

    def _parts(self, query: Query) -> list[Part]:
        return [
            Part(
                one,
                one.allowed(query.language),
                one.allowed(query.language, query.allowed_tags),
                _rows(one, query.exclude) | (frozenset() if number else self._hidden),
                _rows(one, query.forbidden),
            )
            for number, one in enumerate(self._collections)
        ]

    def _torn(self, ranking: Ranking, threshold: float) -> bool:
        """Whether two articles about different things are level, and one of them would do if there were no other."""
        if len(ranking.places) < 2 or max(ranking.gate, ranking.further) < threshold:
            return False
        best, other = ranking.places[:2]
        return best.score - other.score < RIVAL_MARGIN and self._likeness(best, other) < RIVAL_LIKENESS

    def _likeness(self, one: Place, other: Place) -> float:
        """Cosine of the two titles: low means that they are about different things."""
        first, second = (self._title(place) for place in (one, other))
        return float(first @ second)

    def _title(self, place: Place) -> Vectors:
        bundle = self._collections[place.collection]
        title: Vectors = bundle.vectors.read(np.array(bundle.passages_of(place.row)[:1]))[0]
        return title


def _verdict(answer: Match | NoMatch, place: int) -> str:
    """Why the allowed article at a place was chosen or not: one of `search.explained.VERDICTS`."""
    if isinstance(answer, Match):
        further = place == 1 and answer.runner_up is not None
        return "chosen" if place == 0 else "further" if further else "behind"
    if answer.reason == "rival_topics":
        return "rival" if place < 2 else "behind"
    return "unsure" if place == 0 else "behind"


def _rows(bundle: Bundle, article_ids: frozenset[str]) -> frozenset[int]:
    """Where those of the articles are that this bundle has."""
    return frozenset(row for one in article_ids if (row := bundle.row(one)) is not None)


def searched_text(query: Query) -> str | None:
    """What is embedded: the caller's words, from where they say something on, or the last menu choice when nothing was
    said; None when neither is."""
    if says_something(query.transcript):
        words = query.transcript[:MAX_TRANSCRIPT]
        meant = joined(to_the_point(words, query.language))  # a sound between two letters is none of them
        return meant if says_something(meant) else joined(words)
    return next((joined(text[:MAX_TRANSCRIPT]) for text in reversed(query.path) if says_something(text)), None)


def says_something(text: str) -> bool:
    """Whether `text` has a word that could name a problem."""
    return any(word.casefold() not in _FILLERS for word in _WORD.findall(joined(text[:MAX_TRANSCRIPT])))
