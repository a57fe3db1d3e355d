"""The worker process as it is run: woken by the job, stopped by SIGTERM."""

import asyncio
import faulthandler
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partialmethod

import pytest
from procrastinate.worker import Worker
from psycopg import Connection
from structlog.testing import capture_logs

from ivr.jobs.times import DEFAULT
from ivr.jobs.worker import Chore, _every, _take_jobs, run_worker
from ivr.wiring import Wiring
from models import jobs, texts
from models.db import DatabaseAway
from tests.ivr.jobs.conftest import Desk

#: The sweep keeps out of the way: what is sent was sent by its job.
BY_JOBS = replace(DEFAULT, grace=timedelta(hours=1))
ENDS_WITHIN_S = 60.0  # of a machine that is slow and busy
GIVES_UP_S = 3 * ENDS_WITHIN_S

Run = Callable[..., None]


@pytest.fixture
def run(desk: Desk) -> Iterator[Run]:
    """Runs the worker until the test stops it with SIGTERM; a watchdog stops it where the test does not, and one that
    does not stop takes the process with it, after printing where it stands."""

    def worker(*chores: Chore) -> None:
        late = threading.Event()

        def end() -> None:
            late.set()
            stop()

        watchdog = threading.Timer(ENDS_WITHIN_S, end)
        watchdog.start()
        faulthandler.dump_traceback_later(GIVES_UP_S, exit=True)
        try:
            run_worker(desk.wiring, BY_JOBS, chores)
        finally:
            faulthandler.cancel_dump_traceback_later()
            watchdog.cancel()
        assert not late.is_set(), f"nobody stopped the worker within {ENDS_WITHIN_S} s"

    # A browser of another test's may have left its loop marked as running in this thread.
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield worker
    asyncio._set_running_loop(loop)


def stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_sigterm_lets_a_send_under_way_end(desk: Desk, db: Connection, run: Run) -> None:
    text = desk.ask(db)
    assert text is not None

    def told_to_stop(_: str) -> None:
        stop()
        time.sleep(0.5)  # the carrier takes its time

    desk.carrier.during = told_to_stop
    run()
    row = texts.read(db, text.id)
    assert row is not None
    assert row.status == "sent"
    assert jobs.take_all(db) == []
    assert db.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (0,)


def test_a_job_committed_later_wakes_the_worker(
    desk: Desk, db: Connection, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not find the job by looking: that it does at the start, and then not before this test has ended."""
    rarely = partialmethod(Worker.__init__, fetch_job_polling_interval=10 * ENDS_WITHIN_S)
    monkeypatch.setattr(Worker, "__init__", rarely)
    desk.carrier.during = lambda _: stop()

    def later(wiring: Wiring) -> None:
        until = time.monotonic() + ENDS_WITHIN_S
        with wiring.pool.connection() as conn:
            while conn.execute("SELECT count(*) FROM procrastinate_workers").fetchone() == (0,):
                assert time.monotonic() < until, "the worker has not come up"
                time.sleep(0.05)
            time.sleep(1.0)  # until it has looked for the first time
            assert desk.ask(conn) is not None

    run(later)
    assert len(desk.carrier.accepted) == 1


def test_a_stop_at_any_moment_of_the_start_ends_the_worker(desk: Desk) -> None:
    """While it connects, registers, takes its first look and starts to listen."""

    async def stopped_after(seconds: float) -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(seconds, stop.set)
        await asyncio.wait_for(_take_jobs(desk.wiring, BY_JOBS, stop), ENDS_WITHIN_S / 3)

    for milliseconds in range(0, 151, 3):
        with asyncio.Runner() as runner:
            runner.run(stopped_after(milliseconds / 1000))


def test_chores_are_done_at_the_start_and_one_that_fails_ends_nothing(desk: Desk, run: Run) -> None:
    done: list[Wiring] = []

    def fails(_: Wiring) -> None:
        raise RuntimeError("as told")

    def chore(wiring: Wiring) -> None:
        done.append(wiring)
        time.sleep(0.2)
        stop()

    run(fails, chore)
    assert done == [desk.wiring]


def test_a_database_that_is_away_fills_no_log() -> None:
    """Each work says so in a short line, however often it tries."""
    stop = asyncio.Event()

    def sweep() -> None:
        stop.set()
        raise DatabaseAway("the database is away")

    with capture_logs() as lines:
        asyncio.run(_every(60.0, sweep, stop))
    assert lines == [{"event": "periodic_work_failed", "log_level": "warning", "work": "sweep", "why": "database_away"}]


def test_dead_workers_jobs_are_forgotten(desk: Desk, db: Connection) -> None:
    desk.ask(db)
    db.execute("UPDATE procrastinate_jobs SET status = 'doing'")
    assert jobs.forget_dead(db) == 1
    assert jobs.forget_dead(db) == 0
