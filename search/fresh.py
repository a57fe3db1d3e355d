"""Articles that changed since the index was built: a second, small index in memory, searched beside it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from search.article import Article
from search.bundle import Bundle, Collected, Evidence, bundle_of, passages, views, word_arrays
from search.encoder import Encoder
from search.hubs import SAMPLE, best_mean
from search.vectors import VectorIndex
from search.words import WordIndex


@dataclass(frozen=True)
class Delta:
    """What changed, at one moment. An article in `hidden` must not be found in the large index: `bundle` has its new
    form, or it was withdrawn. `bundle` is None while nothing new is to be found."""

    bundle: Bundle | None
    hidden: frozenset[str]


NOTHING_NEW = Delta(None, frozenset())


class _Encoded(NamedTuple):
    content_hash: str
    article: Article
    evidence: Evidence
    kinds: tuple[int, ...]
    vectors: npt.NDArray[np.float16]


class Fresh:
    """Collects changes and gives the `Delta` of them. For one thread; a delta once given never changes."""

    def __init__(self, base: Bundle, encoder: Encoder, before: "Fresh | None" = None) -> None:
        """`base` is the index that they changed after; what is general about a community is taken from it. What was
        encoded `before`, for another index, need not be again."""
        self.version = base.version
        self._base, self._encoder = base, encoder
        titles = np.searchsorted(base.owners, np.arange(0, len(base.ids), 1 + len(base.ids) // SAMPLE))
        self._askers = base.vectors.read(titles)
        self._hashes: dict[str, str | None] = {}
        self._encoded: dict[str, _Encoded] = {}
        known = dict(before._encoded) if before is not None and before._encoder is encoder else {}
        self._before = {(article_id, one.content_hash): one for article_id, one in known.items()}

    def __len__(self) -> int:
        return len(self._hashes)

    def unknown(self, changes: Iterable[tuple[str, str | None]]) -> dict[str, str | None]:
        """Of (article id, content hash or None for a withdrawn one) those that are news."""
        news = object()
        return {one: content for one, content in changes if self._hashes.get(one, news) != content}

    def withdraw(self, article_id: str) -> None:
        """Find this article no more."""
        self._hashes[article_id] = None
        self._encoded.pop(article_id, None)

    def take_over(self, article_id: str, content_hash: str) -> bool:
        """Find an article that was encoded before, in this form; whether it was."""
        known = self._before.get((article_id, content_hash))
        if known is not None:
            self._encoded[article_id] = known
            self._hashes[article_id] = content_hash
        return known is not None

    def put(self, article: Article, content_hash: str, evidence: Evidence) -> None:
        """Encode an article; it is found from the next `delta` on, in this form only."""
        pieces = passages(article)
        vectors = self._encoder.encode([text for _, text in pieces]).astype(np.float16)
        self._encoded[article.id] = _Encoded(
            content_hash, article, evidence, tuple(kind for kind, _ in pieces), vectors
        )
        self._hashes[article.id] = content_hash

    def delta(self) -> Delta:
        """All changes so far."""
        if not self._encoded:
            return Delta(None, frozenset(self._hashes))
        collected = Collected(self._base.mean_length)
        for one in self._encoded.values():
            collected.add(one.article, one.evidence, one.kinds)
        vectors = np.concatenate([one.vectors for one in self._encoded.values()])
        arrays = collected.arrays()
        arrays["hubs"] = self._hubs(vectors, arrays["owners"], arrays["kinds"])
        arrays["run-rarities"] = self._base.run_rarities
        bundle = bundle_of(
            self.version,
            self._encoder.model_id,
            arrays,
            {**collected.names, "density": self._base.density},
            VectorIndex.of(vectors),
            self._base.model,
            self._base.calibration,
        )
        words = WordIndex(word_arrays(arrays), self._base.words)
        return Delta(replace(bundle, words=words), frozenset(self._hashes))

    def _hubs(
        self, vectors: npt.NDArray[np.float16], owners: npt.NDArray[np.uint32], kinds: npt.NDArray[np.uint8]
    ) -> npt.NDArray[np.float16]:
        """As `search.hubs`, with the titles of the base as what askers say."""
        titles, wholes, _ = views(owners, kinds)
        cosines = (vectors[rows].astype(np.float32) @ self._askers.T for rows in (titles, wholes))
        return np.stack([best_mean(own) for own in cosines], axis=1).astype(np.float16)
