"""A plain build of an index: sentence-transformers and FAISS's IndexFlatIP with a list of ids; and how both are timed.

It runs where sentence-transformers is installed (`make test-models` does that, in an environment of its own) and
imports little of ours for that reason.
"""

import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import faiss
import numpy as np
import numpy.typing as npt

from search.encoder import Encoder, load_encoder

Vectors = npt.NDArray[np.float32]
T = TypeVar("T")
BLOCK = 20_000
WARM = 20  # questions asked before the clock runs
_faiss: Any = faiss


class Timed:
    """How long each question took, encoding and searching apart: on the clock, and of the processor."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._encoding: list[float] = []
        self._searching: list[float] = []
        self._processor: list[float] = []

    def ask(self, text: str, search: Callable[[], T]) -> T:
        """Encode a question, then search; what the search gave."""
        begun = time.perf_counter()
        self._encoder.encode([text])
        encoded, used = time.perf_counter(), time.thread_time()
        found = search()
        self._processor.append(time.thread_time() - used)
        self._searching.append(time.perf_counter() - encoded)
        self._encoding.append(encoded - begun)
        return found

    def milliseconds(self) -> dict[str, float]:
        """As the table has them."""
        whole = np.array(self._encoding) + self._searching
        return {
            "encoder p50": float(np.median(self._encoding)) * 1000,
            "search p50": float(np.median(self._searching)) * 1000,
            "p99": float(np.percentile(self._searching, 99)) * 1000,
            "processor": float(np.median(self._processor)) * 1000,
            "whole p50": float(np.median(whole)) * 1000,
        }


def one_core() -> None:
    """This process runs on one core from now on."""
    faiss.omp_set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def asked_of(folder: Path) -> tuple[list[str], Vectors]:
    """The questions put to an index, and their vectors."""
    texts: list[str] = json.loads((folder.parent / "queries.json").read_text("utf-8"))
    return texts, np.load(folder.parent / "queries.npy")


def resident() -> int:
    """Bytes this process holds in memory, shared pages among them (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def held(memory: int, passages: int, loaded: float) -> dict[str, float]:
    """What an index costs, as the table has it."""
    return {"load s": loaded, "resident MB": memory / 1e6, "bytes/passage": memory / passages}


def plainly_searched(folder: Path) -> dict[str, Any]:
    """Load and search the plain build of an index, in this process alone; leaves the exact neighbours behind."""
    one_core()
    texts, queries = asked_of(folder)
    by_torch = importlib.util.find_spec("sentence_transformers") is not None
    encoder = load_encoder("sentence-transformers" if by_torch else "onnx")
    for text in texts[:WARM]:
        encoder.encode([text])
    before, begun = resident(), time.perf_counter()
    stored = np.load(folder / "vectors.npy", mmap_mode="r")
    flat = _faiss.IndexFlatIP(stored.shape[1])
    for start in range(0, len(stored), BLOCK):
        flat.add(stored[start : start + BLOCK].astype(np.float32))
    ids = [f"a{number}" for number in range(len(stored))]
    loaded, timed = time.perf_counter() - begun, Timed(encoder)

    def nearest(query: Vectors) -> npt.NDArray[np.int64]:
        rows: npt.NDArray[np.int64] = flat.search(query[None], 10)[1][0]
        _ = [ids[row] for row in rows]
        return rows

    found = [timed.ask(text, partial(nearest, query)) for text, query in zip(texts, queries, strict=True)]
    np.save(folder.parent / "exact.npy", np.array(found))
    return {
        "build": "plain" if by_torch else "plain, our encoder",
        **held(resident() - before, len(stored), loaded),
        **timed.milliseconds(),
        "recall@10": 1.0,
    }


if __name__ == "__main__":
    print(json.dumps(plainly_searched(Path(sys.argv[1]))))
