"""The search index as a bundle: a folder of plain arrays and a manifest, never changed once written.

    <version>/vectors.npy      float16 (passages, dimension), unit length; beside it the lists of `search.vectors`
    <version>/passages.npy     16 bytes of each passage's text: a next build takes over the vector of one that stayed
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
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import compress, islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from search import soundness
from search.article import Article
from search.bundle import ARRAYS, Bundle, Collected, Evidence, bundle_of, passages, views
from search.encoder import Encoder
from search.hubs import neighbourhood
from search.vectors import VectorIndex, list_files, write_lists

FORMAT = 4
BEFORE = 3  # the same without PASSAGES
PASSAGES = "passages.npy"
DIGEST = np.dtype("S16")
FILES = ("vectors.npy", PASSAGES, *(f"{name}.npy" for name in ARRAYS), "names.json", "model.json", "calibration.json")
ARTICLES_PER_STEP = 64
TOLD = {
    **dict.fromkeys(("format", "dimension", "articles", "passages"), int),
    **dict.fromkeys(("version", "model_id"), str),
    "sha256": dict,
}

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
    before: Path | None = None,
) -> tuple[str, int]:
    """Encode `articles` into a new bundle below `root`: (version, number of articles).

    The vectors of passages that the bundle `before` has of the same encoder are taken over.

    The bundle appears under its version only when complete and on disk; a crash leaves a folder that
    begins with a dot. Raises `BundleError` when there is no article, `OSError` when the disk refuses.
    """
    collected, known = Collected(), _Known(before, encoder)
    parts: list[npt.NDArray[np.float16]] = []
    digests: list[bytes] = []
    for group in _groups(articles, ARTICLES_PER_STEP):
        pieces = [passages(article) for article in group]
        texts = [text for own in pieces for _, text in own]
        digests += map(_digest, texts)
        parts.append(known.vectors(texts, digests[-len(texts) :]))
        for article, own in zip(group, pieces, strict=True):
            collected.add(article, (evidence or {}).get(article.id, Evidence()), [kind for kind, _ in own])
        if progress:
            progress(len(group))
    count = len(collected)
    version = write(root, collected, parts, encoder.model_id, model=model, calibration=calibration, digests=digests)
    return version, count


class _Known:
    """The vectors of an earlier bundle by their passages' texts: most of a community stays as it is from one build to
    the next, and encoding takes nearly all of a build's time."""

    def __init__(self, folder: Path | None, encoder: Encoder) -> None:
        self._encoder = encoder
        self._digests, self._stored = np.zeros(0, DIGEST), np.zeros((0, encoder.dimension), np.float16)
        if folder is not None:
            with suppress(BundleError):  # damaged, gone, of another format: then all is encoded
                self._read(folder)
        self._order = np.argsort(self._digests)

    def _read(self, folder: Path) -> None:
        manifest = read_manifest(folder)
        if manifest["model_id"] == self._encoder.model_id and PASSAGES in manifest["sha256"]:
            check(folder, manifest)
            self._digests = np.load(folder / PASSAGES, allow_pickle=False)
            self._stored = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)

    def vectors(self, texts: Sequence[str], digests: Sequence[bytes]) -> npt.NDArray[np.float16]:
        """Those of `texts`, float16 (texts, dimension); `digests` are theirs."""
        if not len(self._order):
            return self._encoder.encode(texts).astype(np.float16)
        wanted = np.array(digests, DIGEST)
        places = np.searchsorted(self._digests, wanted, sorter=self._order)
        rows = self._order[np.minimum(places, len(self._order) - 1)]
        new = self._digests[rows] != wanted
        found = np.array(self._stored[rows])
        if new.any():
            found[new] = self._encoder.encode(list(compress(texts, new))).astype(np.float16)
        return found


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST.itemsize).digest()


def write(
    root: Path,
    collected: Collected,
    vectors: Sequence[npt.NDArray[np.float16]],
    model_id: str,
    *,
    model: Mapping[str, Any] | None = None,
    calibration: Mapping[str, Any] | None = None,
    digests: Sequence[bytes] = (),
    threads: int = 2,
    progress: Progress | None = None,
) -> str:
    """Write a bundle of what was collected and its passages' vectors, in order and in parts; its version. `digests`
    are those of the passages' texts: without them no later build can take the vectors over.

    `progress` is told of the passages of a large community as they are sorted into lists.
    """
    if not len(collected):
        raise BundleError("there is no live article to build an index from")
    created = datetime.now(UTC)
    version = f"{created:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    count = sum(map(len, vectors))
    with _drafted(root / version) as draft:
        _save_vectors(draft, vectors, count)
        write_lists(draft, threads, progress)
        arrays = collected.arrays()
        stored = np.load(draft / "vectors.npy", mmap_mode="r", allow_pickle=False)
        near = neighbourhood(stored, *views(arrays["owners"], arrays["kinds"]))
        np.save(draft / PASSAGES, np.array(digests, DIGEST), allow_pickle=False)
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
    return version


@contextmanager
def _drafted(folder: Path) -> Iterator[Path]:
    """A folder beside, to be filled; filled, it becomes `folder`. One that cannot be filled goes: a disk that was full
    would stay so."""
    draft = folder.with_name(f".{folder.name}")
    draft.mkdir(parents=True)
    try:
        yield draft
        settle(draft, folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


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
        soundness.see_arrays(arrays)
        soundness.see_weights(model, calibration)
        vectors = VectorIndex(folder)
        if vectors.dimension != dimension:
            raise ValueError(f"holds vectors of {vectors.dimension} numbers")
        soundness.see_vectors(vectors)
        return bundle_of(folder.name, model_id, arrays, names, vectors, model, calibration)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BundleError(f"{folder} {error}: build the index again") from error


def check(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Compare every file of a bundle with its manifest. Raises `BundleError`."""
    named = {*FILES, *list_files(manifest["passages"])} - ({PASSAGES} if manifest["format"] == BEFORE else set())
    if set(manifest["sha256"]) != named:
        raise BundleError(f"{folder} lists other files than an index has: build the index again")
    for name, known in manifest["sha256"].items():
        if _sha256(folder / name) != known:
            raise BundleError(f"{folder / name} is damaged (SHA-256 differs): build the index again")


def verify(folder: Path) -> dict[str, Any]:
    """Check every file of a bundle, of whatever model; its manifest. Raises `BundleError`."""
    manifest = read_manifest(folder)
    load(folder, manifest["model_id"], manifest["dimension"])
    return manifest


def prune(root: Path, is_old: Callable[[str], bool]) -> list[str]:
    """Delete the bundles whose version `is_old`, and unfinished ones a day old; the names deleted."""
    yesterday = datetime.now(UTC).timestamp() - 86_400
    gone = []
    for folder in sorted(root.iterdir()):
        with suppress(OSError):  # another process was faster, or it is not ours to delete
            unfinished = folder.name.startswith(".")
            if folder.is_dir() and (folder.stat().st_mtime < yesterday if unfinished else is_old(folder.name)):
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
    if not all(isinstance(manifest.get(name), kind) for name, kind in TOLD.items()):
        raise BundleError(f"{folder / 'manifest.json'} does not tell what an index does: build the index again")
    if manifest["format"] not in (BEFORE, FORMAT) or manifest["version"] != (version or folder.name):
        kind = OtherBundle if manifest["version"] == (version or folder.name) else BundleError
        raise kind(
            f"{folder} holds version {manifest['version']} in format {manifest['format']}, "
            f"not in format {FORMAT}: build the index again"
        )
    return dict(manifest)


def _save_vectors(draft: Path, parts: Sequence[npt.NDArray[np.float16]], count: int) -> None:
    """Written, not mapped: a full disk kills who writes to a mapped file."""
    head = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.float16)), "fortran_order": False}
    with (draft / "vectors.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {**head, "shape": (count, parts[0].shape[1])})
        for part in parts:
            file.write(np.ascontiguousarray(part, np.float16).data)


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
