"""The index this process searches: the live one, and beside it what changed since it was built."""

import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from psycopg import Connection

from ivr import bundles
from models import articles, indexes
from search.bundle import Evidence
from search.encoder import Encoder
from search.finder import FinderHolder
from search.fresh import Fresh
from search.index import BundleError, OtherBundle

log = structlog.get_logger()

MOST_FRESH = 2000  # changed articles a process keeps beside the index; the worker builds a new one long before
ENCODED_AT_ONCE = 16  # then searches get the processor
TOLD_EVERY_S = 30.0


class IndexNews:
    """Follows the live index and the articles that change. One thread looks at a time."""

    def __init__(self, finders: FinderHolder, root: Path, connect: Callable[[], Connection]) -> None:
        """`connect` gives a connection of its own: fetching an index takes longer than a web page may."""
        self._finders, self._root, self._connect = finders, root, connect
        self._fresh: Fresh | None = None
        self._read_at = "0"
        self._told: tuple[str, float] = ("", 0.0)
        self._looking = threading.Lock()

    def look(self, encoder: Encoder) -> None:
        """Bring the live index into use if it is another than before, then the changes since. Raises `BundleError`
        (then the one in use stays), `OSError` and database errors."""
        with self._looking, self._connect() as conn:
            live = indexes.current(conn)
            if live is None:
                return
            if live.version != self._finders.version:
                self._bring(conn, live.version, encoder)
            finder = self._finders.current()
            assert finder is not None
            if self._fresh is None or self._fresh.version != live.version:
                self._fresh, self._read_at = Fresh(finder.bundle, encoder), live.read_at or "0"
            self._take_changes(conn, self._fresh)
            self._tell(conn, live.version)

    def _bring(self, conn: Connection, version: str, encoder: Encoder) -> None:
        try:
            if not (self._root / version).is_dir():
                self._fetch(conn, version)
            self._finders.load(self._root / version, encoder)
        except OtherBundle:
            raise  # others on this machine may serve it, as while a new model or release is put in place
        except BundleError:
            log.exception("index_damaged", version=version)
            if (self._root / version).is_dir():
                bundles.remove(self._root, version)
            self._fetch(conn, version)
            self._finders.load(self._root / version, encoder)
        log.info("index_in_use", version=version)

    def _fetch(self, conn: Connection, version: str) -> None:
        bundles.fetch(conn, self._root, version)
        log.info("index_fetched", version=version)

    def _take_changes(self, conn: Connection, fresh: Fresh) -> None:
        """What is gone is gone at once; what is new is encoded a few at a time."""
        seen = indexes.snapshot(conn)
        changes = indexes.changed_since(conn, self._read_at, MOST_FRESH)
        news = fresh.unknown(changes)
        for article_id in [one for one, content in news.items() if content is None]:
            fresh.withdraw(article_id)
        new = [one for one, content in news.items() if content is not None][: max(0, MOST_FRESH - len(fresh))]
        for begin in range(0, len(new), ENCODED_AT_ONCE):
            for article_id in new[begin : begin + ENCODED_AT_ONCE]:
                article = articles.read(conn, article_id)
                if article is not None:
                    fresh.put(article, news[article_id] or "", Evidence())
            self._finders.refresh(fresh.delta())
        if news and not new:
            self._finders.refresh(fresh.delta())
        if len(changes) < MOST_FRESH:
            self._read_at = seen

    def _tell(self, conn: Connection, version: str) -> None:
        told, at = self._told
        if told != version or time.monotonic() - at > TOLD_EVERY_S:
            indexes.note_use(conn, f"{socket.gethostname()}:{os.getpid()}", version)
            self._told = (version, time.monotonic())
