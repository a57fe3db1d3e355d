"""What an index holds, in plain arrays: articles, their passages, words and vectors.

The arrays of a large community stay in their files, memory-mapped; only what every search touches is held.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from search.article import Article
from search.runs import RUNS, run_rarities, tag_form
from search.vectors import Bits, VectorIndex
from search.words import WordIndex, WordsBuilder, analyse, term_hash

Array = npt.NDArray[Any]

# Kinds of passages. An article's answers are 2, 3 ..., the accepted first, then by votes.
TITLE, QUESTION, ANSWER, WHOLE = 0, 1, 2, 255
MOST_ANSWERS = 5
MOST_LANGUAGES = 255  # nobody finds the articles of further ones; only a source gone wrong has that many
KINDS: tuple[int, ...] = (TITLE, QUESTION, *range(ANSWER, ANSWER + MOST_ANSWERS), WHOLE)

RECORD = np.dtype([("language", "u1"), ("accepted", "u1"), ("votes", "<i4"), ("helped", "<u4"), ("day", "<i4")])
NO_DAY = -(2**31)

ARRAYS = (
    "records",  # RECORD an article
    "id-starts",
    "id-bytes",
    "id-hashes",  # of the ids, sorted
    "id-rows",  # the articles in that order
    "title-starts",
    "title-bytes",
    "tag-starts",
    "tag-numbers",
    "owners",  # uint32: the article of each passage; an article's passages are together
    "kinds",  # uint8: the kind of each passage
    "hubs",  # float16 (articles, 2), as `search.hubs` measures
    "run-rarities",  # of the titles' three-letter runs, as `search.evidence` weighs them
    *(f"words-{name.replace('_', '-')}" for name in WordIndex.NAMES),
)


class Evidence(NamedTuple):
    """What is known of an article beside its text: callers it helped, and when it was last written to."""

    helped: int = 0
    written_at: datetime | None = None


class Texts(Sequence[str]):
    """Strings kept as one run of UTF-8; each is decoded when asked for."""

    def __init__(self, starts: Array, content: Array) -> None:
        self._starts, self._content = starts, content

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, slice):
            return [self[one] for one in range(*row.indices(len(self)))]
        at = range(len(self))[row]
        return self._content[int(self._starts[at]) : int(self._starts[at + 1])].tobytes().decode("utf-8")

    def __iter__(self) -> Iterator[str]:
        return (self[row] for row in range(len(self)))

    def raw(self, row: int) -> npt.NDArray[np.uint8]:
        """One string's UTF-8."""
        return np.asarray(self._content[int(self._starts[row]) : int(self._starts[row + 1])])


class Allowed(NamedTuple):
    """Which articles and which passages may be found: one bit each, the lowest of a byte first."""

    articles: Bits
    passages: Bits
    number: int  # of articles

    def has(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which of the articles are allowed."""
        return np.asarray((self.articles[rows >> 3] >> (rows & 7).astype(np.uint8)) & 1 > 0)


@dataclass(frozen=True)
class Bundle:
    """An index in use. `owners[passage]` is the row of the passage's article in all that is by article."""

    version: str
    model_id: str
    ids: Texts
    titles: Texts
    records: Array
    language_names: tuple[str, ...]
    tag_names: tuple[str, ...]
    owners: npt.NDArray[np.uint32]
    kinds: npt.NDArray[np.uint8]
    vectors: VectorIndex
    words: WordIndex
    hubs: npt.NDArray[np.float16]
    run_rarities: npt.NDArray[np.float16]
    run_weights: npt.NDArray[np.float32]  # their squares
    density: tuple[float, float]  # of `search.hubs`
    mean_length: float  # of an article, in words
    model: Mapping[str, Any]
    calibration: Mapping[str, Any]
    _arrays: Mapping[str, Array] = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_allowed", lru_cache(maxsize=128)(self._bits))
        object.__setattr__(self, "_tag_forms", {tag_form(name): name for name in self.tag_names})
        object.__setattr__(self, "_of_tag", lru_cache(maxsize=1024)(self._tag_bits))

    def row(self, article_id: str) -> int | None:
        """Where an article is, None when it is not in this index."""
        hashes, rows = self._arrays["id-hashes"], self._arrays["id-rows"]
        at = int(np.searchsorted(hashes, np.uint64(term_hash(article_id))))
        while at < len(hashes) and hashes[at] == np.uint64(term_hash(article_id)):
            if self.ids[int(rows[at])] == article_id:
                return int(rows[at])
            at += 1
        return None

    def passages_of(self, row: int) -> range:
        """The passages of an article."""
        begin, end = np.searchsorted(self.owners, np.array([row, row + 1], dtype=self.owners.dtype))
        return range(int(begin), int(end))

    def tags_of(self, row: int) -> frozenset[str]:
        """The tags of an article."""
        starts = self._arrays["tag-starts"]
        numbers = self._arrays["tag-numbers"][int(starts[row]) : int(starts[row + 1])]
        return frozenset(self.tag_names[number] for number in numbers.tolist())

    def allowed(self, language: str, tags: frozenset[str] = frozenset()) -> Allowed:
        """The articles in the language that have, if tags are given, one of them. Kept for the next call."""
        found: Allowed = self._allowed(language, tags)  # type: ignore[attr-defined]
        return found

    def tagged(self, choice: str) -> Allowed | None:
        """The articles with the tag that a menu choice names, as `tag_form` writes it; None for no such tag."""
        name: str | None = self._tag_forms.get(choice)  # type: ignore[attr-defined]
        if name is None:
            return None
        found: Allowed = self._of_tag(name)  # type: ignore[attr-defined]
        return found

    def _tag_bits(self, name: str) -> Allowed:
        return self._packed(self._with_tags(frozenset({name})))

    def _bits(self, language: str, tags: frozenset[str]) -> Allowed:
        if language not in self.language_names:
            mask = np.zeros(len(self.ids), dtype=bool)
        else:
            mask = np.asarray(self.records["language"] == self.language_names.index(language))
        return self._packed(mask & self._with_tags(tags) if tags else mask)

    def _with_tags(self, tags: frozenset[str]) -> npt.NDArray[np.bool_]:
        wanted = [number for number, name in enumerate(self.tag_names) if name in tags]
        places = np.flatnonzero(np.isin(self._arrays["tag-numbers"], wanted))
        tagged = np.zeros(len(self.ids), dtype=bool)
        tagged[np.searchsorted(self._arrays["tag-starts"], places, side="right") - 1] = True
        return tagged

    def _packed(self, mask: npt.NDArray[np.bool_]) -> Allowed:
        passages = np.packbits(mask[self.owners], bitorder="little")
        return Allowed(np.packbits(mask, bitorder="little"), passages, int(mask.sum()))


def passages(article: Article) -> list[tuple[int, str]]:
    """The pieces of an article that are embedded, with their kinds; none twice."""
    answers = sorted(article.answers, key=lambda answer: (not answer.accepted, -answer.votes))[:MOST_ANSWERS]
    whole = "\n".join(text for text in (article.question, *(answer.text for answer in article.answers)) if text)
    pieces = [(TITLE, article.title), (QUESTION, article.question)]
    pieces += [(ANSWER + place, answer.text) for place, answer in enumerate(answers)]
    first_kinds: dict[str, int] = {}
    for kind, text in (*pieces, (WHOLE, whole)):
        if text and kind in KINDS:
            first_kinds.setdefault(text, kind)
    return [(kind, text) for text, kind in first_kinds.items()] or [(TITLE, article.title)]


def views(
    owners: npt.NDArray[np.uint32], kinds: npt.NDArray[np.uint8]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For each article the passages that are its title, its whole text and its asker's words, or stand in for them."""
    firsts = np.flatnonzero(np.diff(owners.astype(np.int64), prepend=-1))
    ends = np.append(firsts[1:], len(owners))
    title, whole, asker = firsts.copy(), ends - 1, firsts.copy()
    questions = np.flatnonzero(kinds == QUESTION)
    asker[owners[questions]] = questions
    alone = np.flatnonzero(kinds[whole] != WHOLE)  # no text beside the one answer: it is the first after the question
    for article in alone.tolist():
        own = kinds[firsts[article] : ends[article]]
        answers = np.flatnonzero((own >= ANSWER) & (own != WHOLE))
        if len(answers):
            whole[article] = firsts[article] + answers[0]
    return title, whole, asker


def words_of(article: Article) -> list[tuple[str, list[str]]]:
    """The terms of an article by field, as the word index takes them."""
    language = article.language
    return [
        ("title", analyse(article.title, language)),
        ("question", analyse(article.question, language)),
        ("answers", [term for answer in article.answers for term in analyse(answer.text, language)]),
    ]


class Collected:
    """Takes articles one by one and gives the arrays of a bundle, all but the vectors."""

    def __init__(self, mean_length: float | None = None) -> None:
        """`mean_length` as `WordsBuilder` takes it."""
        self._ids: list[bytes] = []
        self._titles: list[bytes] = []
        self._records: list[tuple[int, ...]] = []
        self._languages: dict[str, int] = {}
        self._tags: dict[str, int] = {}
        self._tag_numbers: list[int] = []
        self._tag_counts: list[int] = []
        self._owners: list[int] = []
        self._kinds: list[int] = []
        self._words = WordsBuilder(mean_length)

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def names(self) -> dict[str, Any]:
        """What language and tag numbers stand for, and the mean number of words of an article."""
        return {
            "languages": list(self._languages)[:MOST_LANGUAGES],
            "tags": list(self._tags),
            "mean_length": self._words.mean_length,
        }

    def add(
        self,
        article: Article,
        evidence: Evidence,
        kinds: Sequence[int],
        words: Sequence[tuple[str, Sequence[str]]] | None = None,
    ) -> None:
        """One article with the kinds of its passages."""
        language = min(self._languages.setdefault(article.language, len(self._languages)), MOST_LANGUAGES)
        row = len(self._ids)
        self._ids.append(article.id.encode())
        self._titles.append(article.title.encode("utf-8", "replace"))
        day = evidence.written_at.toordinal() if evidence.written_at else NO_DAY
        self._records.append((language, article.accepted is not None, article.votes, evidence.helped, day))
        self._tag_numbers += [self._tags.setdefault(tag, len(self._tags)) for tag in article.tags]
        self._tag_counts.append(len(article.tags))
        self._owners += [row] * len(kinds)
        self._kinds += kinds
        self._words.add(words_of(article) if words is None else words)

    def arrays(self) -> dict[str, Array]:
        """The arrays by the names of `ARRAYS`. To be asked for once."""
        hashes = np.array([term_hash(one.decode()) for one in self._ids], dtype=np.uint64)
        order = np.argsort(hashes).astype(np.uint32)
        words = {f"words-{name.replace('_', '-')}": array for name, array in self._words.arrays().items()}
        return {
            "records": np.array(self._records, dtype=RECORD),
            **_texts("id", self._ids),
            "id-hashes": hashes[order],
            "id-rows": order,
            **(titles := _texts("title", self._titles)),
            "run-rarities": run_rarities(titles["title-bytes"], titles["title-starts"]),
            "tag-starts": np.concatenate([[0], np.cumsum(self._tag_counts)]).astype(np.uint64),
            "tag-numbers": np.array(self._tag_numbers, dtype=np.uint32),
            "owners": np.array(self._owners, dtype=np.uint32),
            "kinds": np.array(self._kinds, dtype=np.uint8),
            **words,
        }


def _texts(name: str, texts: Sequence[bytes]) -> dict[str, Array]:
    starts = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.uint64)
    return {f"{name}-starts": starts, f"{name}-bytes": np.frombuffer(b"".join(texts), dtype=np.uint8)}


def word_arrays(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Those of a bundle's arrays that are its word index, by the names of `WordIndex`."""
    return {name: arrays[f"words-{name.replace('_', '-')}"] for name in WordIndex.NAMES}


def bundle_of(
    version: str,
    model_id: str,
    arrays: Mapping[str, Array],
    names: Mapping[str, Any],
    vectors: VectorIndex,
    model: Mapping[str, Any],
    calibration: Mapping[str, Any],
) -> Bundle:
    """A bundle from its arrays. Raises `ValueError` when they do not fit each other."""
    articles, owners = len(arrays["records"]), arrays["owners"]
    if vectors.count != len(owners) or len(arrays["kinds"]) != len(owners):
        raise ValueError(f"holds {vectors.count} vectors for {len(owners)} passages")
    by_article = ("id-starts", "title-starts", "tag-starts", "words-forward-starts")
    if any(len(arrays[name]) != articles + 1 for name in by_article) or len(arrays["id-rows"]) != articles:
        raise ValueError(f"holds arrays that do not fit {articles} articles")
    if len(owners) and (int(owners[-1]) != articles - 1 or np.any(np.diff(owners.astype(np.int64)) < 0)):
        raise ValueError("holds passages out of order")
    mean, deviation = map(float, names["density"])
    if not (math.isfinite(mean) and math.isfinite(deviation)):
        raise ValueError("holds a density that is no number")
    mean_length = float(names["mean_length"])
    if not mean_length >= 1:
        raise ValueError(f"holds articles of {mean_length} words")
    if arrays["hubs"].shape != (articles, 2) or arrays["run-rarities"].shape != (RUNS,) or not deviation > 0:
        raise ValueError("holds measures that do not fit its articles")
    return Bundle(
        version=version,
        model_id=model_id,
        ids=Texts(arrays["id-starts"], arrays["id-bytes"]),
        titles=Texts(arrays["title-starts"], arrays["title-bytes"]),
        records=arrays["records"],
        language_names=tuple(names["languages"]),
        tag_names=tuple(names["tags"]),
        owners=owners,
        kinds=arrays["kinds"],
        vectors=vectors,
        words=WordIndex(word_arrays(arrays)),
        hubs=arrays["hubs"],
        run_rarities=np.asarray(arrays["run-rarities"]),
        run_weights=arrays["run-rarities"].astype(np.float32) ** 2,
        density=(mean, deviation),
        mean_length=mean_length,
        model=model,
        calibration=calibration,
        _arrays=arrays,
    )
