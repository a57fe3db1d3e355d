"""The pool under a database that hangs up, or says nothing any more."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg import Connection, sql
from psycopg.conninfo import make_conninfo
from psycopg_pool import PoolTimeout

from ivr.stores import Stores
from models import erase, plans
from models.db import DatabaseAway, Pool, open_pool
from models.prepared import Prepared

PATIENCE_S = 30.0  # nothing takes as long, however busy the machine


def backends(pool: Pool) -> list[int]:
    """The server processes behind all connections of the pool."""
    lent = [pool.getconn() for _ in range(pool.max_size)]
    for conn in lent:
        pool.putconn(conn)
    return [conn.info.backend_pid for conn in lent]


def test_a_database_that_was_started_again_is_used_as_if_nothing_had_been(pool: Pool) -> None:
    address = pool.conninfo
    assert isinstance(address, str)
    for pid in backends(pool):
        with psycopg.connect(address, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    for _ in range(pool.max_size):
        with pool.connection() as conn:
            assert conn.execute("SELECT 1").fetchone() == (1,)


def test_a_database_that_says_nothing_is_hung_up_on(pool: Pool) -> None:
    pool.cut_after(0.3)
    silent = backends(pool)
    for pid in silent:
        os.kill(pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        with pytest.raises(psycopg.OperationalError), pool.connection() as conn:
            conn.execute("SELECT 1")
        assert 0.2 < time.monotonic() - begun < 3  # it would say nothing for ever
    finally:
        for pid in silent:
            os.kill(pid, signal.SIGCONT)
    pool.cut_after(PATIENCE_S)
    with pool.connection() as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)


def test_a_connection_that_is_given_back_in_time_is_not_hung_up_on(pool: Pool) -> None:
    pool.cut_after(0.3)
    with pool.connection() as conn:
        before = conn.info.backend_pid
    time.sleep(0.7)
    pool.cut_after(PATIENCE_S)
    with pool.connection() as conn:
        assert conn.execute("SELECT pg_backend_pid()").fetchone() == (before,)


def test_a_statement_of_the_hot_path_that_is_hung_up_on_says_so_as_a_cursor_would(pool: Pool) -> None:
    pool.cut_after(0.3)
    slow = Prepared("test_slow", "SELECT pg_sleep(%(seconds)s::float)")
    with pytest.raises(psycopg.OperationalError), pool.connection() as conn:
        slow.run(conn, {"seconds": 3})
    pool.cut_after(PATIENCE_S)
    with pytest.raises(psycopg.errors.InvalidTextRepresentation), pool.connection() as conn:
        slow.run(conn, {"seconds": "long"})


def test_who_has_less_time_is_hung_up_on_sooner(pool: Pool) -> None:
    pool.cut_after(PATIENCE_S)
    begun = time.monotonic()
    with pytest.raises(psycopg.OperationalError), pool.connection(within_s=0.3) as conn:
        conn.execute("SELECT pg_sleep(9)")
    assert 0.25 < time.monotonic() - begun < 3
    with pool.connection() as conn:
        conn.execute("SELECT pg_sleep(0.6)")


def test_who_has_little_time_waits_no_longer_for_a_connection(pool: Pool) -> None:
    lent = [pool.getconn() for _ in range(pool.max_size)]
    begun = time.monotonic()
    with pytest.raises(PoolTimeout), pool.connection(within_s=0.2):
        pass
    assert time.monotonic() - begun < 0.9
    for conn in lent:
        pool.putconn(conn)


def test_who_does_what_takes_long_is_not_hung_up_on(pool: Pool) -> None:
    pool.cut_after(1.0)  # a statement of no length has to be done by then on a busy machine
    with pool.connection() as conn:
        for _ in range(2):  # the second time: what is lent for longer than others counts anew after each
            with erase.unhurried(conn):
                assert conn.execute("SELECT 1 FROM pg_sleep(1.5)").fetchone() == (1,)
            assert conn.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(psycopg.OperationalError):
            conn.execute("SELECT 1 FROM pg_sleep(8)")


def test_who_comes_when_all_are_lent_waits_until_one_is_given_back(pool: Pool) -> None:
    lent = [pool.getconn() for _ in range(pool.max_size)]
    with pytest.raises(PoolTimeout), pool.connection(timeout=0.1):
        pass
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(pool.getconn, 5)
        time.sleep(0.1)
        pool.putconn(lent[0])
        assert waiting.result() is lent[0]
    for conn in lent:
        pool.putconn(conn)


def test_a_connection_left_inside_a_transaction_is_not_lent_again(pool: Pool) -> None:
    with pool.connection() as left:
        left.execute("BEGIN")
    assert left.closed
    with pool.connection() as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)


@pytest.fixture
def server() -> Iterator[Callable[[], Stores]]:
    """Starts a PostgreSQL of the test's own; started again it has what it had."""
    folder = Path(tempfile.mkdtemp(prefix="offhold-tests-"))
    begun: list[Stores] = []

    def start() -> Stores:
        begun.append(Stores(folder, durable=False, valkey=False))
        begun[-1].start()
        return begun[-1]

    try:
        yield start
    finally:
        for stores in begun:
            stores.stop()
        shutil.rmtree(folder)


def soon(pool: Pool) -> None:
    """Ask until the pool lends again."""
    end = time.monotonic() + 10
    while True:
        try:
            with pool.connection() as conn:
                assert conn.execute("SELECT 1").fetchone() == (1,)
            return
        except DatabaseAway:
            assert time.monotonic() < end
            time.sleep(0.05)


def test_nobody_waits_for_a_database_that_is_away_and_it_is_used_when_it_is_back(server: Callable[[], Stores]) -> None:
    first = server()
    pool = open_pool(first.database_url("postgres"), size=4, statement_timeout_ms=2000, name="tests")
    soon(pool)
    first.stop()
    with pytest.raises(DatabaseAway):
        pool.getconn()
    begun = time.monotonic()
    for _ in range(100):
        with pytest.raises(DatabaseAway):
            pool.getconn()
    assert time.monotonic() - begun < 3  # one that waited for a knock would wait for a second, each
    server()
    soon(pool)
    pool.close()


def test_a_server_that_takes_no_more_connections_still_answers_on_those_it_has(pool: Pool) -> None:
    address = str(pool.conninfo)
    with pool.connection() as conn:
        before = conn.info.backend_pid
        name = sql.Identifier(conn.info.dbname)
    with psycopg.connect(make_conninfo(address, dbname="postgres"), autocommit=True) as other:
        other.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
    lent = pool.getconn()
    assert lent.info.backend_pid == before
    for _ in range(2):
        with pytest.raises(DatabaseAway):
            pool.getconn()
    pool.putconn(lent)
    for _ in range(20):
        with pool.connection() as conn:
            assert conn.execute("SELECT pg_backend_pid()").fetchone() == (before,)


def test_a_database_that_answers_no_knock_is_away_after_a_second(server: Callable[[], Stores]) -> None:
    stores = server()
    pool = open_pool(stores.database_url("postgres"), size=4, statement_timeout_ms=2000, name="tests")
    with pool.connection() as lent:
        found = lent.execute("SELECT pg_read_file('postmaster.pid')").fetchone()
        assert found is not None
        postmaster = int(found[0].split()[0])
        os.kill(postmaster, signal.SIGSTOP)
        try:
            begun = time.monotonic()
            with pytest.raises(DatabaseAway):
                pool.getconn()
            assert time.monotonic() - begun < 4
            begun = time.monotonic()
            for _ in range(100):
                with pytest.raises(DatabaseAway):
                    pool.getconn()
            assert time.monotonic() - begun < 3  # one that waited for a knock would wait for a second, each
        finally:
            os.kill(postmaster, signal.SIGCONT)
        soon(pool)
    pool.close()


def test_a_database_that_is_away_at_first_is_checked_before_anything_is_lent(server: Callable[[], Stores]) -> None:
    stores = server()
    stores.stop()
    pool = open_pool(stores.database_url("postgres"), size=2, statement_timeout_ms=2000, name="tests")
    checked: list[Connection] = []
    pool.check_first(checked.append)
    with pytest.raises(DatabaseAway):
        pool.getconn()
    assert checked == []
    server()
    soon(pool)
    assert len(checked) == 1
    pool.close()


def test_what_does_not_pass_the_check_is_never_lent(pool: Pool) -> None:
    def refuse(conn: Connection) -> None:
        raise RuntimeError("not ours")

    with pool.connection():
        pass
    pool.check_first(refuse)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="not ours"):
            pool.getconn()


def test_a_rollback_takes_no_prepared_statement_with_it(pool: Pool) -> None:
    """The driver deallocates all of a connection's statements after a rollback, once it prepared one itself."""
    with pool.connection() as conn:
        assert plans.live_version(conn) is None
        for _ in range(9):
            conn.execute("SELECT 1")
        with suppress(LookupError), conn.transaction():
            raise LookupError
        conn.execute("SELECT 1")
        assert plans.live_version(conn) is None
