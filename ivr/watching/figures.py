"""The figures of this process, as Prometheus takes them. Names and labels are listed in docs/runbook.md.

A label's values are ours and few: never a number, an id, or anything a caller or a carrier wrote.
"""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.metrics_core import Metric

#: name, words, type, and the samples: name, labels, value
Family = tuple[str, str, str, list[tuple[str, dict[str, str], float]]]

REGISTRY = CollectorRegistry()

#: seconds; one second is what is promised, three the longest there may be (docs/runbook.md)
WITHIN = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0, 2.0, 3.0)
#: seconds from the yes to the carrier; ten are promised
SENT_WITHIN = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0)

_WEBHOOKS = Counter("offhold_webhooks", "Webhooks answered.", ["kind", "outcome"], registry=REGISTRY)
_WEBHOOK_S = Histogram(
    "offhold_webhook_seconds", "From a webhook to its answer.", ["kind"], buckets=WITHIN, registry=REGISTRY
)
_DEGRADED = Counter(
    "offhold_voice_degraded",
    "Voice answers that held the caller's place and did nothing else.",
    ["reason"],
    registry=REGISTRY,
)
_SEARCHES = Counter("offhold_searches", "Searches for a caller's article.", ["result", "reason"], registry=REGISTRY)
_SEARCH_S = Histogram("offhold_search_seconds", "What a search took.", buckets=WITHIN, registry=REGISTRY)
_TEXTS = Counter("offhold_texts", "What became of attempts to send a text.", ["outcome"], registry=REGISTRY)
_TEXT_S = Histogram(
    "offhold_text_seconds",
    "From when a text was due to when the carrier had it, or it was reported as failed.",
    buckets=SENT_WITHIN,
    registry=REGISTRY,
)
_WORK = Counter("offhold_work", "Rounds of the worker's periodic work.", ["work", "outcome"], registry=REGISTRY)
_WORK_AT = Gauge("offhold_work_success_timestamp_seconds", "When a round last ended well.", ["work"], registry=REGISTRY)
_RATIO = Gauge(
    "offhold_sample_ratio_chance",
    "How likely it is by chance that the experiment's groups are as unequal as they are this month.",
    registry=REGISTRY,
)
_LINES_LOST = Counter("offhold_log_lines_lost", "Lines that nobody took off our hands in time.", registry=REGISTRY)

# Looking a series up by its labels costs more than counting: they are few, and kept.
_webhooks: dict[tuple[str, str], Counter] = {}
_webhook_s: dict[str, Histogram] = {}

for _outcome in ("sent", "refused", "busy", "not_taken", "unknown", "expired", "left_unknown"):
    _TEXTS.labels(_outcome)  # there from the start: what appears with its first event is no increase to Prometheus
_RATIO.set(1.0)  # as where nothing was drawn: who does not look knows of nothing odd


def count_webhook(kind: str, outcome: str, seconds: float) -> None:
    """One webhook was answered."""
    key = (kind, outcome)
    counter, histogram = _webhooks.get(key), _webhook_s.get(kind)
    if counter is None or histogram is None:
        counter = _webhooks[key] = _WEBHOOKS.labels(kind, outcome)
        histogram = _webhook_s[kind] = _WEBHOOK_S.labels(kind)
    counter.inc()
    histogram.observe(seconds)


def expect_webhooks(kinds: Iterable[str], outcomes: Iterable[str], reasons: Iterable[str]) -> None:
    """These there are, however many came so far: what appears with its first event is no increase to Prometheus."""
    for kind in kinds:
        _WEBHOOK_S.labels(kind)
        for outcome in outcomes:
            _WEBHOOKS.labels(kind, outcome)
    for reason in reasons:
        _DEGRADED.labels(reason)
    for result, reason in (("matched", ""), ("busy", "search_busy"), ("failed", "search_failed")):
        _SEARCHES.labels(result, reason)


def count_degraded(reason: str) -> None:
    """A caller's place was kept, and nothing else."""
    _DEGRADED.labels(reason).inc()


def count_search(result: str, reason: str, seconds: float) -> None:
    """A search ended: "matched", "refused" (and why), "busy" or "failed"."""
    _SEARCHES.labels(result, reason).inc()
    _SEARCH_S.observe(seconds)


def count_text(outcome: str, seconds: float | None = None) -> None:
    """An attempt to send a text ended; with the seconds since it was due where that settles it."""
    _TEXTS.labels(outcome).inc()
    if seconds is not None:
        _TEXT_S.observe(max(0.0, seconds))


def expect_work(work: str) -> None:
    """This the worker does every so often."""
    for outcome in ("done", "failed"):
        _WORK.labels(work, outcome)


def count_work(work: str, *, failed: bool) -> None:
    """A round of the worker's ended."""
    _WORK.labels(work, "failed" if failed else "done").inc()
    if not failed:
        _WORK_AT.labels(work).set_to_current_time()


def note_sample_ratio(chance: float) -> None:
    """See the estimates' `odd`."""
    _RATIO.set(chance)


def count_lost_lines(count: int) -> None:
    """Lines of the log that were dropped."""
    _LINES_LOST.inc(count)


def families() -> list[Family]:
    """All figures of this process."""
    return [plain(metric) for metric in REGISTRY.collect()]


def plain(metric: Metric) -> Family:
    """A metric as plain values. When a series began is not told: a process that is new says so by its start time."""
    samples = [
        (one.name, dict(one.labels), float(one.value)) for one in metric.samples if not one.name.endswith("_created")
    ]
    return (metric.name, metric.documentation, metric.type, samples)


ProcessCollector(registry=REGISTRY)
