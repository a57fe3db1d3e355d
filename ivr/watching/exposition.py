"""The answer to who asks for figures: those of the processes, and what stands in the database, as text."""

import threading
import time
from collections.abc import Iterator, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from ivr.watching.figures import Family
from ivr.wiring import Wiring
from models import watched
from models.watched import Open, Standing

KEPT_S = 5.0  # the database is not asked more often, however many ask us
WITHIN_S = 0.3  # for a connection
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Exposition:
    """Figures as text, in the form that Prometheus reads."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._stored: list[Metric] = []
        self._looked_at = -1e9
        self._lock = threading.Lock()

    def text(self, processes: Mapping[str, list[Family]]) -> bytes:
        """The figures of these processes, by their name, and the database's."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Given([*_merged(processes), *self._look()]))
        return generate_latest(registry)

    def _look(self) -> list[Metric]:
        with self._lock:
            if time.monotonic() - self._looked_at >= KEPT_S:
                self._stored = list(_stored(self._wiring))
                self._looked_at = time.monotonic()
            return self._stored


class _Given(Collector):
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        return self._metrics


def _merged(processes: Mapping[str, list[Family]]) -> list[Metric]:
    """Each series once for each process: a sum would fall when a process ends, and count as a jump."""
    found: dict[str, Metric] = {}
    for process, families in processes.items():
        for name, words, kind, samples in families:
            metric = found.setdefault(name, Metric(name, words, kind))
            for sample, labels, value in samples:
                metric.add_sample(sample, {**labels, "process": process}, value)
    return list(found.values())


def _stored(wiring: Wiring) -> Iterator[Metric]:
    """What stands in the database; when it cannot be asked, only that."""
    begun, now = time.perf_counter(), wiring.clock()
    try:
        with wiring.pool.connection(timeout=WITHIN_S) as conn:
            found = watched.standing(conn, now)
    except Exception:  # whatever it is, the other figures are told
        yield _gauge("offhold_database_up", "Whether the database could be asked just now.", 0)
        return
    yield _gauge("offhold_database_up", "Whether the database could be asked just now.", 1)
    yield _gauge("offhold_database_seconds", "What asking it took.", time.perf_counter() - begun)
    yield from _families(found, now)


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value)


def _families(found: Standing, now: datetime) -> Iterator[Metric]:
    texts = GaugeMetricFamily("offhold_texts_open", "Texts under way.", labels=["status"])
    oldest = GaugeMetricFamily("offhold_text_oldest_seconds", "How long the oldest is overdue.", labels=["status"])
    for status, one in found.texts.items():
        texts.add_metric([status], one.waiting)
        oldest.add_metric([status], _overdue_s(one, now))
    yield from (texts, oldest)
    for name, what, one in (
        ("job", "jobs of the queue (texts to send)", found.jobs),
        ("hook_message", "messages to webhooks of others", found.hook_messages),
        ("settlement", "calls to be settled", found.settlement),
    ):
        yield _gauge(f"offhold_{name}s_waiting", f"How many {what} wait.", one.waiting)
        yield _gauge(f"offhold_{name}_oldest_seconds", f"How long the oldest {what} wait.", _overdue_s(one, now))
    yield _gauge("offhold_calls_open", "Calls that are not over.", found.calls_open)
    yield _gauge("offhold_index_articles", "Articles in the live index.", found.index_articles)
    for name, words, at in (
        ("offhold_summaries_timestamp_seconds", "Up to when every call is in its row.", found.summaries_at),
        ("offhold_index_built_timestamp_seconds", "When the live index was built.", found.index_built_at),
        ("offhold_plan_published_timestamp_seconds", "When the live menu was published.", found.plan_published_at),
    ):
        yield _gauge(name, words, at.timestamp() if at else 0.0)
    yield from _sources(found)
    stopped = GaugeMetricFamily("offhold_offers_stopped", "Switches of offers that are pulled.", labels=["by"])
    for by, count in found.offers_stopped_by.items():
        stopped.add_metric([by], count)
    yield stopped


def _sources(found: Standing) -> Iterator[Metric]:
    synced = GaugeMetricFamily(
        "offhold_source_synced_timestamp_seconds", "When a source was last in step (0: never).", labels=["source"]
    )
    failures = GaugeMetricFamily("offhold_source_failures", "Syncs that failed since.", labels=["source"])
    for source in found.sources:
        if not source.paused:
            synced.add_metric([source.name], source.synced_at.timestamp() if source.synced_at else 0.0)
            failures.add_metric([source.name], source.failures)
    yield from (synced, failures)


def _overdue_s(one: Open, now: datetime) -> float:
    return max(0.0, (now - one.due_at).total_seconds()) if one.due_at else 0.0
