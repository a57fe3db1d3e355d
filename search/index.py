"""The search index as a bundle: a folder of vectors, article ids and a manifest, never changed once written.

    <version>/vectors.npy      float32 (passages, dimension), unit length, an article's passages together
    <version>/articles.json    one [id, language, [tags], number of passages] per article, in that order
    <version>/manifest.json    model, counts, and the SHA-256 of the other two and of itself

Vectors are kept as .npy and put into FAISS while loading: a FAISS file is read without any check.
"""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from search.article import Article
from search.encoder import Encoder, Vectors

FORMAT = 1
FILES = ("vectors.npy", "articles.json")
ARTICLES_PER_STEP = 64

Progress = Callable[[int], None]  # how many articles were encoded since the last call


class BundleError(ValueError):
    """A bundle is damaged, incomplete or was made for something else; it must not be served."""


@dataclass(frozen=True)
class Bundle:
    """A loaded index. `owners[passage]` is the position of the passage's article in the tuples."""

    version: str
    model_id: str
    ids: tuple[str, ...]
    languages: tuple[str, ...]
    tags: tuple[frozenset[str], ...]
    owners: "np.typing.NDArray[np.int64]"
    passages: faiss.IndexFlatIP


def passages(article: Article) -> list[str]:
    """The pieces of an article that are embedded: its title, and what the asker and the answers say."""
    body = "\n".join(text for text in (article.question, *(answer.text for answer in article.answers)) if text)
    return [article.title, body] if body else [article.title]


def build(
    articles: Iterable[Article], encoder: Encoder, root: Path, progress: Progress | None = None
) -> tuple[str, int]:
    """Encode `articles` into a new bundle below `root`: (version, number of articles).

    The bundle appears under its version only when complete and on disk; a crash leaves a folder that
    begins with a dot. Raises `BundleError` when there is no article, `OSError` when the disk refuses.
    """
    rows: list[list[Any]] = []
    parts: list[Vectors] = []
    for group in _groups(articles, ARTICLES_PER_STEP):
        texts = [passages(article) for article in group]
        parts.append(encoder.encode([passage for own in texts for passage in own]))
        rows += [
            [article.id, article.language, list(article.tags), len(own)]
            for article, own in zip(group, texts, strict=True)
        ]
        if progress:
            progress(len(group))
    if not rows:
        raise BundleError("there is no live article to build an index from")
    return _write(root, rows, np.concatenate(parts), encoder.model_id), len(rows)


def load(folder: Path, model_id: str, dimension: int) -> Bundle:
    """Read and check a bundle. Raises `BundleError` for one that is damaged or of another model."""
    manifest = _manifest(folder)
    if (manifest["model_id"], manifest["dimension"]) != (model_id, dimension):
        raise BundleError(
            f"{folder} was built with {manifest['model_id']} ({manifest['dimension']} numbers a vector), "
            f"not with {model_id} ({dimension}): build the index again"
        )
    for name in FILES:
        if _sha256(folder / name) != manifest["sha256"][name]:
            raise BundleError(f"{folder / name} is damaged (SHA-256 differs): build the index again")
    rows: list[list[Any]] = json.loads((folder / "articles.json").read_text("utf-8"))
    vectors = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
    owners = np.repeat(np.arange(len(rows)), [row[3] for row in rows])
    if vectors.shape != (len(owners), dimension) or vectors.dtype != np.float32:
        raise BundleError(f"{folder} holds {vectors.shape} vectors for {len(owners)} passages")
    flat = faiss.IndexFlatIP(dimension)
    flat.add(vectors)
    return Bundle(
        version=folder.name,
        model_id=model_id,
        ids=tuple(row[0] for row in rows),
        languages=tuple(row[1] for row in rows),
        tags=tuple(frozenset(row[2]) for row in rows),
        owners=owners,
        passages=flat,
    )


def verify(folder: Path) -> dict[str, Any]:
    """Check every file of a bundle, of whatever model; its manifest. Raises `BundleError`."""
    manifest = _manifest(folder)
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


def _write(root: Path, rows: list[list[Any]], vectors: Vectors, model_id: str) -> str:
    created = datetime.now(UTC)
    version = f"{created:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    draft = root / f".{version}"
    draft.mkdir(parents=True)
    with (draft / "vectors.npy").open("wb") as file:
        np.save(file, vectors, allow_pickle=False)
        _sync(file.fileno())
    _write_text(draft / "articles.json", json.dumps(rows))
    manifest = {
        "format": FORMAT,
        "version": version,
        "created": created.isoformat(),
        "model_id": model_id,
        "dimension": int(vectors.shape[1]),
        "articles": len(rows),
        "passages": len(vectors),
        "sha256": {name: _sha256(draft / name) for name in FILES},
    }
    _write_text(draft / "manifest.json", _sealed(manifest))
    _sync_folder(draft)
    draft.rename(root / version)
    _sync_folder(root)
    return version


def _manifest(folder: Path) -> dict[str, Any]:
    """The manifest, its own seal checked. Raises `BundleError`."""
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
    if manifest["format"] != FORMAT or manifest["version"] != folder.name:
        raise BundleError(f"{folder} holds version {manifest['version']} in format {manifest['format']}")
    return dict(manifest)


def _sealed(manifest: dict[str, Any]) -> str:
    """The manifest's text with the SHA-256 of its contents."""
    seal = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    return json.dumps({**manifest, "seal": seal}, indent=2)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}") from error


def _write_text(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        _sync(file.fileno())


def _sync(descriptor: int) -> None:
    os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def _groups(articles: Iterable[Article], size: int) -> Iterator[list[Article]]:
    source = iter(articles)
    while group := list(islice(source, size)):
        yield group
