"""What operators see of a running process: a line for each webhook, its figures, and what is deployed."""

import json
import os
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from config.kinds import Secret
from ivr.watching import asked, exposition, figures, state, webhooks
from ivr.watching.together import Server, Together
from ivr.web.health import TOGETHER
from ivr.wiring import Wiring
from models import schema, texts
from tests.ivr.web.conftest import CALL, CALLER, Carrier, Clock


class Written:
    """A log that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def add(self, line: bytes) -> None:
        self.lines.append(line)

    @property
    def last(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.lines[-1])
        return found


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the database, on a busy machine: what is tested is what it says."""
    monkeypatch.setattr(exposition, "WITHIN_S", 20.0)


@pytest.fixture
def written() -> Iterator[Written]:
    kept = Written()
    webhooks.tell(kept)  # type: ignore[arg-type]
    yield kept
    webhooks.tell(None)


def value(name: str, **labels: str) -> float:
    return figures.REGISTRY.get_sample_value(name, labels) or 0.0


def told(browser: FlaskClient, **headers: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample by name and labels."""
    answer = browser.get("/metrics", headers=headers)
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


# ---- the line


def test_each_webhook_leaves_one_line_of_what_became_of_it(carrier: Carrier, written: Written) -> None:
    carrier.call("/voice/incoming")
    line = written.last
    assert len(written.lines) == 1
    assert line.pop("ms") > 0
    assert line == {
        "event": "webhook",
        "timestamp": "2026-11-23T15:00:00Z",
        "level": "info",
        "kind": "voice.incoming",
        "outcome": "answered",
        "call_sid": CALL,
        "turn": 1,
        "plan": 1,
        "facts": ["call_started"],
    }
    carrier.call("/voice/menu?turn=1", Digits="1")
    assert (written.last["turn"], written.last["facts"]) == (2, ["menu_chosen"])
    carrier.call("/voice/menu?turn=1", Digits="1")
    assert (written.last["outcome"], written.last["turn"], "facts" in written.last) == ("repeat", 2, False)


def test_the_line_says_why_a_place_was_only_kept_and_what_was_forbidden(
    carrier: Carrier, written: Written, wiring: Wiring
) -> None:
    before = value("offhold_voice_degraded_total", reason="unknown_call")
    carrier.call("/voice/hold")
    assert (written.last["outcome"], written.last["why"], written.last["call_sid"]) == (
        "degraded",
        "unknown_call",
        CALL,
    )
    assert value("offhold_voice_degraded_total", reason="unknown_call") - before == 1
    forbidden = value("offhold_webhooks_total", kind="voice.hold", outcome="forbidden")
    carrier.client.post("/voice/hold", data={"CallSid": CALL})
    assert (written.last["outcome"], "call_sid" in written.last) == ("forbidden", False)
    assert value("offhold_webhooks_total", kind="voice.hold", outcome="forbidden") - forbidden == 1
    wiring.pool.close()
    carrier.call("/voice/hold")
    assert (written.last["outcome"], written.last["why"]) == ("degraded", "database_away")


def test_the_line_of_a_receipt_names_our_text(carrier: Carrier, written: Written) -> None:
    carrier.post("/sms/status?text=text-1", {"MessageSid": "SM" + "1" * 32, "MessageStatus": "sent"})
    line = written.last
    assert (line["kind"], line["text_id"], line["message_sid"]) == ("texts.status", "text-1", "SM" + "1" * 32)


def test_no_line_holds_a_number_a_token_or_words(carrier: Carrier, written: Written, token: str) -> None:
    carrier.call("/voice/incoming")
    carrier.call("/voice/menu?turn=1", SpeechResult="my light is red, call 2025550143")
    carrier.post("/sms/incoming", {"MessageSid": "SM" + "2" * 32, "From": CALLER, "To": CALLER, "Body": "STOP it"})
    everything = b"".join(written.lines).decode()
    assert len(written.lines) == 3
    for secret in (CALLER, CALLER[2:], "light", "STOP", token, carrier.settings.twilio_account_sid):
        assert secret not in everything


def test_a_line_that_cannot_be_made_costs_no_answer(
    carrier: Carrier, monkeypatch: pytest.MonkeyPatch, logged: list[MutableMapping[str, Any]]
) -> None:
    monkeypatch.setattr(figures, "count_webhook", lambda *_: 1 / 0)
    assert carrier.call("/voice/incoming").status_code == 200
    assert "webhook_not_told" in [line["event"] for line in logged]


# ---- the figures


def test_the_figures_are_those_of_the_process_and_of_the_database(
    browser: FlaskClient, carrier: Carrier, wiring: Wiring, token: str, clock: Clock
) -> None:
    state.watch(wiring)
    clock.on(90)
    carrier.call("/voice/incoming")
    found = told(browser)
    web = ("process", "web")
    assert found["offhold_webhook_seconds_count", frozenset({web, ("kind", "voice.incoming")})] >= 1
    assert found["offhold_pool_connections", frozenset({web, ("state", "most")})] == 4
    assert found["offhold_store_away", frozenset({web, ("store", "redis")})] == 0
    assert found["offhold_serving", frozenset({web, ("plan", "1"), ("index", "")})] == 1
    assert found["offhold_database_up", frozenset()] == 1
    assert found["offhold_texts_open", frozenset({("status", "queued")})] == 1
    assert (
        found["offhold_text_oldest_seconds", frozenset({("status", "queued")})] == 150
    )  # the text waited a minute before
    assert found["offhold_calls_open", frozenset()] == 1
    assert found["offhold_plan_published_timestamp_seconds", frozenset()] == clock().timestamp() - 150
    assert found["offhold_offers_stopped", frozenset({("by", "guardrail")})] == 0


def test_a_database_that_is_away_leaves_the_other_figures(browser: FlaskClient, wiring: Wiring) -> None:
    state.watch(wiring)
    wiring.pool.close()
    found = told(browser)
    assert found["offhold_database_up", frozenset()] == 0
    assert ("offhold_spool_waiting", frozenset({("process", "web")})) in found
    assert not [name for name, _ in found if name == "offhold_texts_open"]


def test_the_database_is_not_asked_again_at_once(
    browser: FlaskClient, wiring: Wiring, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued = ("offhold_texts_open", frozenset({("status", "queued")}))
    assert told(browser)[queued] == 1
    with wiring.pool.connection() as conn:
        text = texts.by_token(conn, token)
        assert text is not None
        texts.cancel(conn, text, wiring.clock(), "opted_out")
    assert told(browser)[queued] == 1
    monkeypatch.setattr(exposition, "KEPT_S", 0.0)
    assert told(browser)[queued] == 0


def test_only_this_machine_gets_figures_and_in_production_nobody_without_the_token(
    browser: FlaskClient, app: Flask, wiring: Wiring
) -> None:
    settings = wiring.settings
    assert asked.may_see(settings, "127.0.0.1", {})
    assert asked.may_see(settings, "::1", {})
    for address, headers in (
        ("203.0.113.7", {}),
        ("", {}),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.7"}),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.7"}),
    ):
        assert not asked.may_see(settings, address, headers)
    assert not asked.may_see(settings.model_copy(update={"offhold_env": "production"}), "127.0.0.1", {})
    guarded = settings.model_copy(update={"metrics_token": Secret("t" * 32)})
    assert asked.may_see(guarded, "203.0.113.7", {"Authorization": f"Bearer {'t' * 32}"})
    for wrong in ("", "t" * 32, f"Bearer {'t' * 31}", "Bearer é"):
        assert not asked.may_see(guarded, "127.0.0.1", {"Authorization": wrong})
    wiring.settings = guarded
    assert browser.get("/metrics").status_code == 404


# ---- what is deployed, and whether it stops


def test_the_version_says_what_is_deployed_and_served(browser: FlaskClient, wiring: Wiring, carrier: Carrier) -> None:
    wiring.settings = wiring.settings.model_copy(update={"revision": "v1.4-3-gabc"})
    assert browser.get("/version").json == {
        "revision": "v1.4-3-gabc",
        "schema": schema.head(),
        "plan": None,
        "index": None,
    }
    carrier.call("/voice/incoming")
    assert (browser.get("/version").json or {})["plan"] == 1


def test_a_server_that_stops_is_not_ready_and_answers_all_the_same(
    app: Flask, carrier: Carrier, browser: FlaskClient
) -> None:
    server = Server()
    try:
        app.extensions[TOGETHER] = Together(os.getpid())
        assert "stopping" not in (browser.get("/readyz").json or {})
        server.is_stopping()
        answer = browser.get("/readyz")
        assert (answer.status_code, (answer.json or {})["stopping"]) == (503, "it was told to stop")
        assert carrier.call("/voice/incoming").status_code == 200
        assert browser.get("/healthz").status_code == 200
    finally:
        server.close()
