"""Connections. autocommit: a single statement is its own transaction, several say `conn.transaction()`."""

import os
import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Any

import structlog
from psycopg import Connection, Error, OperationalError
from psycopg.pq import TransactionStatus
from psycopg_pool import PoolClosed, PoolTimeout

log = structlog.get_logger()

LOOK_EVERY_S = 0.2
PROBE_EVERY_S = 0.25  # while the database is away
LIVES_S = 3600.0  # then a connection is replaced: what the server keeps for it goes with it

Check = Callable[[Connection], None]


class DatabaseAway(PoolTimeout):
    """No connection came about lately: nobody waits for one before a probe has found the database again."""


class Pooled(Connection):
    """A connection of a pool."""

    born: float
    trust: int


class Lent(AbstractContextManager[Connection]):
    """A connection for the time of a block."""

    def __init__(self, pool: "Pool", timeout: float | None) -> None:
        self._pool, self._timeout = pool, timeout

    def __enter__(self) -> Connection:
        self._conn = self._pool.getconn(self._timeout)
        return self._conn

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.putconn(self._conn)


class Pool:
    """At most `max_size` connections, each made by the first who needs it: a command that needs no database never
    knocks at it. Lending costs microseconds, and nobody waits for a database that is known to be away.

    The connection given back last is lent first, so that few do the work and have their statements prepared.
    """

    def __init__(self, conninfo: str, *, max_size: int, timeout: float, name: str, **connecting: Any) -> None:
        self.conninfo, self.max_size, self.name = conninfo, max_size, name
        self._timeout, self._connecting = timeout, connecting
        self._idle: list[Pooled | None] = [None] * max_size  # None: one may be made
        self._room = threading.Condition()
        self._waiting = 0
        self._trust = 0  # what was made before the latest doubt is not lent again
        self._away = False
        self._closed = False
        self._check: Check | None = None
        self._within_s: float | None = None
        self._lent: dict[Pooled, float] = {}
        self._lent_lock = threading.Lock()
        self._stop = threading.Event()

    def check_first(self, check: Check) -> None:
        """From now on, lend nothing before a connection has passed `check`, once. What it raises, the borrower gets."""
        self._check = check
        self._trust += 1

    def cut_after(self, seconds: float) -> None:
        """From now on, hang up on whatever was lent for longer: its borrower gets an OperationalError.

        The server's own time-out does not help against a server, or a network, that answers nothing any more.
        """
        self._within_s = seconds
        threading.Thread(target=self._watch, name="pool-watch", daemon=True).start()

    def connection(self, timeout: float | None = None) -> Lent:
        """`with pool.connection() as conn:`. Raises as `getconn`."""
        return Lent(self, timeout)

    def getconn(self, timeout: float | None = None) -> Connection:
        """A connection, to be given back with `putconn`; `timeout` seconds are waited for others to give theirs back.

        Raises DatabaseAway at once while the database is away, PoolTimeout, PoolClosed.
        """
        conn = self._slot(self._timeout if timeout is None else timeout)
        try:
            if conn is None or not self._lives(conn):
                conn = self._connected()
        except BaseException:
            self._give(None)
            raise
        if self._within_s is not None:
            with self._lent_lock:
                self._lent[conn] = time.monotonic() + self._within_s
        return conn

    def putconn(self, conn: Connection) -> None:
        """Give a connection back. One that broke, or is left inside a transaction, is not lent again."""
        assert isinstance(conn, Pooled)
        if self._within_s is not None:
            with self._lent_lock:
                self._lent.pop(conn, None)
        if self._closed or conn.pgconn.transaction_status != TransactionStatus.IDLE:
            conn.close()
        self._give(None if conn.closed else conn)

    def close(self) -> None:
        """Close what is idle, and the rest when it is given back. Whoever asks from now on gets PoolClosed."""
        self._closed = True
        self._stop.set()
        for n, conn in enumerate(self._idle):
            if conn is not None:
                self._idle[n] = None
                conn.close()
        self._wake()

    @staticmethod
    def check_connection(conn: Connection) -> None:
        """Whether the server answers. Raises OperationalError."""
        conn.execute("")

    def _slot(self, timeout: float) -> Pooled | None:
        until: float | None = None
        while True:
            if self._closed:
                raise PoolClosed(f"the pool {self.name!r} is closed")
            with suppress(IndexError):
                return self._idle.pop()
            if self._away:
                raise DatabaseAway("the database is away")
            with self._room:
                self._waiting += 1  # before the second look: who gives back after it will see us waiting
                try:
                    until = until or time.monotonic() + timeout
                    left = until - time.monotonic()
                    if not self._idle and (left <= 0 or not self._room.wait(left)) and not self._idle:
                        raise PoolTimeout(f"no connection was given back within {timeout:.2f} s")
                finally:
                    self._waiting -= 1

    def _give(self, conn: Pooled | None) -> None:
        if conn is None:
            self._idle.insert(0, None)  # used only when none that lives is idle
        else:
            self._idle.append(conn)
        if self._waiting:
            with self._room:
                self._room.notify()

    def _wake(self) -> None:
        with self._room:
            self._room.notify_all()

    def _lives(self, conn: Pooled) -> bool:
        """Whether an idle connection may be lent; it is closed otherwise. Asks nothing of the server."""
        in_time = conn.trust == self._trust and time.monotonic() < conn.born + LIVES_S
        if in_time and not _hung_up(conn):
            return True
        conn.close()
        return False

    def _connected(self) -> Pooled:
        """A new connection, checked. Raises DatabaseAway, and lets nobody else try before the probe gets through."""
        if self._away:
            raise DatabaseAway("the database is away")
        try:
            return self._made()
        except OperationalError as error:
            with self._room:
                begins, self._away = not self._away, True
            if begins:
                log.error("database_away", pool=self.name, why=str(error))
                threading.Thread(target=self._probe, name="pool-probe", daemon=True).start()
                self._wake()
            raise DatabaseAway(str(error)) from error

    def _made(self) -> Pooled:
        conn = Pooled.connect(self.conninfo, **self._connecting)
        conn.born, conn.trust = time.monotonic(), self._trust
        if self._check is not None:
            try:
                self._check(conn)
            except BaseException:
                conn.close()
                raise
            self._check = None
        return conn

    def _probe(self) -> None:
        while not self._stop.wait(PROBE_EVERY_S):
            try:
                self._made().close()
            except Error:
                continue
            except Exception:  # the check: it will be asked, and told, again by who borrows next
                log.exception("database_not_ours", pool=self.name)
            self._away = False
            log.info("database_back", pool=self.name)
            return

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            now = time.monotonic()
            with self._lent_lock:
                for conn in [one for one, until in self._lent.items() if until <= now]:
                    del self._lent[conn]
                    self._trust += 1  # the server may have gone silent for all of them
                    _hang_up(conn)


def _hung_up(conn: Connection) -> bool:
    """Whether the server closed an idle connection: it has something to read."""
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
        max_size=size,
        timeout=1.0,
        name=name,
        autocommit=True,
        connect_timeout=2,
        prepare_threshold=1,
        application_name=name,
        options=f"-c statement_timeout={statement_timeout_ms} -c timezone=UTC -c plan_cache_mode=force_generic_plan",
    )
