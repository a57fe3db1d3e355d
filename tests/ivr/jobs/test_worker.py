"""The worker process as it is run: woken by the job, stopped by SIGTERM."""

import os
import signal
import threading
import time
from dataclasses import replace
from datetime import timedelta

from psycopg import Connection

from ivr.jobs.times import DEFAULT
from ivr.jobs.worker import run_worker
from ivr.wiring import Wiring
from models import jobs, texts
from tests.ivr.jobs.conftest import Desk

#: The sweep keeps out of the way: what is sent was sent by its job.
BY_JOBS = replace(DEFAULT, grace=timedelta(hours=1))


def test_sigterm_lets_a_send_under_way_end(desk: Desk, db: Connection) -> None:
    text = desk.ask(db)
    assert text is not None

    def told_to_stop(_: str) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.5)  # the carrier takes its time

    desk.carrier.during = told_to_stop
    run_worker(desk.wiring, BY_JOBS)
    row = texts.read(db, text.id)
    assert row is not None
    assert row.status == "sent"
    assert jobs.take_all(db) == []
    assert db.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (0,)


def test_a_job_committed_later_wakes_the_worker(desk: Desk, db: Connection) -> None:
    woken_after: list[float] = []

    def later() -> None:
        with desk.wiring.pool.connection() as conn:
            while conn.execute("SELECT count(*) FROM procrastinate_workers").fetchone() == (0,):
                time.sleep(0.05)
            time.sleep(1.0)
            asked_at = time.monotonic()
            desk.carrier.during = lambda _: woken_after.append(time.monotonic() - asked_at)
            assert desk.ask(conn) is not None
            while not woken_after:
                time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=later, daemon=True)
    thread.start()
    run_worker(desk.wiring, BY_JOBS)
    thread.join(10)
    assert woken_after[0] < 4.5  # sooner than procrastinate's polling every 5 s


def test_chores_are_done_at_the_start_and_one_that_fails_ends_nothing(desk: Desk) -> None:
    done: list[Wiring] = []

    def fails(_: Wiring) -> None:
        raise RuntimeError("as told")

    def chore(wiring: Wiring) -> None:
        done.append(wiring)
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGTERM)

    run_worker(desk.wiring, BY_JOBS, (fails, chore))
    assert done == [desk.wiring]


def test_dead_workers_jobs_are_forgotten(desk: Desk, db: Connection) -> None:
    desk.ask(db)
    db.execute("UPDATE procrastinate_jobs SET status = 'doing'")
    assert jobs.forget_dead(db) == 1
    assert jobs.forget_dead(db) == 0
