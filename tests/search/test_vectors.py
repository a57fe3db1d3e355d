"""The nearest passages are found, exactly scored, and only among the allowed."""

from pathlib import Path

import numpy as np
import pytest

from search import vectors
from search.vectors import VectorIndex, VectorsError, write_lists

DIMENSION = 128


def unit(count: int, seed: int) -> "np.typing.NDArray[np.float32]":
    """Vectors in 40 groups, as texts about 40 topics; of far fewer directions than numbers, as those of texts are."""
    draw, fixed = np.random.default_rng(seed), np.random.default_rng(0)
    topics, spread = fixed.standard_normal((40, 32)), fixed.standard_normal((32, DIMENSION))
    made = (topics[draw.integers(0, 40, count)] + 0.7 * draw.standard_normal((count, 32))) @ spread
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture(scope="module", params=["whole", "lists"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp(str(request.param))
    np.save(path / "vectors.npy", unit(6000, 1).astype(np.float16))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(vectors, "EXACT_BELOW", 20_000 if request.param == "whole" else 100)
        write_lists(path)
    assert (path / "list-codes.npy").exists() == (request.param == "lists")
    return path


def stored(folder: Path) -> "np.typing.NDArray[np.float32]":
    return np.asarray(np.load(folder / "vectors.npy"), dtype=np.float32)


def test_nearly_all_of_the_ten_nearest_are_found_with_their_exact_scores(folder: Path) -> None:
    index, all_of_them = VectorIndex(folder), stored(folder)
    hits = 0
    for query in unit(200, 2):
        found = index.search(query, 10)
        exact = all_of_them @ query
        assert found.scores == pytest.approx(exact[found.rows], abs=1e-5)
        assert np.all(np.diff(found.scores) <= 0)
        hits += len(set(found.rows.tolist()) & set(np.argsort(-exact)[:10].tolist()))
    assert hits >= 0.98 * 2000


def test_rarely_allowed_passages_are_all_compared(folder: Path) -> None:
    index, all_of_them = VectorIndex(folder), stored(folder)
    rows = np.arange(7, 6000, 600)
    mask = np.zeros(6000, dtype=bool)
    mask[rows] = True
    allowed = np.packbits(mask, bitorder="little")
    for query in unit(20, 3):
        found = index.search(query, 50, allowed)
        assert found.rows.tolist() == rows[np.argsort(-(all_of_them[rows] @ query), kind="stable")].tolist()


def test_nothing_allowed_is_nothing_found(folder: Path) -> None:
    assert VectorIndex(folder).search(unit(1, 1)[0], 5, np.zeros(750, np.uint8)).rows.tolist() == []


def test_more_asked_for_than_there_is(tmp_path: Path) -> None:
    np.save(tmp_path / "vectors.npy", np.eye(3, dtype=np.float16))
    found = VectorIndex(tmp_path).search(np.array([0.6, 0.8, 0.0]), 10)
    assert found.rows.tolist() == [1, 0, 2]
    assert found.scores == pytest.approx([0.8, 0.6, 0.0], abs=1e-3)


def test_the_stored_vectors_are_read_by_row(folder: Path) -> None:
    assert VectorIndex(folder).read(np.array([5, 0, 5999])).tolist() == stored(folder)[[5, 0, 5999]].tolist()


def test_every_number_is_read_as_it_was_stored() -> None:
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    halves = every[np.isfinite(every)].reshape(-1, 64)
    read = VectorIndex.of(halves).read(np.arange(len(halves)))
    assert read.dtype == np.float32
    assert read.tobytes() == halves.astype(np.float32).tobytes()


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "vectors.npy", np.eye(3, dtype=np.float32))
    with pytest.raises(VectorsError, match="no rows of float16"):
        VectorIndex(tmp_path)
    np.save(tmp_path / "vectors.npy", np.eye(3, dtype=np.float16))
    for name in vectors.LIST_FILES:
        np.save(tmp_path / name, np.zeros((2, 2), np.float32))
    with pytest.raises(VectorsError, match="for 3 passages"):
        VectorIndex(tmp_path)
