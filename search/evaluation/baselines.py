"""Plain ways of searching, to compare with: BM25, MiniLM, both fused by rank, each with and without the menu path."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import bm25s
import faiss
import numpy as np
import numpy.typing as npt
import Stemmer

from search.article import Article
from search.encoder import Vectors
from search.evaluation.judged import Judged, JudgedSet
from search.evaluation.measures import DEPTH

FUSED_DEPTH = 100
RANK_CONSTANT = 60  # of reciprocal rank fusion, Cormack, Clarke and Büttcher 2009

Encode = Callable[[Sequence[str]], Vectors]
Scores = npt.NDArray[np.float32]  # one row a query, one column an article


class Ranking:
    """The best articles of each query, best first, and the score of the first."""

    def __init__(self, ids: Sequence[str], rows: npt.NDArray[np.int64], best: npt.NDArray[np.float64]) -> None:
        self.ranked = [[ids[row] for row in own[:DEPTH]] for own in rows]
        self.best = best


def body(article: Article) -> str:
    """Question and answers as one text; the title where there is nothing else."""
    return "\n".join(text for text in (article.question, *(a.text for a in article.answers)) if text) or article.title


def baselines(judged: JudgedSet, encode: Encode) -> Iterator[tuple[str, Ranking]]:
    """Each baseline's name and ranking of all queries of the set."""
    ids = [article.id for article in judged.articles]
    titles = encode([article.title for article in judged.articles])
    bodies = encode([body(article) for article in judged.articles])
    words = _word_index(judged.articles)
    for suffix, asked in (("", _bare), (" + path", _glued)):
        texts = [asked(one) for one in judged.queries]
        if suffix and not any(one.query.path for one in judged.queries):
            break
        vectors = encode(texts)
        by_words = _word_scores(words, texts, len(ids))
        by_body = vectors @ bodies.T
        by_both = np.maximum(by_body, vectors @ titles.T)
        yield f"BM25{suffix}", _ranking(ids, by_words)
        yield f"MiniLM body{suffix}", _ranking(ids, by_body)
        yield f"MiniLM better of title and body{suffix}", _ranking(ids, by_both)
        yield f"MiniLM body + BM25 by rank{suffix}", _ranking(ids, _fused(by_body, by_words))
    plain = faiss.IndexFlatIP(bodies.shape[1])
    whole: Any = encode([f"{article.title}\n{body(article)}" for article in judged.articles])
    asked_plain: Any = encode([_bare(one) for one in judged.queries])
    plain.add(whole)
    scores, rows = plain.search(asked_plain, min(DEPTH, len(ids)))
    yield "plain build (one text an article, flat index)", Ranking(ids, rows, scores[:, 0].astype(np.float64))


def _bare(one: Judged) -> str:
    return one.query.transcript


def _glued(one: Judged) -> str:
    return f"{one.path} {one.query.transcript}".strip()


def _ranking(ids: Sequence[str], scores: Scores) -> Ranking:
    rows = np.argsort(-scores, axis=1, kind="stable")[:, :DEPTH]
    return Ranking(ids, rows, scores.max(axis=1).astype(np.float64))


def _fused(one: Scores, other: Scores) -> Scores:
    fused = np.zeros_like(one)
    for scores in (one, other):
        rows = np.argsort(-scores, axis=1, kind="stable")[:, :FUSED_DEPTH]
        points = (1 / (RANK_CONSTANT + 1 + np.arange(rows.shape[1]))).astype(np.float32)
        for query, own in enumerate(rows):
            found = scores[query, own] > 0
            fused[query, own[found]] += points[found]
    return fused


def _word_index(articles: Sequence[Article]) -> tuple[Any, Any] | None:
    stemmer = Stemmer.Stemmer("english")
    tokens = bm25s.tokenize(
        [f"{article.title}\n{body(article)}" for article in articles],
        stopwords="en",
        stemmer=stemmer,
        show_progress=False,
    )
    if not tokens.vocab:  # nothing but signs that are no words
        return None
    index = bm25s.BM25(k1=1.2, b=0.75)
    index.index(tokens, show_progress=False)
    return index, stemmer


def _word_scores(words: tuple[Any, Any] | None, texts: Sequence[str], articles: int) -> Scores:
    if words is None:
        return np.zeros((len(texts), articles), np.float32)
    index, stemmer = words
    asked = bm25s.tokenize(list(texts), stopwords="en", stemmer=stemmer, return_ids=False, show_progress=False)
    return np.stack([index.get_scores(one) if one else np.zeros(articles, np.float32) for one in asked])
