"""The search index as a bundle: a folder of plain arrays and a manifest, never changed once written.

    <version>/vectors.npy      float16 (passages, dimension), unit length; beside it the lists of `search.vectors`
    <version>/*.npy            the arrays of `search.bundle`
    <version>/names.json       languages and tags by number
    <version>/model.json       how the finder ranks; calibration.json: how it knows what it knows
    <version>/manifest.json    model, counts, and the SHA-256 of the others and of itself

Arrays are `.npy` files read without pickle: a FAISS file is read without any check.
"""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from search.article import Article
from search.bundle import ARRAYS, Bundle, Collected, Evidence, bundle_of, passages, views
from search.encoder import Encoder
from search.hubs import neighbourhood
from search.vectors import VectorIndex, list_files, write_lists

FORMAT = 3
FILES = ("vectors.npy", *(f"{name}.npy" for name in ARRAYS), "names.json", "model.json", "calibration.json")
ARTICLES_PER_STEP = 64

Progress = Callable[[int], None]  # how many articles were encoded since the last call


class BundleError(ValueError):
    """A bundle is damaged, incomplete or was made for something else; it must not be served."""


class OtherBundle(BundleError):
    """A bundle of another model or format: sound for those who have that one."""


def build(
    articles: Iterable[Article],
    encoder: Encoder,
    root: Path,
    progress: Progress | None = None,
    *,
    evidence: Mapping[str, Evidence] | None = None,
    model: Mapping[str, Any] | None = None,
    calibration: Mapping[str, Any] | None = None,
) -> tuple[str, int]:
    """Encode `articles` into a new bundle below `root`: (version, number of articles).

    The bundle appears under its version only when complete and on disk; a crash leaves a folder that
    begins with a dot. Raises `BundleError` when there is no article, `OSError` when the disk refuses.
    """
    collected = Collected()
    parts: list[npt.NDArray[np.float16]] = []
    for group in _groups(articles, ARTICLES_PER_STEP):
        pieces = [passages(article) for article in group]
        parts.append(encoder.encode([text for own in pieces for _, text in own]).astype(np.float16))
        for article, own in zip(group, pieces, strict=True):
            collected.add(article, (evidence or {}).get(article.id, Evidence()), [kind for kind, _ in own])
        if progress:
            progress(len(group))
    count = len(collected)
    return write(root, collected, parts, encoder.model_id, model=model, calibration=calibration), count


def write(
    root: Path,
    collected: Collected,
    vectors: Sequence[npt.NDArray[np.float16]],
    model_id: str,
    *,
    model: Mapping[str, Any] | None = None,
    calibration: Mapping[str, Any] | None = None,
    threads: int = 2,
    progress: Progress | None = None,
) -> str:
    """Write a bundle of what was collected and its passages' vectors, in order and in parts; its version.

    `progress` is told of the passages of a large community as they are sorted into lists.
    """
    if not len(collected):
        raise BundleError("there is no live article to build an index from")
    created = datetime.now(UTC)
    version = f"{created:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    draft = root / f".{version}"
    draft.mkdir(parents=True)
    count = sum(map(len, vectors))
    _save_vectors(draft, vectors, count)
    write_lists(draft, threads, progress)
    arrays = collected.arrays()
    stored = np.load(draft / "vectors.npy", mmap_mode="r", allow_pickle=False)
    near = neighbourhood(stored, *views(arrays["owners"], arrays["kinds"]))
    for name, array in {**arrays, "hubs": near.hubs}.items():
        np.save(draft / f"{name}.npy", array, allow_pickle=False)
    for name, content in (
        ("names", {**collected.names, "density": near.density}),
        ("model", model or {}),
        ("calibration", calibration or {}),
    ):
        (draft / f"{name}.json").write_text(json.dumps(content), "utf-8")
    names = (*FILES, *list_files(count))
    for name in names:
        _sync_path(draft / name)
    manifest = {
        "format": FORMAT,
        "version": version,
        "created": created.isoformat(),
        "model_id": model_id,
        "dimension": int(vectors[0].shape[1]),
        "articles": len(collected),
        "passages": count,
        "sha256": {name: _sha256(draft / name) for name in names},
    }
    (draft / "manifest.json").write_text(_sealed(manifest), "utf-8")
    _sync_path(draft / "manifest.json")
    settle(draft, root / version)
    return version


def settle(draft: Path, folder: Path) -> None:
    """Give a complete draft its name, in one step and for good. Raises `OSError`."""
    _sync_path(draft)
    draft.rename(folder)
    _sync_path(folder.parent)


def load(folder: Path, model_id: str, dimension: int) -> Bundle:
    """Read and check a bundle. Raises `BundleError` for one that is damaged or of another model."""
    manifest = read_manifest(folder)
    if (manifest["model_id"], manifest["dimension"]) != (model_id, dimension):
        raise OtherBundle(
            f"{folder} was built with {manifest['model_id']} ({manifest['dimension']} numbers a vector), "
            f"not with {model_id} ({dimension}): build the index again"
        )
    check(folder, manifest)
    try:
        # plain views of the mapped files: a slice of a memmap costs ten times that of an array
        arrays = {
            name: np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)) for name in ARRAYS
        }
        names, model, calibration = (
            json.loads((folder / f"{name}.json").read_text("utf-8")) for name in ("names", "model", "calibration")
        )
        vectors = VectorIndex(folder)
        if vectors.dimension != dimension:
            raise ValueError(f"holds vectors of {vectors.dimension} numbers")
        return bundle_of(folder.name, model_id, arrays, names, vectors, model, calibration)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BundleError(f"{folder} {error}: build the index again") from error


def check(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Compare every file of a bundle with its manifest. Raises `BundleError`."""
    if set(manifest["sha256"]) != {*FILES, *list_files(manifest["passages"])}:
        raise BundleError(f"{folder} lists other files than an index has: build the index again")
    for name, known in manifest["sha256"].items():
        if _sha256(folder / name) != known:
            raise BundleError(f"{folder / name} is damaged (SHA-256 differs): build the index again")


def verify(folder: Path) -> dict[str, Any]:
    """Check every file of a bundle, of whatever model; its manifest. Raises `BundleError`."""
    manifest = read_manifest(folder)
    load(folder, manifest["model_id"], manifest["dimension"])
    return manifest


def prune(root: Path, keep: Iterable[str]) -> list[str]:
    """Delete the bundles that are not in `keep`, and unfinished ones a day old; the names deleted."""
    kept = set(keep)
    old = datetime.now(UTC).timestamp() - 86_400
    gone = []
    for folder in sorted(root.iterdir()):
        unfinished = folder.name.startswith(".")
        if folder.is_dir() and (folder.stat().st_mtime < old if unfinished else folder.name not in kept):
            shutil.rmtree(folder)
            gone.append(folder.name)
    return gone


def read_manifest(folder: Path, version: str | None = None) -> dict[str, Any]:
    """The manifest, its own seal checked, of the version that gives the folder its name unless another is told.

    Raises `BundleError`.
    """
    try:
        text = (folder / "manifest.json").read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(f"{folder} is not an index: manifest.json cannot be read") from error
    try:
        manifest = json.loads(text)
        given = manifest.pop("seal", None)
        intact = given is not None and _sealed(manifest) == text
    except (ValueError, RecursionError, AttributeError, TypeError) as error:
        raise BundleError(f"{folder / 'manifest.json'} is damaged: build the index again") from error
    if not intact:
        raise BundleError(f"{folder / 'manifest.json'} is damaged (its seal differs): build the index again")
    if manifest["format"] != FORMAT or manifest["version"] != (version or folder.name):
        kind = OtherBundle if manifest["version"] == (version or folder.name) else BundleError
        raise kind(
            f"{folder} holds version {manifest['version']} in format {manifest['format']}, "
            f"not in format {FORMAT}: build the index again"
        )
    return dict(manifest)


def _save_vectors(draft: Path, parts: Sequence[npt.NDArray[np.float16]], count: int) -> None:
    shape = (count, parts[0].shape[1])
    file = np.lib.format.open_memmap(draft / "vectors.npy", "w+", np.float16, shape)
    begin = 0
    for part in parts:
        file[begin : begin + len(part)] = part
        begin += len(part)
    file.flush()


def _sealed(manifest: Mapping[str, Any]) -> str:
    """The manifest's text with the SHA-256 of its contents."""
    seal = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    return json.dumps({**manifest, "seal": seal}, indent=2)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}") from error


def _sync(descriptor: int) -> None:
    os.fsync(descriptor)


def _sync_path(path: Path) -> None:
    """See a file or folder onto the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def _groups(articles: Iterable[Article], size: int) -> Iterator[list[Article]]:
    source = iter(articles)
    while group := list(islice(source, size)):
        yield group
