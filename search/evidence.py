"""What speaks for each candidate article, as numbers. What they weigh is `search.judge`'s to say.

Cosines are those of the caller's words with the passages of an article: its title, its question, each answer, and
question and answers as one text. A missing view is stood in for by the nearest to it.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from search.bundle import ANSWER, QUESTION, TITLE, WHOLE, Bundle
from search.runs import RUNS, SPACE, letter_runs, runs_of, tag_form
from search.words import TITLE as IN_TITLE
from search.words import analyse, impacts, stop_terms

Numbers = npt.NDArray[np.float32]

FEATURES = (
    "question",  # cosine with the asker's words, or with the title where there is no question
    "answer",  # with the best answer
    "whole",  # with question and answers together
    "title or whole",  # the better of the two
    "any view",  # the best of all
    "words",  # share of the words said, weighted by rarity, that stand in the article
    "BM25",  # of the words said, what is above A_QUESTION: a long story shares many rare words with the right thread
    "path words",  # rarity of the last menu choice's words that stand in the title
    "tag",  # rarity of the tags that a menu choice names
    "letters",  # cosine of the title's and the words' three-letter runs: misheard names keep most of theirs
    "title hub",  # how near the title is to what askers say in general: such titles are near to everything
    "whole hub",  # the same of question and answers
)
FAR = -1.0  # of a view that is not there
RARITY = 10.0  # an idf of ten is one
A_QUESTION = 20.0  # BM25 that a few words reach: below it "words" says more. So much above it is one


class Asked(NamedTuple):
    """A caller's words and menu path, ready to be compared with articles."""

    vector: Numbers
    terms: tuple[str, ...]  # distinct, without those that carry no topic
    path_terms: tuple[str, ...]  # of the last choice
    choices: frozenset[str]  # the menu choices taken, as tags are written
    runs: npt.NDArray[np.uint16]  # the distinct three-letter runs of the words


class Seen(NamedTuple):
    """The evidence for some articles of one bundle: one row an article, one column a feature."""

    rows: npt.NDArray[np.int64]
    features: Numbers


def asked(vector: Numbers, words: str, path: tuple[str, ...], language: str) -> Asked:
    """The caller's side of all comparisons; `vector` is that of `words`."""
    silent = stop_terms(language)
    terms = dict.fromkeys(term for term in analyse(words, language) if term not in silent)
    last = dict.fromkeys(term for term in analyse(path[-1], language) if term not in silent) if path else {}
    choices = frozenset(tag_form(choice) for choice in path)
    return Asked(vector, tuple(terms), tuple(last), choices, np.unique(letter_runs(words)))


def evidence(bundle: Bundle, caller: Asked, rows: npt.NDArray[np.int64]) -> Seen:
    """The features of the articles in `rows`."""
    title, question, answer, whole = _cosines(bundle, caller.vector, rows)
    numbers = bundle.words.numbers((*caller.terms, *caller.path_terms))
    marks = bundle.words.marks(rows, numbers)
    said = len(caller.terms)
    idfs, path_idfs = np.split(bundle.words.idfs(numbers), [said])
    stands, in_title = marks[:, :said] > 0, marks[:, said:] & IN_TITLE > 0
    hubs = bundle.hubs[rows].astype(np.float32)
    better = np.maximum(title, whole)
    columns = (
        question,
        answer,
        whole,
        better,
        np.maximum(np.maximum(better, question), answer),
        (stands * idfs).sum(axis=1) / max(float(idfs.sum()), 1e-6),
        np.maximum(impacts(marks[:, :said]) @ idfs / A_QUESTION - 1, 0),
        (in_title * path_idfs).sum(axis=1) / RARITY,
        _tag_rarity(bundle, caller.choices, rows),
        _letters(bundle, caller.runs, rows),
        hubs[:, 0],
        hubs[:, 1],
    )
    return Seen(rows, np.stack(columns, axis=1).astype(np.float32))


def _cosines(bundle: Bundle, vector: Numbers, rows: npt.NDArray[np.int64]) -> tuple[Numbers, ...]:
    articles = rows.astype(bundle.owners.dtype)  # another type would make a copy of all owners first
    begins = np.searchsorted(bundle.owners, articles)
    counts = np.searchsorted(bundle.owners, articles, side="right") - begins
    places = np.repeat(np.arange(len(rows)), counts)
    flat = np.arange(int(counts.sum())) + np.repeat(begins - (np.cumsum(counts) - counts), counts)
    cosines = bundle.vectors.read(flat) @ vector
    kinds = bundle.kinds[flat]
    title, question, answer, whole = (np.full(len(rows), FAR, dtype=np.float32) for _ in range(4))
    for view, own in (
        (title, kinds == TITLE),
        (question, kinds == QUESTION),
        (answer, (kinds >= ANSWER) & (kinds != WHOLE)),
        (whole, kinds == WHOLE),
    ):
        np.maximum.at(view, places[own], cosines[own])
    title = np.where(title == FAR, question, title)
    whole = np.where(whole == FAR, np.where(answer == FAR, question, answer), whole)
    whole = np.where(whole == FAR, title, whole)
    return (
        title,
        np.where(question == FAR, title, question),
        np.where(answer == FAR, whole, answer),
        whole,
    )


def _tag_rarity(bundle: Bundle, choices: frozenset[str], rows: npt.NDArray[np.int64]) -> Numbers:
    """Like an idf: a choice that is the tag of few articles says most."""
    total = np.zeros(len(rows), dtype=np.float32)
    for choice in choices:
        tagged = bundle.tagged(choice)
        if tagged is not None:
            total += tagged.has(rows) * np.float32(np.log(len(bundle.ids) / tagged.number) / RARITY)
    return total


def _letters(bundle: Bundle, runs: npt.NDArray[np.uint16], rows: npt.NDArray[np.int64]) -> Numbers:
    """Cosine of rarity-weighted runs, each counted as often as the title has it."""
    titles = [bundle.titles.raw(row) for row in rows.tolist()]
    gap = np.full(1, SPACE, dtype=np.uint8)
    joined = np.concatenate([part for title in titles for part in (gap, title, gap)])
    found = runs_of(joined)
    lengths = np.array([len(title) + 2 for title in titles])
    ends = np.cumsum(lengths)
    owners = np.repeat(np.arange(len(rows)), lengths)[: len(found)]
    inside = np.arange(len(found)) < ends[owners] - 2  # not across two titles
    weights = np.where(inside, bundle.run_weights[found], 0)
    said = np.zeros(RUNS, dtype=bool)
    said[runs] = True
    shared = said[found]
    mine = float(bundle.run_weights[runs].sum())
    dots = np.bincount(owners, weights * shared, len(rows))
    norms = np.bincount(owners, weights, len(rows))
    return np.asarray(dots / np.sqrt(np.maximum(norms * mine, 1e-6)), dtype=np.float32)
