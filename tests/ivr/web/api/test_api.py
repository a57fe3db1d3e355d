"""The API does what the pages do, refuses by ids that stay, and does nothing twice."""

import re
from pathlib import Path

import pytest
from flask import Flask
from limits import RateLimitItemPerMinute

from ivr.console.roles import SCOPES
from ivr.web.api import groups
from ivr.web.api.guards import PUBLIC, needed_scope
from ivr.web.api.problems import ERRORS
from ivr.web.api.rates import WRONG_A_MINUTE
from ivr.wiring import Wiring
from models import audit, facts, plans, switches
from tests.ivr.web.api.conftest import Program, WithToken
from tests.ivr.web.conftest import CALL, STARTER, Clock

INCIDENT = {
    "message": {"en": "The Internet is down in Maple Street.", "es": "No hay Internet en la calle Maple."},
    "until": "2026-11-23T12:00:00-05:00",
    "why": "the ring is cut",
}
DOCS = Path(__file__).resolve().parents[4] / "docs" / "api.md"
OPERATIONS = [one for group in groups for one in group.operations]


def address(path: str) -> str:
    return "/api" + re.sub(r"{\w+}", "1", path)


def test_without_a_token_nothing_is_told_but_what_the_api_is(app: Flask, api: Flask) -> None:
    client = app.test_client()
    for one in OPERATIONS:
        answer = client.open(address(one.path), method=one.method)
        assert answer.status_code == 401, one
        assert answer.get_json()["id"] == "token_wrong"
        assert answer.mimetype == "application/problem+json"
    assert client.get("/api/openapi.json").get_json()["openapi"] == "3.1.0"
    public = [rule.endpoint for rule in api.url_map.iter_rules() if needed_scope(api, rule.endpoint) == PUBLIC]
    assert public == ["describe"]


def test_a_token_opens_what_its_scopes_say_and_nothing_else(with_token: WithToken) -> None:
    for scope in SCOPES:
        client = with_token(scope)
        for one in OPERATIONS:
            answer = client.open(address(one.path), method=one.method, json={"no such field": 1})
            refused = answer.status_code == 403
            assert refused == (scope not in (one.scope, "admin")), (scope, one.path, answer.status_code)


def test_every_scope_of_an_operation_is_one_that_tokens_can_have() -> None:
    assert {one.scope for one in OPERATIONS} <= set(SCOPES)


def test_a_switch_pulled_by_a_program_stands_and_is_noted_under_its_name(with_token: WithToken, wiring: Wiring) -> None:
    answer = with_token("menus").put("/api/v1/offers/switches/all", json={"stopped": True, "why": "wrong articles"})
    assert answer.status_code == 200
    assert answer.get_json()["items"][0] == {
        "queue": "", "stopped": True, "who": "program 1", "why": "wrong articles", "at": "2026-11-23T15:00:00Z",
    }  # fmt: skip
    with wiring.pool.connection() as conn:
        assert switches.stopped(conn) == [""]
        (line,) = audit.find(conn, limit=1)
    assert (line.what, line.why) == ("offers.stop", "wrong articles")
    assert re.fullmatch(r"token:\d+", line.who)


def test_what_a_rule_forbids_is_told_field_by_field(with_token: WithToken) -> None:
    answer = with_token("menus").post("/api/v1/incidents", json={**INCIDENT, "why": "", "leaves": ["nowhere"]})
    told = answer.get_json()
    assert (answer.status_code, told["id"], told["type"]) == (422, "refused", "urn:offhold:error:refused")
    assert {one["field"]: one["words"] for one in told["problems"]} == {
        "leaves": "The menu has no leaf 'nowhere'.",
        "why": "Say why: it stands in the audit log.",
    }


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"stopped": "yes", "why": "x"}, "stopped"),
        ({"stopped": True}, "why"),
        ({"stopped": True, "why": "x", "more": 1}, "more"),
        ({"stopped": True, "why": "a\0b"}, "why"),
    ],
)
def test_what_does_not_fit_the_schema_is_told_where(with_token: WithToken, given: object, field: str) -> None:
    answer = with_token("menus").put("/api/v1/offers/switches/all", json=given)
    told = answer.get_json()
    assert (answer.status_code, told["id"], told["problems"][0]["field"]) == (400, "request_malformed", field)


def test_neither_a_broken_body_nor_another_kind_nor_a_huge_one_is_taken(with_token: WithToken) -> None:
    client, path = with_token("menus", "read"), "/api/v1/offers/switches/all"
    sent = {
        "request_malformed": client.put(path, data=b'{"stopped": tru', content_type="application/json"),
        "not_json": client.put(path, data={"stopped": "on"}),
        "body_too_large": client.put(path, data=b'"' + b"a" * 3_000_000, content_type="application/json"),
        "no_such_address": client.get("/api/v1/nothing"),
        "method_not_allowed": client.delete(path),
        "not_found": client.get("/api/v1/plans/999"),
    }
    assert {name: answer.get_json()["id"] for name, answer in sent.items()} == {name: name for name in sent}
    assert {answer.status_code for answer in sent.values()} == {400, 415, 413, 404, 405}
    assert sent["method_not_allowed"].headers["Allow"] == "PUT"


def test_the_same_request_twice_with_a_key_is_done_once(with_token: WithToken) -> None:
    client, key = with_token("menus", "read"), {"Idempotency-Key": "a1"}
    first = client.post("/api/v1/incidents", json=INCIDENT, headers=key)
    again = client.post("/api/v1/incidents", json=INCIDENT, headers=key)
    assert first.status_code == again.status_code == 201
    assert first.data == again.data
    assert len(client.get("/api/v1/incidents").get_json()["items"]) == 1
    other = client.post("/api/v1/incidents", json={**INCIDENT, "why": "another"}, headers=key)
    assert (other.status_code, other.get_json()["id"]) == (422, "key_reused")
    stranger = with_token("menus").post("/api/v1/incidents", json=INCIDENT, headers=key)
    assert stranger.get_json()["id"] != first.get_json()["id"]


def test_a_key_of_a_refused_request_can_be_used_for_the_mended_one(with_token: WithToken) -> None:
    client, key = with_token("menus"), {"Idempotency-Key": "a1"}
    assert client.post("/api/v1/incidents", json={**INCIDENT, "why": ""}, headers=key).status_code == 422
    assert client.post("/api/v1/incidents", json=INCIDENT, headers=key).status_code == 201


def test_a_menu_is_drafted_saved_published_and_taken_back(with_token: WithToken, wiring: Wiring) -> None:
    client = with_token("menus", "read")
    draft = client.post("/api/v1/drafts", json={"name": "Winter"}).get_json()
    text = draft["yaml"].replace("brand: Lumora", "brand: Lumora Winter")
    path = f"/api/v1/drafts/{draft['id']}"
    saved = client.put(path, json={"revision": draft["revision"], "yaml": text}).get_json()
    assert saved == {"revision": 2, "merged_with": None}
    assert client.get(path).get_json()["changes"] == ["Brand: 'Lumora' became 'Lumora Winter'"]
    early = client.post(f"{path}/publish", json={"revision": 1, "why": "winter"})
    assert (early.status_code, early.get_json()["id"]) == (409, "conflict")
    version = client.post(f"{path}/publish", json={"revision": 2, "why": "winter"}).get_json()["version"]
    with wiring.pool.connection() as conn:
        assert plans.live_version(conn) == version
    first = client.get("/api/v1/plans").get_json()["items"][-1]["version"]
    back = client.post(f"/api/v1/plans/{first}/rollback", json={"why": "too early"}).get_json()["version"]
    assert client.get(f"/api/v1/plans/{back}").get_json()["yaml"] == STARTER.read_text("utf-8")


def test_lists_are_read_page_by_page(with_token: WithToken, wiring: Wiring) -> None:
    with wiring.pool.connection() as conn:
        for number in range(5):
            facts.add(conn, CALL, "held", wiring.clock(), {"queue": f"q{number}", "caller": "+12025550143"})
    client: Program = with_token("calls")
    seen, after = [], None
    for _ in range(3):
        told = client.get("/api/v1/facts", query_string={"limit": 2, **({"after": after} if after else {})}).get_json()
        seen += told["items"]
        after = told["next"]
    assert [one["data"]["queue"] for one in seen] == ["q0", "q1", "q2", "q3", "q4"]
    assert {one["data"]["caller"] for one in seen} == {"(number)"}
    assert after is None


def test_a_token_that_asks_too_often_waits_and_others_do_not(
    with_token: WithToken, api: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = RateLimitItemPerMinute(3)
    monkeypatch.setattr(api.extensions["offhold_api_rates"], "a_minute", few)
    client = with_token("read")
    statuses = [client.get("/api/v1/plans").status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert client.get("/api/v1/plans").headers["Retry-After"] == "10"
    assert with_token("read").get("/api/v1/plans").status_code == 200


def test_whoever_tries_tokens_is_told_to_wait_and_whoever_has_one_goes_on(app: Flask, with_token: WithToken) -> None:
    there = {"environ_base": {"REMOTE_ADDR": "198.51.100.7"}}
    elsewhere = {"environ_base": {"REMOTE_ADDR": "198.51.100.8"}}
    guess, known = {"Authorization": "Bearer offhold_guessed"}, with_token("read")
    client = app.test_client()
    statuses = [client.get("/api/v1/plans", headers=guess, **there).status_code for _ in range(WRONG_A_MINUTE + 1)]
    assert statuses == [401] * WRONG_A_MINUTE + [429]
    assert client.get("/api/v1/plans", headers=guess, **there).get_json()["id"] == "too_many_requests"
    assert known.get("/api/v1/plans", **there).status_code == 200
    assert client.get("/api/v1/plans", **there).status_code == 401
    assert client.get("/api/v1/plans", headers=guess, **elsewhere).status_code == 401


def test_while_the_database_is_away_the_answer_says_so(with_token: WithToken, wiring: Wiring, clock: Clock) -> None:
    client = with_token("read")
    wiring.pool.close()
    answer = client.get("/api/v1/plans")
    assert (answer.status_code, answer.get_json()["id"]) == (503, "unavailable")


def test_every_error_stands_in_the_documentation_as_it_is() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (.+?) \|$", DOCS.read_text("utf-8"), re.MULTILINE)
    assert {name: (int(status), meaning) for name, status, meaning in rows} == {
        name: (status, meaning) for name, (status, _, meaning) in ERRORS.items()
    }
