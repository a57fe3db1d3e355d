"""A word index of articles: which articles share the caller's rarer words, and which words stand where in an article.

Terms are known by the first eight bytes of their BLAKE2b; a term's number is its place in the sorted hashes. All
arrays may be memory-mapped: processes of one machine share the pages they touch.
"""

import hashlib
import re
import threading
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import Stemmer

Array = npt.NDArray[Any]

TITLE, QUESTION, ANSWERS = 1, 2, 4  # bits of a term's mask: the fields of the article it stands in
FIELDS: Mapping[str, int] = {"title": TITLE, "question": QUESTION, "answers": ANSWERS}
IN_FIELDS = TITLE | QUESTION | ANSWERS
K1, B = 1.2, 0.75
IMPACT_SHIFT, IMPACT_STEP = 3, (K1 + 1) / 31  # a term's BM25 without idf, in steps, above its mask
CHAMPIONS = 1024  # articles kept per term for finding candidates, those of the highest impact
COMMON = 0.05  # terms in more than this share of the articles find no candidates while there are rarer ones
MAX_TERMS = 64  # of a query
LOOKED_UP = 12  # of these, the rarest, find candidates
BLOCK = 1 << 22  # tokens sorted at once while building

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_ONE_LETTER_HYPHEN = re.compile(r"\b([^\W\d_])-(?=[^\W\d_])")
_STOP_WORDS = """
a about after all am an and any are as at be been but by can could did do does doing don't for from get got had has have
he her here him his how i i'm if in into is it its it's just like me my no not now of off on or our out she so some such
than that that's the their them then there they this to too um uh up us very was we were what when where which who why
will with would yes you your

al algo como con cual cuando de del donde e el ella ellos en era es esa ese eso esta estan este esto ha hace hay la
las le les lo los mas me mi mis muy ni o para pero por porque que se si sin son su sus tambien te tengo tiene todo
tu tus un una uno unos y ya yo
"""
_of_thread = threading.local()  # a stemmer must not be shared by threads


class Candidates(NamedTuple):
    """Articles that share words with a query, best first: their rows and BM25 over the words looked at."""

    rows: npt.NDArray[np.uint32]
    scores: npt.NDArray[np.float32]


def plain(text: str) -> str:
    """Case and accents off, `e-mail` written `email`."""
    folded = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    if not folded.isascii():
        folded = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return _ONE_LETTER_HYPHEN.sub(r"\1", folded)


def analyse(text: str, language: str = "en") -> list[str]:
    """The stemmed terms of `text` in their order, stop words among them. A language without a stemmer keeps words."""
    words = _WORD.findall(plain(text))
    stem = _stemmer(language)
    stems = stem.stemWords(words) if stem else words
    return [term.replace("'", "") for term in stems]


@lru_cache(maxsize=64)
def stop_terms(language: str = "en") -> frozenset[str]:
    """Terms that carry no topic: they count as evidence by their small idf, and find no candidates."""
    return frozenset(term for word in _STOP_WORDS.split() for term in analyse(word, language))


def _stemmer(language: str) -> Any:
    known: dict[str, Any] | None = getattr(_of_thread, "stemmers", None)
    if known is None:
        known = _of_thread.stemmers = {}
    if language not in known:
        try:
            known[language] = Stemmer.Stemmer(language)
        except KeyError:  # none for this language
            known[language] = None
    return known[language]


def term_hash(term: str) -> int:
    """The 64 bits a term is known by."""
    return int.from_bytes(hashlib.blake2b(term.encode("utf-8", "replace"), digest_size=8).digest(), "little")


class WordIndex:
    """Terms of articles, one row an article. Never changes; threads may share it.

    Arrays by name: `hashes` uint64 sorted, `df` uint32; `champion_starts` uint64 (terms + 1), `champion_rows` uint32,
    `champion_impacts` float16 (BM25 without idf); `forward_starts` uint64 (articles + 1), `forward_terms` uint32
    (sorted within an article), `forward_marks` uint8: the mask of fields, and above it the impact in 31 steps.
    """

    NAMES = (
        "hashes",
        "df",
        "champion_starts",
        "champion_rows",
        "champion_impacts",
        "forward_starts",
        "forward_terms",
        "forward_marks",
    )

    def __init__(self, arrays: Mapping[str, Array], base: "WordIndex | None" = None) -> None:
        """With a `base`, words weigh what they weigh there: a few articles say little about how rare a word is."""
        self._hashes, self._df = arrays["hashes"], arrays["df"]
        self._champion_starts = arrays["champion_starts"]
        self._champion_rows, self._impacts = arrays["champion_rows"], arrays["champion_impacts"]
        self._starts, self._terms, self._marks = (
            arrays["forward_starts"],
            arrays["forward_terms"],
            arrays["forward_marks"],
        )
        self.articles = len(self._starts) - 1
        self._base = base
        if base is not None and len(base._hashes):
            places = base._places(self._hashes)
            self._rarity = np.where(places >= 0, base._df[places], 0)
        else:
            self._rarity = self._df

    @classmethod
    def build(cls, rows: Iterable[Sequence[tuple[str, Sequence[str]]]]) -> "WordIndex":
        """An index of articles, each given as (field, terms) pairs; fields are those of `FIELDS`."""
        builder = WordsBuilder()
        for row in rows:
            builder.add(row)
        return cls(builder.arrays())

    def numbers(self, terms: Sequence[str]) -> npt.NDArray[np.int64]:
        """The numbers of terms; below zero for those in no article, -1 for those the base has not either."""
        hashes = np.array([term_hash(term) for term in terms], dtype=np.uint64)
        places = self._places(hashes)
        return places if self._base is None else np.where(places >= 0, places, -2 - self._base._places(hashes))

    def _places(self, hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        if not len(self._hashes):
            return np.full(len(hashes), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1).astype(np.int64)
        return np.where(self._hashes[places] == hashes, places, -1)

    def idfs(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """BM25's idf of each term, never negative; that of a term in no article for -1."""
        df = np.zeros(len(numbers))
        own = numbers >= 0
        df[own] = self._rarity[numbers[own]]
        articles = self.articles
        if self._base is not None:
            articles = self._base.articles
            elsewhere = numbers < -1
            df[elsewhere] = self._base._df[-2 - numbers[elsewhere]]
        return np.log1p((articles - df + 0.5) / (df + 0.5)).astype(np.float32)

    def idf(self, term: str) -> float:
        """As `idfs`, of one term."""
        return float(self.idfs(self.numbers([term]))[0])

    def terms_of(self, row: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint8]]:
        """An article's term numbers, ascending, and the mask of fields each stands in."""
        begin, end = int(self._starts[row]), int(self._starts[row + 1])
        return self._terms[begin:end], self._marks[begin:end] & np.uint8(IN_FIELDS)

    def fields(self, rows: Sequence[int] | Array, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """For each article (first axis) and term (second) the mask of fields it stands in, 0 for none."""
        return self.marks(rows, numbers) & np.uint8(IN_FIELDS)

    def marks(self, rows: Sequence[int] | Array, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """As `fields`, with what `impacts` reads."""
        found = np.zeros((len(rows), len(numbers)), dtype=np.uint8)
        wanted, places = np.unique(numbers, return_inverse=True)
        if not len(rows) or not len(numbers):
            return found
        at = np.asarray(rows, dtype=np.int64)
        begins, lengths = self._starts[at].astype(np.int64), np.diff(self._starts)[at].astype(np.int64)
        ends = np.cumsum(lengths)
        flat = np.arange(int(ends[-1])) + np.repeat(begins - (ends - lengths), lengths)
        terms = self._terms[flat].astype(np.int64)
        columns = np.minimum(np.searchsorted(wanted, terms), len(wanted) - 1)
        hits = np.flatnonzero(wanted[columns] == terms)
        by_wanted = np.zeros((len(rows), len(wanted)), dtype=np.uint8)
        by_wanted[np.repeat(np.arange(len(at)), lengths)[hits], columns[hits]] = self._marks[flat[hits]]
        return np.asarray(by_wanted[:, places])

    def candidates(
        self,
        terms: Sequence[str],
        k: int = 200,
        allowed: npt.NDArray[np.uint8] | None = None,
        skipped: frozenset[str] = frozenset(),
    ) -> Candidates:
        """At most `k` articles that share the rarer of `terms`, by BM25 over each term's champions.

        `allowed` has one bit an article, the lowest bit first; `skipped` terms (stop words) find nothing.
        """
        numbers = self._telling(terms, skipped)
        if not len(numbers):
            return Candidates(np.empty(0, np.uint32), np.empty(0, np.float32))
        weights = self.idfs(numbers)
        starts, ends = self._champion_starts[numbers], self._champion_starts[numbers + 1]
        rows = np.concatenate([self._champion_rows[a:b] for a, b in zip(starts, ends, strict=True)])
        impacts = np.concatenate([self._impacts[a:b] for a, b in zip(starts, ends, strict=True)])
        scores = impacts.astype(np.float32) * np.repeat(weights, (ends - starts).astype(np.int64))
        if allowed is not None:
            kept = (allowed[rows >> 3] >> (rows & 7).astype(np.uint8)) & 1 > 0
            rows, scores = rows[kept], scores[kept]
        return _best(rows, scores, k)

    def _telling(self, terms: Sequence[str], skipped: frozenset[str]) -> npt.NDArray[np.int64]:
        """The numbers of the known terms worth looking up: rare ones, or else the rarest."""
        numbers = self.numbers([term for term in dict.fromkeys(terms) if term not in skipped][:MAX_TERMS])
        known = numbers[numbers >= 0]
        known = known[np.argsort(self._df[known], kind="stable")][:LOOKED_UP]
        rare = known[self._df[known] <= max(1.0, COMMON * self.articles)]
        return rare if len(rare) else known


def impacts(marks: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """BM25 without idf of what `WordIndex.marks` gave, 0 for a term that the article has not."""
    return (marks >> IMPACT_SHIFT).astype(np.float32) * np.float32(IMPACT_STEP)


def _best(rows: npt.NDArray[np.uint32], scores: npt.NDArray[np.float32], k: int) -> Candidates:
    """The scores of each row summed, the best `k` of them. One sort of (row, score) packed in 64 bits."""
    if not len(rows):
        return Candidates(rows, scores)
    fixed = (scores * 2**20).astype(np.uint64)  # 20 bits after the point: scores are below 2 ** 12
    packed = np.sort((rows.astype(np.uint64) << np.uint64(32)) | fixed)
    owners = (packed >> np.uint64(32)).astype(np.uint32)
    firsts = np.flatnonzero(np.diff(owners, prepend=owners[0] + np.uint32(1)))
    sums = np.add.reduceat(packed & np.uint64(0xFFFFFFFF), firsts).astype(np.float32) / np.float32(2**20)
    best = np.argpartition(-sums, k)[:k] if len(sums) > k else np.arange(len(sums))
    best = best[np.argsort(-sums[best], kind="stable")]
    return Candidates(owners[firsts][best], sums[best])


class WordsBuilder:
    """Takes articles one by one and gives the arrays of their `WordIndex`."""

    def __init__(self, mean_length: float | None = None) -> None:
        """`mean_length` is what counts as the usual number of words of an article, unless it is these articles' own."""
        self._mean_length = mean_length
        self._vocabulary: defaultdict[str, int] = defaultdict()
        self._vocabulary.default_factory = self._vocabulary.__len__  # a new term gets the next number
        self._tokens, self._bits = array("I"), bytearray()
        self._lengths = array("I")  # tokens of each article
        self._packed = 0  # articles that are in blocks
        self._blocks: list[_Block] = []

    def add(self, row: Sequence[tuple[str, Sequence[str]]]) -> None:
        """One article as (field, terms) pairs; fields are those of `FIELDS`."""
        before = len(self._tokens)
        for field, own in row:
            self._tokens.extend(map(self._vocabulary.__getitem__, own))
            self._bits.extend(bytes([FIELDS[field]]) * len(own))
        self._lengths.append(len(self._tokens) - before)
        if len(self._tokens) >= BLOCK:
            self._pack()

    @property
    def mean_length(self) -> float:
        """The usual number of words of an article, at least one."""
        return self._mean_length or max(1.0, sum(self._lengths) / max(len(self._lengths), 1))

    def arrays(self) -> dict[str, Array]:
        """The arrays of `WordIndex`, by name. To be asked for once."""
        self._pack()
        terms, masks, counts, sizes = (np.concatenate(parts) for parts in zip(*self._blocks, strict=True))
        hashes = np.array([term_hash(term) for term in self._vocabulary], dtype=np.uint64)
        order = np.argsort(hashes)
        renumbered = np.empty(len(order), dtype=np.uint32)
        renumbered[order] = np.arange(len(order), dtype=np.uint32)
        terms = renumbered[terms]
        impacts = _impacts(counts, sizes, np.asarray(self._lengths), self.mean_length)
        steps = np.clip(np.rint(impacts / np.float32(IMPACT_STEP)), 1, 31).astype(np.uint8)
        return {
            "hashes": hashes[order],
            **_champions(terms, impacts, sizes, len(order)),
            **_forward(terms, masks | steps << np.uint8(IMPACT_SHIFT), sizes),
        }

    def _pack(self) -> None:
        self._blocks.append(_block(self._tokens, self._bits, self._lengths[self._packed :]))
        self._tokens, self._bits, self._packed = array("I"), bytearray(), len(self._lengths)


class _Block(NamedTuple):
    """Some articles: each one's distinct terms one after the other, and how many it has."""

    terms: Array
    masks: Array
    counts: Array
    sizes: Array


def _block(tokens: "array[int]", bits: bytearray, lengths: "array[int]") -> _Block:
    owners = np.repeat(np.arange(len(lengths), dtype=np.uint64), lengths)
    packed = np.sort(
        owners << np.uint64(40) | np.asarray(tokens, np.uint64) << np.uint64(8) | np.frombuffer(bits, "u1")
    )
    pairs = packed >> np.uint64(8)
    firsts = np.flatnonzero(np.diff(pairs, prepend=np.uint64(2**63)))
    return _Block(
        terms=pairs[firsts].astype(np.uint32),
        masks=np.bitwise_or.reduceat(packed.astype(np.uint8), firsts) if len(firsts) else np.empty(0, np.uint8),
        counts=np.minimum(np.diff(firsts, append=len(pairs)), 0xFFFF).astype(np.uint16),
        sizes=np.bincount((pairs[firsts] >> np.uint64(32)).astype(np.int64), minlength=len(lengths)).astype(np.uint32),
    )


def _impacts(counts: Array, sizes: Array, lengths: Array, mean_length: float) -> npt.NDArray[np.float32]:
    """BM25 without idf of each article's terms, from how often it has them."""
    norms = (K1 * (1 - B + B * lengths / mean_length)).astype(np.float32)
    tf = counts.astype(np.float32)
    return np.asarray(tf * np.float32(K1 + 1) / (tf + np.repeat(norms, sizes)))


def _forward(terms: Array, marks: Array, sizes: Array) -> dict[str, Array]:
    """The terms of each article in ascending order."""
    ends = np.cumsum(sizes, dtype=np.uint64)
    owners = np.repeat(np.arange(len(sizes), dtype=np.uint64), sizes)
    order = np.argsort((owners << np.uint64(32)) | terms)
    return {
        "forward_starts": np.concatenate([np.zeros(1, np.uint64), ends]),
        "forward_terms": terms[order],
        "forward_marks": marks[order],
    }


def _champions(terms: Array, impacts: npt.NDArray[np.float32], sizes: Array, vocabulary: int) -> dict[str, Array]:
    """For each term its articles of the highest BM25 impact, and how many articles have it."""
    owners = np.repeat(np.arange(len(sizes), dtype=np.uint32), sizes)
    order = np.argsort(terms, kind="stable")
    df = np.bincount(terms, minlength=vocabulary).astype(np.uint32)
    ends = np.cumsum(df, dtype=np.int64)
    kept = np.ones(len(terms), dtype=bool)
    for term in np.flatnonzero(df > CHAMPIONS):
        begin, end = int(ends[term] - df[term]), int(ends[term])
        weakest = np.argpartition(-impacts[order[begin:end]], CHAMPIONS)[CHAMPIONS:]
        kept[begin + weakest] = False
    order = order[kept]
    return {
        "df": df,
        "champion_starts": np.concatenate([[0], np.cumsum(np.minimum(df, CHAMPIONS), dtype=np.int64)]).astype(
            np.uint64
        ),
        "champion_rows": owners[order],
        "champion_impacts": impacts[order].astype(np.float16),
    }
