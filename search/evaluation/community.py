"""A community that nobody has judged, judged by its own threads: each asker a caller, with the thread and without."""

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from search.article import Article
from search.bundle import Bundle, Evidence
from search.calibration import Calibration, Calibrations, calibrated
from search.encoder import Encoder
from search.evaluation.far import FAR
from search.finder import Finder, says_something
from search.fresh import Fresh
from search.index import Progress
from search.query import Query
from search.tuning.noise import Telephone, spoken_words
from search.tuning.pairs import asked, best_answer, groups

MOST_THREADS = 500  # asked for
LEAST_THREADS = 12  # asked for of a language: fewer give it no calibration of its own
SAID = 25  # words of title and question that a caller says
TITLE = 12  # words of the answer that stand in for a title


@dataclass(frozen=True)
class Tried:
    """One question put to the finder: its language, the gate's logit, whether anything answers it, and whether that
    came first."""

    language: str
    logit: float
    answerable: bool
    right: bool


def calibrate(
    articles: Sequence[Article], bundle: Bundle, encoder: Encoder, progress: Progress | None = None
) -> Calibrations:
    """The calibrations of `bundle`, the index of `articles`, of what their askers said: of all of them, and of each
    language of several that has LEAST_THREADS. Raises `ValueError`."""
    tried = list(trials(articles, bundle, encoder, progress))
    every, own = _calibrated(tried), {}
    asked_for = Counter(articles[place].language for place in _drawn(articles))
    for language, threads in sorted(asked_for.items()) if len(asked_for) > 1 else ():
        if threads >= LEAST_THREADS:
            with suppress(ValueError):  # none of them was found
                own[language] = _calibrated([one for one in tried if one.language == language])
    return Calibrations(every, own)


def _calibrated(tried: Sequence[Tried]) -> Calibration:
    logits, right, answerable = ([getattr(one, name) for one in tried] for name in ("logit", "right", "answerable"))
    return calibrated(np.array(logits, dtype=np.float64), np.array(right, bool), np.array(answerable, bool))


def trials(
    articles: Sequence[Article], bundle: Bundle, encoder: Encoder, progress: Progress | None = None
) -> Iterator[Tried]:
    """Of up to MOST_THREADS threads the asker's words, as a telephone hears them: to find the thread as it is, then by
    its answers alone, for callers share some words with an asker, not all and not none; then to be answered by nothing,
    the thread and its near-duplicates being gone. And what is FAR from all of them."""
    finder = Finder(bundle, encoder)
    telephone = Telephone(asked(article) for article in articles)
    alike: defaultdict[int, set[str]] = defaultdict(set)
    own_group = groups(articles)
    for place, group in enumerate(own_group):
        alike[group].add(articles[place].id)
    for place in _drawn(articles):
        article = articles[place]
        said = " ".join(spoken_words(asked(article))[:SAID])
        query = Query((), telephone.hear(said, random.Random(article.id)), article.language)
        if says_something(query.transcript):
            yield from _with_and_without(finder, bundle, encoder, article, query, frozenset(alike[own_group[place]]))
        if progress:
            progress(1)
    for language in sorted({article.language for article in articles} & FAR.keys()):
        for words in FAR[language]:
            yield from _unanswerable(finder, Query((), words, language))


def _drawn(articles: Sequence[Article]) -> list[int]:
    """Positions of threads with an answer; the same ones in every run."""
    answered = [place for place, article in enumerate(articles) if best_answer(article)]
    return sorted(answered, key=lambda place: hashlib.sha256(articles[place].id.encode()).digest())[:MOST_THREADS]


def _with_and_without(
    finder: Finder, bundle: Bundle, encoder: Encoder, article: Article, query: Query, alike: frozenset[str]
) -> Iterator[Tried]:
    fresh = Fresh(bundle, encoder)
    fresh.put(_answers_of(article), "", Evidence())
    answers_only = finder.with_delta(fresh.delta())
    for one in (finder, answers_only):
        ranking = one.rank(replace(query, exclude=alike - {article.id}))
        if ranking is not None and ranking.places:
            yield Tried(query.language, ranking.gate, True, one.article_id(ranking.places[0]) == article.id)
    yield from _unanswerable(finder, replace(query, exclude=alike))


def _answers_of(article: Article) -> Article:
    """The thread without its asker; the answer's own beginning has the place of the title."""
    answer = best_answer(article)
    assert answer is not None  # only such threads are drawn
    return replace(article, title=" ".join(answer.text.split()[:TITLE]), question="")


def _unanswerable(finder: Finder, query: Query) -> Iterator[Tried]:
    ranking = finder.rank(query)
    if ranking is not None and ranking.places:
        yield Tried(query.language, ranking.gate, False, False)
