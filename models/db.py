"""Connections. autocommit: a single statement is its own transaction, several say `conn.transaction()`."""

import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from psycopg import Connection, Error, OperationalError
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool, PoolTimeout

log = structlog.get_logger()

LOOK_EVERY_S = 0.1
KNOCK_EVERY_S = 0.25  # while the database is away

PATIENT_S = 180.0  # for what a person waits for
#: connections whose borrowers need longer -> from when their time is counted
_patient: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()

Check = Callable[[Connection], None]


@contextmanager
def patient(conn: Connection) -> Iterator[None]:
    """Have no pool hang up on `conn` for PATIENT_S; see `Pool.cut_after`, whose time begins anew afterwards."""
    _patient[conn] = time.monotonic() + PATIENT_S
    try:
        yield
    finally:
        _patient[conn] = time.monotonic()


class DatabaseAway(PoolTimeout):
    """No connection can be made: nobody waits for one before a knock has found the database again."""


class Pool(ConnectionPool[Connection]):
    """The library's pool, which connects when first asked: a command that needs no database never knocks at it.

    Connections that the server has hung up on are replaced before anybody is given one. The library gives up a
    connection that cannot be made at once (`reconnect_timeout=0`) instead of trying again after ever longer
    whiles; then one thread knocks at the database, and as long as it does the database is away. What lives and is
    idle is lent all the same: a server that only takes no more connections is not away.
    """

    def __init__(self, conninfo: str, *, max_size: int, timeout: float, name: str, **connecting: Any) -> None:
        self._address, self._connecting = conninfo, connecting
        self._check_due: Check | None = None
        self._within_s: float | None = None
        self._lent: dict[Connection, float] = {}  # from when its borrower's time is counted
        self._lent_last = 0.0
        self._lent_lock = threading.Lock()
        self._knocker = threading.Thread()
        self._knocker_lock = threading.Lock()
        self._stop = threading.Event()
        super().__init__(
            conninfo,
            kwargs=connecting,
            min_size=0,
            max_size=max_size,
            timeout=timeout,
            name=name,
            reconnect_timeout=0,
            reconnect_failed=lambda _: self._begin_knocking(),
            open=True,
        )

    def check_first(self, check: Check) -> None:
        """From now on, lend nothing before a connection has passed `check`, once. What it raises, the borrower gets."""
        self._check_due = check

    def cut_after(self, seconds: float) -> None:
        """From now on, hang up on whatever was lent for longer: its borrower gets an OperationalError. Who is `patient`
        has more time.

        The server's own time-out does not help against a server, or a network, that answers nothing any more.
        """
        self._within_s = seconds
        threading.Thread(target=self._watch, name="pool-watch", daemon=True).start()

    @contextmanager
    def connection(self, timeout: float | None = None, within_s: float | None = None) -> Iterator[Connection]:
        """As the library's own, but it commits nothing that the block left open. Raises as `getconn`.

        `within_s`: wait at most so long for a connection, and be hung up on so long after asking for it, where others
        have the time of `cut_after`.
        """
        begun = time.monotonic()
        conn = self.getconn(within_s if timeout is None else timeout)
        if within_s is not None and self._within_s is not None:
            with self._lent_lock:
                self._lent[conn] = begun - self._within_s + within_s
        try:
            yield conn
        finally:
            self.putconn(conn)

    def getconn(self, timeout: float | None = None) -> Connection:
        """As the library's own. Raises DatabaseAway (at once while the database is away), PoolTimeout, PoolClosed."""
        begun = time.monotonic()
        try:
            conn = self._living(begun + (self.timeout if timeout is None else timeout))
        except PoolTimeout as error:
            if self._lent_last < begun and len(self._lent) < self.max_size:  # there was room, and nothing came
                self._begin_knocking()
            if self.away():
                raise DatabaseAway("the database is away") from error
            raise
        with self._lent_lock:
            self._lent[conn] = self._lent_last = time.monotonic()
        self._pass_check(conn)
        return conn

    def putconn(self, conn: Connection) -> None:
        """Give a connection back. One that broke, or is left inside a transaction, is not lent again."""
        with self._lent_lock:
            self._lent.pop(conn, None)
        if conn.pgconn.transaction_status != TransactionStatus.IDLE:
            conn.close()
        super().putconn(conn)

    def close(self, timeout: float = 5.0) -> None:
        """As the library's own."""
        self._stop.set()
        super().close(timeout)

    def _living(self, until: float) -> Connection:
        while True:
            if self.away() and not self.get_stats()["pool_available"]:
                raise DatabaseAway("the database is away")
            conn = super().getconn(until - time.monotonic())
            if not _hung_up(conn):
                return conn
            conn.close()
            super().putconn(conn)

    def _pass_check(self, conn: Connection) -> None:
        """The library's own `check` would swallow what it raises."""
        if (check := self._check_due) is None:
            return
        try:
            check(conn)
        except OperationalError as error:
            self.putconn(conn)
            raise DatabaseAway(str(error)) from error
        except BaseException:
            self.putconn(conn)
            raise
        self._check_due = None

    def away(self) -> bool:
        """Whether the database is away: then nobody waits for it."""
        return self._knocker.is_alive()

    def _begin_knocking(self) -> None:
        with self._knocker_lock:
            if not self.away() and not self._stop.is_set():
                self._knocker = threading.Thread(target=self._knock, name="pool-knock", daemon=True)
                self._knocker.start()

    def _knock(self) -> None:
        """Until the database answers and the pool has a connection to it, the first for who has waited since before."""
        told = False
        while not self._stop.is_set():
            try:
                Connection.connect(self._address, **self._connecting).close()
                super().putconn(super().getconn())
                break
            except Exception as error:  # whatever it is, nobody else asks
                if not told:
                    log.error("database_away", pool=self.name, why=str(error))
                told = True
            self._stop.wait(KNOCK_EVERY_S)
        if told:
            log.info("database_back", pool=self.name)

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            if self._cut():
                self.drain()  # the server may have gone silent for all of them

    def _cut(self) -> bool:
        """Whether something was lent for too long; it is hung up on."""
        assert self._within_s is not None
        before = time.monotonic() - self._within_s
        with self._lent_lock:
            late = [conn for conn, since in self._lent.items() if max(since, _patient.get(conn, since)) <= before]
            for conn in late:
                del self._lent[conn]
                _hang_up(conn)
        return bool(late)


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
        max_size=size,
        timeout=1.0,
        name=name,
        autocommit=True,
        connect_timeout=2,
        prepare_threshold=None,  # the driver's own would take `models.prepared`'s with them at a rollback
        application_name=name,
        options=f"-c statement_timeout={statement_timeout_ms} -c timezone=UTC -c plan_cache_mode=force_generic_plan",
    )
