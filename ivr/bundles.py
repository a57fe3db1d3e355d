"""Index bundles on this machine: put into the database in chunks, and fetched from there."""

import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg import Connection

from models import indexes
from search.index import BundleError, check, prune, read_manifest, settle

KEPT = 3  # bundles, here and in the database: the live one, and those a rollback goes back to
CHUNK_BYTES = 4 << 20
LEFT_FREE_BYTES = 64 << 20  # the database and the spool may write to the same disk
MANIFEST = "manifest.json"


def put(conn: Connection, root: Path, version: str) -> None:
    """Copy a bundle's files into the database, the manifest last. Raises `BundleError`, `OSError`."""
    names = read_manifest(root / version)["sha256"]
    for name in (*names, MANIFEST):
        with (root / version / name).open("rb") as file:
            place = 0
            while (content := file.read(CHUNK_BYTES)) or place == 0:
                indexes.put_chunk(conn, version, name, place, content)
                place += 1


def fetch(conn: Connection, root: Path, version: str) -> None:
    """Bring a bundle to this machine, unless it is here; what an earlier attempt brought is kept.

    One process of a machine fetches, the others wait for it. The bundle appears whole or not at all.
    Raises `BundleError` when the database has it not, or not as it was put, and `OSError`.
    """
    root.mkdir(parents=True, exist_ok=True)
    with _alone(root):
        if (root / version).is_dir():
            return
        draft = root / f".fetched-{version}"
        draft.mkdir(exist_ok=True)
        see_room(root, indexes.size_bytes(conn, version) - sum(file.stat().st_size for file in draft.iterdir()))
        _fetch_file(conn, version, MANIFEST, draft)
        manifest = _proven(draft, version)
        for name in manifest["sha256"]:
            if Path(name).name != name:
                raise BundleError(f"the manifest of {version} names a file outside of it")
            _fetch_file(conn, version, name, draft)
        try:
            check(draft, manifest)
        except BundleError:
            for name in manifest["sha256"]:  # begin anew: what is here is not what was put
                (draft / name).unlink(missing_ok=True)
            raise
        settle(draft, root / version)


def is_readable(conn: Connection, version: str) -> bool:
    """Whether what the database has of a version is in the format of this software, and its manifest is whole."""
    with tempfile.TemporaryDirectory() as name:
        try:
            _fetch_file(conn, version, MANIFEST, Path(name))
            read_manifest(Path(name), version)
        except BundleError:
            return False
    return True


def forget_old(conn: Connection, root: Path) -> None:
    """Delete the bundles on this machine that no rollback goes back to any more. One that the database does not know
    stays: it may be just built."""
    old = frozenset(indexes.outdated(conn, indexes.kept(conn, KEPT)))
    prune(root, old.__contains__)


def see_room(root: Path, needed: int) -> None:
    """Raises `OSError` where so many bytes more would fill the disk."""
    free = shutil.disk_usage(root).free
    if needed + LEFT_FREE_BYTES > free:
        why = f"{needed + LEFT_FREE_BYTES:,} bytes must be free for the index, and {free:,} are"
        raise OSError(errno.ENOSPC, why, str(root))


def _proven(draft: Path, version: str) -> "dict[str, dict[str, str]]":
    try:
        return read_manifest(draft, version)
    except BundleError:
        (draft / MANIFEST).unlink(missing_ok=True)
        raise


def _fetch_file(conn: Connection, version: str, name: str, draft: Path) -> None:
    """Append the chunks that are missing. A half chunk, left by a process that was killed, is cut off."""
    with (draft / name).open("ab") as file:
        place = file.tell() // CHUNK_BYTES
        file.truncate(place * CHUNK_BYTES)
        while (chunk := indexes.chunk(conn, version, name, place)) is not None:
            if hashlib.sha256(chunk.content).digest() != chunk.sha256:
                raise BundleError(f"chunk {place} of {name} of {version} is damaged in the database")
            file.write(chunk.content)
            place += 1
        file.flush()
        os.fsync(file.fileno())
    if place == 0:
        raise BundleError(f"the files of index {version} are neither here nor in the database: build the index again")


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def remove(root: Path, version: str) -> None:
    """Take a damaged bundle away, that it can be fetched again."""
    with _alone(root):
        shutil.rmtree(root / version)
