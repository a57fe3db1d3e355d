"""Make golden.npy: what sentence-transformers itself gives for golden_texts.json (needs torch).

Run from the project's folder, in the environment of `make test-models`: python -m tests.search.golden_make
"""

import json
from pathlib import Path

import numpy as np

from search.encoder import SentenceTransformersEncoder, Vectors

HERE = Path(__file__).parent


def texts() -> list[str]:
    """The golden texts; the last one, long beyond the model's window, is made here."""
    given: list[str] = json.loads((HERE / "golden_texts.json").read_text("utf-8"))
    return [*given, " ".join(given * 3)]


def make() -> Vectors:
    """The vectors, float32 (texts, 384)."""
    return SentenceTransformersEncoder().encode(texts())


if __name__ == "__main__":
    np.save(HERE / "golden.npy", make(), allow_pickle=False)
