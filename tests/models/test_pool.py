"""The pool under a database that hangs up, or says nothing any more."""

import os
import signal
import time

import psycopg
import pytest

from models.db import Pool


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
        assert 0.2 < time.monotonic() - begun < 1.5
    finally:
        for pid in silent:
            os.kill(pid, signal.SIGCONT)
    with pool.connection() as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)


def test_a_connection_that_is_given_back_in_time_is_not_hung_up_on(pool: Pool) -> None:
    pool.cut_after(0.3)
    with pool.connection() as conn:
        before = conn.info.backend_pid
    time.sleep(0.7)
    with pool.connection() as conn:
        assert conn.execute("SELECT pg_backend_pid()").fetchone() == (before,)
