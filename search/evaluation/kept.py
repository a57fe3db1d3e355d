"""An encoder that remembers: the same texts are asked for again and again while the search is being measured."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from search.encoder import Encoder, Vectors
from search.index import Progress
from search.words import term_hash

STEP = 256  # texts encoded between two signs of progress
STEPS_A_WRITE = 16
WRITE_FROM = 64  # new vectors worth writing down


class KeptEncoder:
    """Encodes what it has not seen, and keeps all vectors in one file in `folder`, by the text's hash."""

    def __init__(self, encoder: Encoder, folder: Path, progress: Progress | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._encoder, self._progress = encoder, progress
        self._file = folder / f"{re.sub(r'[^A-Za-z0-9.-]', '_', encoder.model_id)}.npz"
        self._keys = np.empty(0, dtype=np.uint64)
        self._vectors = np.empty((0, encoder.dimension), dtype=np.float32)
        if self._file.exists():
            with np.load(self._file, allow_pickle=False) as kept:
                self._keys, self._vectors = kept["keys"], kept["vectors"]
        self._row = {key: row for row, key in enumerate(self._keys.tolist())}

    @property
    def model_id(self) -> str:
        """As the encoder's."""
        return self._encoder.model_id

    @property
    def dimension(self) -> int:
        """As the encoder's."""
        return self._encoder.dimension

    def encode(self, texts: Sequence[str]) -> Vectors:
        """See `Encoder.encode`."""
        keys = [term_hash(text) for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._row}
        todo = list(missing.items())
        for number, begin in enumerate(range(0, len(todo), STEP), 1):
            step = todo[begin : begin + STEP]
            self._keep([key for key, _ in step], self._encoder.encode([text for _, text in step]))
            if self._progress:
                self._progress(len(step))
            if number % STEPS_A_WRITE == 0:
                self._write()
        if len(todo) >= WRITE_FROM:
            self._write()
        return self._vectors[[self._row[key] for key in keys]]

    def _keep(self, keys: list[int], vectors: Vectors) -> None:
        for key in keys:
            self._row[key] = len(self._row)
        self._keys = np.concatenate([self._keys, np.array(keys, dtype=np.uint64)])
        self._vectors = np.concatenate([self._vectors, vectors])

    def _write(self) -> None:
        draft = self._file.with_suffix(".draft.npz")
        np.savez(draft, keys=self._keys, vectors=self._vectors)
        draft.rename(self._file)
