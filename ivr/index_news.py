"""The index this process searches: the live one, and beside it what changed since it was built."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog
from psycopg import Connection

from ivr import bundles
from models import articles, indexes
from search.bundle import Bundle, Evidence
from search.encoder import Encoder
from search.finder import Finder
from search.fresh import Delta, Fresh
from search.holder import FinderHolder
from search.index import BundleError, OtherBundle, load

log = structlog.get_logger()

MOST_FRESH = 2000  # changed articles a process keeps beside the index; the worker builds a new one long before
ENCODED_AT_ONCE = 16  # then searches get the processor
TOLD_EVERY_S = 30.0


class _Followed:
    """An index in use, and what changed since the articles in it were read."""

    def __init__(self, finder: Finder, encoder: Encoder, read_at: str, before: "_Followed | None") -> None:
        self.finder = finder
        self._fresh: Fresh = Fresh(finder.bundle, encoder, before._fresh if before else None)
        self._read_at = read_at
        self._untold = False

    def changes(self, conn: Connection) -> Iterator[Delta]:
        """What there is to be found beside the index, each time that this is more. What is gone, and what was encoded
        for the index before, is told at once; what is new is encoded a few at a time."""
        seen = indexes.snapshot(conn)
        changes = indexes.changed_since(conn, self._read_at, MOST_FRESH)
        new = []
        for article_id, content in self._fresh.unknown(changes).items():
            if content is None:
                self._fresh.withdraw(article_id)
            elif not self._fresh.take_over(article_id, content):
                new.append((article_id, content))
                continue
            self._untold = True
        if self._untold:
            yield self._told()
        room = max(0, MOST_FRESH - len(self._fresh))
        for begin in range(0, min(room, len(new)), ENCODED_AT_ONCE):
            for article_id, content in new[begin : min(room, begin + ENCODED_AT_ONCE)]:
                article = articles.read(conn, article_id)
                if article is not None:
                    self._fresh.put(article, content, Evidence())
                    self._untold = True
            yield self._told()
        if len(changes) < MOST_FRESH and len(new) <= room:
            self._read_at = seen

    def _told(self) -> Delta:
        self._untold = False
        return self._fresh.delta()


class IndexNews:
    """Follows the live index and the articles that change. One thread may bring indexes while another follows changes:
    those are found meanwhile, however long it takes to fetch and load an index."""

    def __init__(self, finders: FinderHolder, root: Path, connect: Callable[[], Connection]) -> None:
        """`connect` gives a connection of its own: fetching an index takes longer than a web page may."""
        self._finders, self._root, self._connect = finders, root, connect
        self._followed: _Followed | None = None
        self._told: tuple[str, float] = ("", 0.0)
        self._bringing, self._following, self._swapping = threading.Lock(), threading.Lock(), threading.Lock()

    def look(self, encoder: Encoder) -> None:
        """`bring`, then `follow`."""
        self.bring(encoder)
        self.follow()

    def bring(self, encoder: Encoder, *, fetching: bool = True) -> None:
        """Bring the live index into use if it is another than before, fetched from the database where it is not on this
        machine (unless it is not `fetching`). Raises `BundleError` (then the one in use stays), `OSError` and database
        errors."""
        with self._bringing, self._connect() as conn:
            live = indexes.current(conn)
            if live is None or (self._followed and live.version == self._followed.finder.version):
                return
            if not (fetching or (self._root / live.version).is_dir()):
                return
            finder = Finder(self._loaded(conn, live.version, encoder, fetching=fetching), encoder)
            followed = _Followed(finder, encoder, live.read_at or "0", self._followed)
            if (
                self._followed is not None
            ):  # what is found beside the one before is found beside this one from its start
                finder = next((finder.with_delta(delta) for delta in followed.changes(conn)), finder)
            with self._swapping:
                self._followed = followed
                self._finders.swap(finder)
            log.info("index_in_use", version=live.version)
            bundles.forget_old(conn, self._root)

    def _loaded(self, conn: Connection, version: str, encoder: Encoder, *, fetching: bool) -> Bundle:
        folder = self._root / version
        if not folder.is_dir():
            self._fetch(conn, version)
        try:
            return load(folder, encoder.model_id, encoder.dimension)
        except OtherBundle:
            raise  # others on this machine may serve it, as while a new model or release is put in place
        except BundleError:
            if not fetching:
                raise
            log.exception("index_damaged", version=version)
            if folder.is_dir():
                bundles.remove(self._root, version)
            self._fetch(conn, version)
            return load(folder, encoder.model_id, encoder.dimension)

    def _fetch(self, conn: Connection, version: str) -> None:
        bundles.fetch(conn, self._root, version)
        log.info("index_fetched", version=version)

    def follow(self) -> None:
        """Find what changed since the index in use was built, from now on. Raises database errors."""
        followed = self._followed
        if followed is None:
            return
        with self._following, self._connect() as conn:
            for delta in followed.changes(conn):
                with self._swapping:
                    if self._followed is not followed:
                        return
                    self._finders.swap(followed.finder.with_delta(delta))
            self._tell(conn, followed.finder.version)

    def _tell(self, conn: Connection, version: str) -> None:
        told, at = self._told
        if told != version or time.monotonic() - at > TOLD_EVERY_S:
            indexes.note_use(conn, f"{socket.gethostname()}:{os.getpid()}", version)
            self._told = (version, time.monotonic())
