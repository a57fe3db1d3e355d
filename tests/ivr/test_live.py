"""What managers pull reaches every web process: at once by the news over Redis, by itself without Redis."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from psycopg import Connection

from config.settings import Settings
from ivr import wiring as wirings
from ivr.board import NEWS, News, connect
from ivr.call.plan import Plan
from ivr.console import incidents, switches
from ivr.console.actors import Actor
from ivr.console.incidents import Wanted
from ivr.planfile import store
from ivr.planfile.store import STARTER
from ivr.wiring import Wiring
from models import plans
from models.db import DatabaseAway

KIM = Actor("cli:kim", "kim")
PATIENCE_S = 30.0  # nothing takes as long, however busy the machine


@pytest.fixture
def wiring(settings: Settings) -> Iterator[Wiring]:
    built = wirings.build(settings, pool_size=4)
    with built.pool.connection(timeout=5) as conn:
        plans.publish(conn, STARTER.read_text("utf-8"), "tests", "the starter plan")
    yield built
    built.close()


@contextmanager
def looking(wiring: Wiring, every_s: float) -> Iterator[None]:
    """As another web process looks: at every piece of news, and by itself every so often."""
    wiring.queues._look_again_s = 10 * PATIENCE_S  # what is felt sooner was told
    client: Any = connect(wiring.settings.redis_url.get_secret_value())
    news = News(client, wiring.look_at_queues, every_s)
    try:
        assert soon(lambda: client.pubsub_numsub(NEWS)[0][1] > 0, PATIENCE_S)
        yield
    finally:
        news.close()


def soon(true: Callable[[], bool], within_s: float) -> bool:
    until = time.monotonic() + within_s
    while time.monotonic() < until and not true():
        time.sleep(0.02)
    return true()


def pull(wiring: Wiring, *, stopped: bool) -> None:
    with wiring.pool.connection() as conn:
        switches.pull(conn, wiring, KIM, "technical", stopped=stopped, why="a test")


def felt(wiring: Wiring) -> bool:
    with wiring.pool.connection() as conn:
        return "technical" in wiring.queues.now(conn).stopped_queues


def test_a_switch_is_felt_at_once_where_there_is_redis(wiring: Wiring) -> None:
    with looking(wiring, 600):
        assert not felt(wiring)
        pull(wiring, stopped=True)
        assert soon(lambda: felt(wiring), PATIENCE_S)
        pull(wiring, stopped=False)
        assert soon(lambda: not felt(wiring), PATIENCE_S)


def test_without_redis_a_switch_is_felt_within_five_seconds(wiring: Wiring) -> None:
    assert not felt(wiring)
    wiring.redis = connect("redis://127.0.0.1:1/0")
    pull(wiring, stopped=True)  # the news are told to nobody
    assert soon(lambda: felt(wiring), 6)


def test_an_incident_is_known_at_once_with_all_it_says(wiring: Wiring) -> None:
    message = {"en": "We are down.", "es": "No hay servicio."}
    with looking(wiring, 600):
        with wiring.pool.connection() as conn:
            until = wiring.clock() + incidents.LONGEST / 2
            wanted = Wanted(message, {"en": "Back at 3.", "es": "Vuelve a las 3."}, ["internet-slow"], until, "a cut")
            number = incidents.begin(conn, wiring, KIM, wanted)

        def told() -> bool:
            with wiring.pool.connection() as conn:
                return bool(wiring.queues.now(conn).incidents)

        assert soon(told, PATIENCE_S)
        with wiring.pool.connection() as conn:
            (one,) = wiring.queues.now(conn).incidents
        assert (one.id, one.message, one.leaves) == (number, message, frozenset({"internet-slow"}))
        with wiring.pool.connection() as conn:
            incidents.end(conn, wiring, KIM, number, "mended")
        assert soon(lambda: not told(), PATIENCE_S)


def test_one_thread_reads_a_plan_and_no_caller_waits_long_for_it(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, done, read = threading.Event(), threading.Event(), store.load

    def slowly(conn: Connection, version: int) -> Plan:
        begun.set()
        done.wait(10)
        return read(conn, version)

    monkeypatch.setattr(store, "load", slowly)
    with wiring.pool.connection() as conn, wiring.pool.connection() as other, ThreadPoolExecutor(1) as thread:
        first = thread.submit(wiring.plans.live, conn)
        assert begun.wait(5)
        before = time.monotonic()
        with pytest.raises(DatabaseAway):
            wiring.plans.live(other)
        assert time.monotonic() - before < 2
        wiring.plans.read_within_s = 10  # as a worker, whom nobody listens to
        threading.Timer(0.5, done.set).start()
        plan = wiring.plans.live(other)
        assert first.result() is plan
