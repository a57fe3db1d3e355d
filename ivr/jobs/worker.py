"""The worker process: jobs as they are queued, the sweep every few seconds, erasure and a look at what callers could be
helped with once a day, what became of calls every ten seconds, whether offers do harm every hour, and chores."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog
from procrastinate import App
from procrastinate.worker import Worker

from ivr.jobs.app import SEND, build_app
from ivr.jobs.erase_old import erase_old
from ivr.jobs.estimate_unanswerable import estimate_unanswerable
from ivr.jobs.fetch_prices import fetch_prices
from ivr.jobs.keep_estimates import keep_estimates
from ivr.jobs.send_hooks import EVERY_S as SEND_HOOKS_EVERY_S
from ivr.jobs.send_hooks import forget_hook_messages, send_hooks
from ivr.jobs.send_text import send_text
from ivr.jobs.settle_ledger import EVERY_S as SETTLE_EVERY_S
from ivr.jobs.settle_ledger import settle_ledger
from ivr.jobs.study import Studying
from ivr.jobs.summarize import EVERY_S, summarize_calls
from ivr.jobs.sweep_texts import forget_dead_jobs, sweep_texts
from ivr.jobs.sync_sources import Syncing
from ivr.jobs.times import DEFAULT, Times
from ivr.jobs.watch_guardrails import EVERY_S as WATCH_EVERY_S
from ivr.jobs.watch_guardrails import watch_guardrails
from ivr.jobs.worker_port import answering
from ivr.watching import figures, state
from ivr.wiring import Wiring
from models import jobs
from models.db import DatabaseAway

log = structlog.get_logger()

DAY_S = 24 * 3600.0
BEGIN_AGAIN_S = 1.0  # after the database went away
DRAIN_S = 20.0  # for sends under way when told to stop
CHORES_EVERY_S = 300.0
STUDY_EVERY_S = 2.0  # somebody waits for it at the console
SYNC_EVERY_S = 5.0  # the same
PLAN_WITHIN_S = 30.0  # for another thread to read the plan: no caller waits here

Chore = Callable[[Wiring], object]


def run_worker(wiring: Wiring, times: Times = DEFAULT, chores: Sequence[Chore] = ()) -> None:
    """Work until SIGTERM or SIGINT, then finish the sends under way. A database that goes away is waited for.

    `chores` are done at the start and every few minutes.
    """
    wiring.plans.read_within_s = PLAN_WITHIN_S
    asyncio.run(_run(wiring, times, chores))


async def _run(wiring: Wiring, times: Times, chores: Sequence[Chore]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    state.watch(wiring)
    with (
        ThreadPoolExecutor(times.senders + 14) as threads,
        ThreadPoolExecutor(2) as sweepers,
        answering(wiring, stop.is_set),
    ):
        loop.set_default_executor(threads)

        def sweep() -> None:
            sweep_texts(wiring, times, sweepers)

        def tidy() -> None:
            forget_dead_jobs(wiring)
            erase_old(wiring)
            forget_hook_messages(wiring)

        def settle() -> None:
            settle_ledger(wiring)
            keep_estimates(wiring)

        log.info("worker_ready")
        await asyncio.gather(
            _take_jobs(wiring, times, stop),
            _every(times.sweep_every_s, sweep, stop),
            _every(DAY_S, tidy, stop),
            _every(DAY_S, estimate_unanswerable, stop, wiring),
            _every(EVERY_S, summarize_calls, stop, wiring),
            _every(WATCH_EVERY_S, watch_guardrails, stop, wiring),
            _every(SETTLE_EVERY_S, settle, stop),
            _every(SETTLE_EVERY_S, fetch_prices, stop, wiring),
            _every(STUDY_EVERY_S, Studying().study, stop, wiring),
            _every(SYNC_EVERY_S, Syncing().sync_sources, stop, wiring),
            _every(SEND_HOOKS_EVERY_S, send_hooks, stop, wiring),
            *(_every(CHORES_EVERY_S, chore, stop, wiring) for chore in chores),
        )
    log.info("worker_stopped")


async def _every(seconds: float, do: Callable[..., object], stop: asyncio.Event, *given: Wiring) -> None:
    """Do it now and every so often; an error is logged and does not end it."""
    figures.expect_work(do.__name__)
    while not stop.is_set():
        try:
            await asyncio.to_thread(do, *given)
        except DatabaseAway:  # told at length where it was found out, and by each work every few seconds
            log.warning("periodic_work_failed", work=do.__name__, why="database_away")
            figures.count_work(do.__name__, failed=True)
        except Exception:
            log.exception("periodic_work_failed", work=do.__name__)
            figures.count_work(do.__name__, failed=True)
        else:
            figures.count_work(do.__name__, failed=False)
        await _wait(stop, seconds)


async def _take_jobs(wiring: Wiring, times: Times, stop: asyncio.Event) -> None:
    """Let procrastinate run jobs; begin again when it gives up because the database is away."""
    while not stop.is_set():
        try:
            await _one_life(
                build_app(wiring.settings.database_url.get_secret_value(), times.senders), wiring, times, stop
            )
        except Exception:
            log.exception("job_queue_lost")
        await _wait(stop, BEGIN_AGAIN_S)


async def _one_life(app: App, wiring: Wiring, times: Times, stop: asyncio.Event) -> None:
    """Run jobs until `stop`, then finish those under way. Raises what ends it before."""
    stopping = asyncio.create_task(stop.wait())
    opening = asyncio.create_task(app.connector.open_async())
    try:
        await asyncio.wait({opening, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
            return
        await opening
        # It is never cancelled: what it awaits may swallow that. Its run() forgets a stop() from before its first step,
        # and takes that step here first: it is queued before anything can set `stop`.
        worker: Any = Worker(  # its methods are untyped
            app=app,
            queues=["texts"],
            concurrency=times.senders,
            install_signal_handlers=False,
            delete_jobs="always",
            shutdown_graceful_timeout=DRAIN_S,
            additional_context={"wiring": wiring, "times": times},
        )
        running = asyncio.create_task(worker.run())
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        worker.stop()
        await running
    finally:
        stopping.cancel()
        await app.close_async()


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def drain(wiring: Wiring, times: Times = DEFAULT) -> None:
    """Send in this process whatever is due on the wiring's clock, until nothing is. For tests and stories."""
    at_once = replace(times, grace=timedelta(0))
    while True:
        with wiring.pool.connection() as conn:
            waiting = jobs.take_all(conn)
        done = [send_text(wiring, args["text_id"], at_once) for task, args in waiting if task == SEND]
        if not any(done) and not sweep_texts(wiring, at_once):
            break
