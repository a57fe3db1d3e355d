"""What a process would say of itself if asked now: its connections, its stores, its spool, what it serves."""

from collections.abc import Iterator

import redis
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from ivr.watching.figures import REGISTRY
from ivr.wiring import Wiring


class _State(Collector):
    """Asked each time the figures are."""

    def __init__(self) -> None:
        self.wiring: Wiring | None = None

    def collect(self) -> Iterator[Metric]:
        wiring = self.wiring
        if wiring is None:
            return
        yield from _pool(wiring)
        away = GaugeMetricFamily("offhold_store_away", "1 while a store does not answer.", labels=["store"])
        away.add_metric(["postgresql"], float(wiring.pool.away()))
        away.add_metric(["redis"], float(_is_silent(wiring)))
        yield away
        yield GaugeMetricFamily(
            "offhold_spool_waiting", "Webhooks on this machine's disk that wait for the database.", wiring.spool.depth()
        )
        yield CounterMetricFamily(
            "offhold_spool_lost", "Webhooks there was no room for, neither on disk nor in memory.", wiring.spool.lost
        )
        plan = wiring.plans.known()
        serving = GaugeMetricFamily("offhold_serving", "What this process serves.", labels=["plan", "index"])
        serving.add_metric([str(plan.version) if plan else "", wiring.finders.version or ""], 1.0)
        yield serving


def _pool(wiring: Wiring) -> Iterator[Metric]:
    stats = wiring.pool.get_stats()
    connections = GaugeMetricFamily("offhold_pool_connections", "Connections to PostgreSQL.", labels=["state"])
    for state, name in (("most", "pool_max"), ("open", "pool_size"), ("idle", "pool_available")):
        connections.add_metric([state], stats.get(name, 0))
    yield connections
    yield GaugeMetricFamily(
        "offhold_pool_waiting", "Threads that wait for a connection.", stats.get("requests_waiting", 0)
    )
    yield CounterMetricFamily(
        "offhold_pool_wait_seconds", "Time spent waiting for connections.", stats.get("requests_wait_ms", 0) / 1000
    )
    yield CounterMetricFamily(
        "offhold_pool_failures", "Times no connection could be had.", stats.get("requests_errors", 0)
    )


def _is_silent(wiring: Wiring) -> bool:
    try:
        wiring.redis.ping()
    except redis.RedisError:
        return True
    return False


_OF_THIS_PROCESS = _State()
REGISTRY.register(_OF_THIS_PROCESS)


def watch(wiring: Wiring) -> None:
    """Tell of this from now on."""
    _OF_THIS_PROCESS.wiring = wiring
