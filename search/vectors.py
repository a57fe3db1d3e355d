"""Vectors of passages on disk, and the nearest of them.

`vectors.npy` (float16) is the truth: every score given out is an inner product with it. Small communities are compared
whole. Larger ones are first narrowed down by inverted lists of product codes (two numbers of a vector in 4 bits; Jégou,
Douze and Schmid 2011), which FAISS compares 32 at a time in registers (André, Kermarrec and Le Scouarnec 2015). They
are kept as plain arrays and put into FAISS while loading: a FAISS file is read without any check. Vectors are read from
the file, never mapped, so a process holds only the codes.
"""

import math
import os
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import faiss
import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Bits = npt.NDArray[np.uint8]  # one bit a row, the lowest bit of a byte first
Progress = Callable[[int], None]

EXACT_BELOW = 20_000  # passages: 2 ms for all of them on one core
LISTS_PER_ROOT = 2  # lists = so many times the root of the number of passages
PROBES = 180  # lists looked into
CODE_BITS = 4  # for two numbers of a vector
TRAINED_ON = 48  # vectors a list
ROUNDS = 8  # of k-means
SPARE = 48  # passages compared anew beyond those asked for: scores by codes change places
SPARE_PER_ROOT = 0.15  # and so many times the root of the number of passages: they lie closer the more there are
BLOCK = 65_536
HALF_BIAS = np.float32(2.0**112)  # the exponent of a float32 counts from 127, that of a float16 from 15
LIST_FILES = ("list-centres.npy", "list-codebook.npy", "list-starts.npy", "list-passages.npy", "list-codes.npy")

_faiss: Any = faiss  # its stubs know only the C++ signatures


class Nearest(NamedTuple):
    """Passages, nearest first: the inner products and their rows."""

    scores: npt.NDArray[np.float32]
    rows: npt.NDArray[np.int64]


class VectorsError(ValueError):
    """The files do not fit each other."""


class VectorIndex:
    """Searches the vectors in a folder. Never changes; any number of threads may share it."""

    def __init__(self, folder: Path) -> None:
        """Reads `vectors.npy` and, if there are lists, those. Raises `OSError`, `VectorsError` or `ValueError`."""
        stored = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
        if stored.dtype != np.float16 or stored.ndim != 2 or not stored.flags.c_contiguous:
            raise VectorsError(f"{folder / 'vectors.npy'} holds no rows of float16")
        self.count, self.dimension = stored.shape
        self._held: npt.NDArray[np.float16] | None = None
        self._offset = int(stored.offset)
        self._file = os.open(folder / "vectors.npy", os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)
        self._lists = 0
        if (folder / LIST_FILES[0]).exists():
            self._index, self._quantizer = _lists(folder, self.count, self.dimension)
            self._lists = int(self._index.nlist)
        else:
            self._index = _whole(stored)

    @classmethod
    def of(cls, vectors: npt.NDArray[np.float16]) -> "VectorIndex":
        """Vectors that are in no file; all are compared."""
        index = cls.__new__(cls)
        index.count, index.dimension = vectors.shape
        index._held, index._lists, index._index = vectors, 0, _whole(vectors)
        return index

    def candidates(self, vector: Vectors, k: int, allowed: Bits | None = None) -> npt.NDArray[np.int64]:
        """The rows of the at most `k` nearest of the allowed passages to one unit vector, in any order."""
        if not self._lists:
            return self._near(vector, k, allowed)
        near = self._near(vector, k + SPARE + round(SPARE_PER_ROOT * math.sqrt(self.count)), allowed)
        if len(near) <= k:
            return near
        return near[np.argpartition(-(self.read(near) @ vector), k)[:k]]

    def search(self, vector: Vectors, k: int, allowed: Bits | None = None) -> Nearest:
        """As `candidates`, nearest first and with their scores."""
        near = self.candidates(vector, k, allowed)
        exact = self.read(near) @ vector.reshape(self.dimension).astype(np.float32)
        best = np.argsort(-exact, kind="stable")
        return Nearest(exact[best], near[best])

    def read(self, rows: npt.NDArray[np.int64]) -> Vectors:
        """The stored vectors of `rows`."""
        if self._held is not None:
            return _widened(self._held[rows])
        if not len(rows):
            return np.empty((0, self.dimension), np.float32)
        size = 2 * self.dimension
        breaks = np.flatnonzero(np.diff(rows, prepend=rows[0] - 2) != 1)  # rows in a row are read at once
        starts = (self._offset + rows[breaks] * size).tolist()
        lengths = (np.diff(breaks, append=len(rows)) * size).tolist()
        parts = [os.pread(self._file, length, start) for start, length in zip(starts, lengths, strict=True)]
        return _widened(np.frombuffer(b"".join(parts), np.float16)).reshape(len(rows), self.dimension)

    def _near(self, vector: Vectors, k: int, allowed: Bits | None) -> npt.NDArray[np.int64]:
        """Rows by FAISS alone, ascending: read in this order most lie together."""
        _faiss.omp_set_num_threads(1)
        query = np.ascontiguousarray(vector, dtype=np.float32).reshape(1, self.dimension)
        selector = _faiss.IDSelectorBitmap(allowed) if allowed is not None else None
        wanted = min(k, self.count)
        if not wanted:
            return np.empty(0, np.int64)
        if self._lists:
            given = _faiss.SearchParametersIVF(sel=selector, nprobe=self._probes(allowed))
        else:
            given = _faiss.SearchParameters(sel=selector) if selector else None
        rows = self._index.search(query, wanted, params=given)[1][0]
        return np.sort(rows[rows >= 0])

    def _probes(self, allowed: Bits | None) -> int:
        """More lists the fewer passages are allowed, in the end all: as many of them are compared either way."""
        share = int(np.bitwise_count(allowed).sum()) / self.count if allowed is not None else 1.0
        return min(self._lists, math.ceil(PROBES / max(share, 1e-9)))


def list_files(count: int) -> tuple[str, ...]:
    """The files beside `vectors.npy` for so many passages."""
    return LIST_FILES if count >= EXACT_BELOW else ()


def write_lists(folder: Path, threads: int = 2, progress: Progress | None = None) -> None:
    """Sort the vectors of `vectors.npy` into lists of near ones, beside it; nothing to do for a small community.

    `progress` is told how many vectors were sorted since the last call.
    """
    stored = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
    count, dimension = stored.shape
    if not list_files(count):
        return
    _faiss.omp_set_num_threads(threads)
    lists = 2 ** round(math.log2(LISTS_PER_ROOT * math.sqrt(count)))
    index, _quantizer = _empty(dimension, lists)
    index.cp.niter, index.cp.spherical, index.cp.min_points_per_centroid = ROUNDS, True, 1
    sample = np.sort(np.random.default_rng(0).choice(count, min(count, TRAINED_ON * lists), replace=False))
    index.train(stored[sample].astype(np.float32))
    for begin in range(0, count, BLOCK):
        block = stored[begin : begin + BLOCK].astype(np.float32)
        index.add(block)
        if progress:
            progress(len(block))
    _save_lists(folder, index, lists, count)
    _faiss.omp_set_num_threads(1)


def _save_lists(folder: Path, index: Any, lists: int, count: int) -> None:
    sizes = np.array([index.invlists.list_size(number) for number in range(lists)], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    width = int(index.code_size)
    passages = np.empty(count, dtype=np.uint32)
    with (folder / LIST_FILES[4]).open("wb") as file:  # not mapped: a full disk kills who writes to a mapped file
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (count, width)})
        for number in np.flatnonzero(sizes):
            begin, end = int(starts[number]), int(starts[number + 1])
            passages[begin:end] = _faiss.rev_swig_ptr(index.invlists.get_ids(int(number)), end - begin)
            file.write(_faiss.rev_swig_ptr(index.invlists.get_codes(int(number)), (end - begin) * width).data)
    centres = index.quantizer.reconstruct_n(0, lists)
    codebook = _faiss.vector_to_array(index.pq.centroids)
    for name, array in zip(LIST_FILES[:4], (centres, codebook, starts, passages), strict=True):
        np.save(folder / name, array, allow_pickle=False)


def _widened(halves: npt.NDArray[np.float16]) -> Vectors:
    """As float32: by shifting bits, a fourth of the time `astype` takes. Not for infinities and NaN."""
    bits = halves.view(np.int16).astype(np.int32)  # the sign is in all upper bits
    bits <<= 13
    bits &= np.int32(-0x70002000)  # 0x8FFFE000: the sign, the exponent, the fraction
    wide = bits.view(np.float32)
    wide *= HALF_BIAS
    return wide


def _whole(stored: npt.NDArray[np.float16]) -> Any:
    """All vectors as they are, compared one by one."""
    index = _faiss.IndexScalarQuantizer(stored.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    for begin in range(0, len(stored), BLOCK):
        index.add(stored[begin : begin + BLOCK].astype(np.float32))
    return index


def _empty(dimension: int, lists: int) -> tuple[Any, Any]:
    """An index without entries, and its quantizer, which Python must keep alive."""
    quantizer = _faiss.IndexFlatIP(dimension)
    index = _faiss.IndexIVFPQ(quantizer, dimension, lists, dimension // 2, CODE_BITS, faiss.METRIC_INNER_PRODUCT)
    index.by_residual = False
    return index, quantizer


def _lists(folder: Path, count: int, dimension: int) -> tuple[Any, Any]:
    centres, codebook, starts, passages, codes = (
        np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in LIST_FILES
    )
    shapes = (centres.shape, codebook.shape, starts.shape, passages.shape, codes.shape)
    width = dimension // 2 * CODE_BITS // 8
    if shapes != (
        (len(centres), dimension),
        (dimension << CODE_BITS,),
        (len(centres) + 1,),
        (count,),
        (count, width),
    ):
        raise VectorsError(f"{folder} holds lists of {shapes} for {count} passages")
    if starts[0] != 0 or starts[-1] != count or np.any(np.diff(starts.astype(np.int64)) < 0) or passages.max() >= count:
        raise VectorsError(f"{folder} holds lists of other passages")  # FAISS would read what lies behind them
    index, quantizer = _empty(dimension, len(centres))
    quantizer.add(np.ascontiguousarray(centres, dtype=np.float32))
    _faiss.copy_array_to_vector(np.array(codebook, dtype=np.float32), index.pq.centroids)
    index.is_trained = True
    for number, (begin, end) in enumerate(zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)):
        ids = passages[begin:end].astype(np.int64)
        own = np.ascontiguousarray(codes[begin:end])
        index.invlists.add_entries(number, end - begin, _faiss.swig_ptr(ids), _faiss.swig_ptr(own))
    index.ntotal = count
    packed = _faiss.IndexIVFPQFastScan(index)
    return packed, quantizer
