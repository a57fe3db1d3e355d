"""What the running service tells those who watch it: every metric that a rule, a picture or the runbook names."""

import re
import time

import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.browser.service import READY_WITHIN_S, Service
from tests.deploy import test_alerts
from tests.deploy.promql import metrics

#: Prometheus's own
OWN = {"up"}


def names(address: str) -> dict[str, set[str]]:
    """Of the samples, with the processes that told them."""
    answer = requests.get(f"{address}/metrics", timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(answer.text):
        for one in family.samples:
            found.setdefault(one.name, set()).add(one.labels.get("process", ""))
    return found


def test_every_metric_that_is_watched_is_there(service: Service) -> None:
    end = time.monotonic() + READY_WITHIN_S
    while (web := names(service.url))["offhold_webhooks_total"] != {"web-0", "web-1"}:
        assert time.monotonic() < end, "a web process never answered"  # the service is ready with its first
        time.sleep(0.2)
    worker = names(service.worker_url)
    assert worker["offhold_work_success_timestamp_seconds"] == {"worker"}
    assert web["offhold_database_up"] == {""}
    expressions = [rule["expr"] for rule in test_alerts.RULES] + [test_alerts.plain(one) for one in test_alerts.SHOWN]
    wanted = set().union(*map(metrics, expressions)) - test_alerts.RECORDED - OWN
    # Of a source there is nothing to tell where there is none.
    assert wanted - web.keys() - worker.keys() <= {"offhold_source_failures", "offhold_source_synced_timestamp_seconds"}
    written = set(re.findall(r"`(offhold_\w+|process_\w+)`", test_alerts.RUNBOOK))
    assert {one for one in written if not {one, f"{one}_count"} & (web.keys() | worker.keys())} == set()


def test_the_worker_says_how_it_does_and_nothing_else(service: Service) -> None:
    assert requests.get(f"{service.worker_url}/healthz", timeout=5).text == "ok\n"
    ready = requests.get(f"{service.worker_url}/readyz", timeout=5)
    assert (ready.status_code, set(ready.json())) == (200, {"postgresql", "redis", "migrations", "plan"})
    for path in ("/", "/metrics/..", "/voice/hold"):
        assert requests.get(f"{service.worker_url}{path}", timeout=5).status_code == 404
    for address in (service.url, service.worker_url):
        forwarded = {"X-Forwarded-For": "203.0.113.7"}
        assert requests.get(f"{address}/metrics", headers=forwarded, timeout=5).status_code == 404
