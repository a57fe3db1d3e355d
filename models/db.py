"""Connections. autocommit: a single statement is its own transaction, several say `conn.transaction()`."""

import os
import select
import socket
import threading
import time
from contextlib import suppress
from typing import Any

from psycopg import Connection, Error
from psycopg_pool import ConnectionPool

LOOK_EVERY_S = 0.2


class Pool(ConnectionPool[Connection]):
    """A pool that connects when first asked: a command that needs no database never knocks at it.

    Connections that the server has hung up on are replaced before anybody is given one.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._within_s: float | None = None
        self._lent: dict[Connection, float] = {}
        self._lent_lock = threading.Lock()
        self._stop = threading.Event()

    def cut_after(self, seconds: float) -> None:
        """From now on, hang up on whatever was lent for longer: its borrower gets an OperationalError.

        The server's own time-out does not help against a server, or a network, that answers nothing any more.
        """
        self._within_s = seconds
        threading.Thread(target=self._watch, name="pool-watch", daemon=True).start()

    def getconn(self, timeout: float | None = None) -> Connection:
        """A connection, as the library's own. Raises PoolTimeout."""
        if not self._opened:
            self.open()
        conn = super().getconn(timeout)
        for _ in range(self.max_size):
            if not _hung_up(conn):
                break
            conn.close()
            super().putconn(conn)
            conn = super().getconn(timeout)
        if self._within_s is not None:
            with self._lent_lock:
                self._lent[conn] = time.monotonic() + self._within_s
        return conn

    def putconn(self, conn: Connection) -> None:
        """Give a connection back, as the library's own."""
        if self._within_s is not None:
            with self._lent_lock:
                self._lent.pop(conn, None)
        super().putconn(conn)

    def close(self, timeout: float = 5.0) -> None:
        """As the library's own."""
        self._stop.set()
        super().close(timeout)

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            now = time.monotonic()
            with self._lent_lock:
                for conn in [one for one, until in self._lent.items() if until <= now]:
                    del self._lent[conn]
                    _hang_up(conn)


def _hung_up(conn: Connection) -> bool:
    """Whether the server closed an idle connection: it has something to read. Asks nothing of the server."""
    if conn.closed:
        return True
    waiting = select.poll()
    waiting.register(conn.pgconn.socket, select.POLLIN)
    return bool(waiting.poll(0))


def _hang_up(conn: Connection) -> None:
    """End a connection under the hands of the thread that waits for it. Closing is left to that thread."""
    with suppress(OSError, Error), socket.socket(fileno=os.dup(conn.pgconn.socket)) as line:
        line.shutdown(socket.SHUT_RDWR)


def open_pool(database_url: str, *, size: int, statement_timeout_ms: int, name: str) -> Pool:
    """A pool of at most `size` connections that gives up on a statement after `statement_timeout_ms` and on a
    connection after one second. A database that is away does not keep the process from starting."""
    return Pool(
        database_url,
        connection_class=Connection,
        min_size=1,
        max_size=size,
        timeout=1.0,
        reconnect_timeout=30.0,
        kwargs={
            "autocommit": True,
            "connect_timeout": 2,
            "prepare_threshold": 1,
            "application_name": name,
            "options": f"-c statement_timeout={statement_timeout_ms} -c timezone=UTC"
            " -c plan_cache_mode=force_generic_plan",
        },
        name=name,
        open=False,
    )
