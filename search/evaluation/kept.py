"""An encoder that remembers: the same texts are asked for again and again while the search is being measured."""

import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from zipfile import BadZipFile

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
        self._vectors: dict[int, Vectors] = {}  # by the text's hash
        if self._file.exists():
            with suppress(ValueError, EOFError, KeyError, BadZipFile):  # a broken file is written anew
                self._vectors = self._read()

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
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._vectors}
        todo = list(missing.items())
        for number, begin in enumerate(range(0, len(todo), STEP), 1):
            step = todo[begin : begin + STEP]
            new = self._encoder.encode([text for _, text in step])
            self._vectors.update(zip((key for key, _ in step), new, strict=True))
            if self._progress:
                self._progress(len(step))
            if number % STEPS_A_WRITE == 0:
                self._write()
        if len(todo) >= WRITE_FROM:
            self._write()
        empty = np.empty((0, self.dimension), np.float32)
        return np.stack([self._vectors[key] for key in keys]) if keys else empty

    def _read(self) -> dict[int, Vectors]:
        with self._file.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            return dict(zip(kept["keys"].tolist(), kept["vectors"], strict=True))

    def _write(self) -> None:
        draft = self._file.with_suffix(f".{secrets.token_hex(4)}.npz")  # another command may keep vectors, too
        keys = np.array(list(self._vectors), dtype=np.uint64)
        np.savez(draft, keys=keys, vectors=np.stack(list(self._vectors.values())))
        draft.rename(self._file)
