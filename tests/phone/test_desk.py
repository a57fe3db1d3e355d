"""The desk's JSON: what the page polls and what it may order."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ivr.phone.desk import MARK, desk
from ivr.phone.engine import Carrier, Crowd
from ivr.phone.ticker import Ticker
from tests.phone.tiny import BASE, CALLER, Reply, Tiny, carrier

Desk = tuple[FlaskClient, Carrier, Tiny]


@pytest.fixture
def a_desk() -> Desk:
    pages: dict[str, Reply] = {
        "/voice/incoming": '<Gather numDigits="1" action="/menu"><Say language="es-MX">Press 1</Say></Gather>',
        "/menu": '<Enqueue waitUrl="/hold" action="/left">internet</Enqueue>',
        "/hold": '<Pause length="30"/><Say>Still there?</Say>',
        "/left": "<Hangup/>",
        "/voice/agent": '<Dial><Queue url="/connecting">internet</Queue></Dial>',
        "/connecting": "<Say>Now</Say>",
        "/sms/incoming": "<Message>Noted</Message>",
    }
    phone, tiny = carrier(pages)
    app = Flask("ivr.phone", template_folder="templates", static_folder="static")
    app.register_blueprint(desk(phone, Ticker(phone), BASE))
    return app.test_client(), phone, tiny


def order(client: FlaskClient, name: str, **body: Any) -> Any:
    return client.post(f"/desk/{name}", json=body, headers={MARK: "1"})


def dial(client: FlaskClient, phone: Carrier) -> str:
    got = order(client, "call", **{"from": CALLER, "to": phone.main.number, "arm": "treat"})
    return str(got.get_json()["call"])


def state(client: FlaskClient, call: str, after: int = 0) -> Any:
    return client.get("/desk/state", query_string={"call": call, "handset": CALLER, "after": after}).get_json()


def test_page_needs_nothing_from_elsewhere(a_desk: Desk) -> None:
    client, _, _ = a_desk
    answer = client.get("/")
    text = answer.get_data(as_text=True)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "<style" not in text
    assert "style=" not in text
    assert text.count("<script ") == 1
    for file in ("phone.css", "phone.js", "phone.svg"):
        with client.get(f"/static/{file}") as static:
            assert static.status_code == 200


def test_call_is_heard_pressed_and_hung_up_on(a_desk: Desk) -> None:
    client, phone, tiny = a_desk
    sid = dial(client, phone)
    first = state(client, sid)
    assert [(line["kind"], line["text"], line["language"]) for line in first["heard"]] == [("say", "Press 1", "es-MX")]
    assert first["call"]["listens"] == ["dtmf"]
    order(client, "press", call=sid, key="1")
    later = state(client, sid, after=1)
    assert later["heard"][0]["text"] == "1"
    assert later["cut"] == [0]
    assert (later["call"]["queue"], later["call"]["position"]) == ("internet", 1)
    order(client, "hang-up", call=sid)
    assert state(client, sid)["call"]["over"] is True
    assert tiny.to("/left")[0]["QueueResult"] == "hangup"


def test_crowd_queue_agent_and_agents_page(a_desk: Desk) -> None:
    client, phone, _ = a_desk
    order(client, "crowd", ahead=2, every_s=0)
    assert phone.crowd == Crowd(2, None)
    sid = dial(client, phone)
    order(client, "press", call=sid, key="1")
    [queue] = state(client, sid)["queues"]
    assert [place["you"] for place in queue["places"]] == [False, False, True]
    agent = order(client, "agent-answers", queue="internet").get_json()["agent"]
    phone.advance(3)
    seen = state(client, sid)["call"]
    assert seen["agent_url"] == f"{BASE}/agent?call={agent}"
    order(client, "agent-hangs-up", call=sid)
    assert state(client, sid)["call"]["over"] is True


def test_texts_go_both_ways(a_desk: Desk) -> None:
    client, phone, _ = a_desk
    order(client, "text", **{"from": CALLER, "body": "help me"})
    phone.advance(5)
    texts = state(client, "")["texts"]
    assert [(text["body"], text["mine"]) for text in texts] == [("help me", True), ("Noted", False)]


def test_skip_goes_to_the_next_thing_spoken(a_desk: Desk) -> None:
    client, phone, _ = a_desk
    sid = dial(client, phone)
    order(client, "press", call=sid, key="1")
    order(client, "skip", call=sid)
    assert state(client, sid)["heard"][-1]["text"] == "Still there?"
    assert state(client, sid)["call"]["waited_s"] == 30


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("call", {"from": CALLER, "to": "+1", "arm": "treat"}),
        ("call", {"from": CALLER, "to": "+15005550006", "arm": "mine"}),
        ("press", {"call": "CA", "key": "1"}),
        ("crowd", {"ahead": "many"}),
        ("crowd", {"ahead": 1000, "every_s": 1}),
        ("speed", {"speed": 100}),
        ("agent-answers", {"queue": "x"}),
        ("text", {"from": "sip:a@b", "body": "x"}),
        ("fly", {}),
    ],
)
def test_nonsense_is_refused_in_words(a_desk: Desk, name: str, body: dict[str, Any]) -> None:
    client, _, _ = a_desk
    answer = order(client, name, **body)
    assert answer.status_code == 400
    assert answer.get_json()["problem"].endswith(".")


def test_foreign_page_cannot_order_anything(a_desk: Desk) -> None:
    client, phone, _ = a_desk
    form = {"from": CALLER, "to": phone.main.number, "arm": "treat"}
    assert client.post("/desk/call", json=form).status_code == 403
    assert client.post("/desk/stories", data="title: T").status_code == 403
    assert phone.calls == {}


def wait_for(done: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while not done() and time.monotonic() < end:
        time.sleep(0.02)
    return done()


def test_clock_runs_by_the_wall_and_faster_when_told() -> None:
    phone, _ = carrier({"/voice/incoming": '<Pause length="20"/>'})
    ticker = Ticker(phone)
    ticker.speed = 100.0
    ticker.start()
    try:
        call = phone.call(CALLER)
        assert wait_for(lambda: call.over)
    finally:
        ticker.stop()
    assert (phone.now - call.started_at).total_seconds() >= 20


@pytest.mark.parametrize(("speed", "pressed"), [(1, "false"), (5, "true")])
def test_the_page_comes_with_the_speed_it_runs_at(a_desk: Desk, speed: int, pressed: str) -> None:
    client, _, _ = a_desk
    order(client, "speed", speed=speed)
    assert f'id="speed" aria-pressed="{pressed}"' in client.get("/").get_data(as_text=True)


def test_story_is_played_on_the_desk_and_read_by_polling() -> None:
    phone, _ = carrier({"/voice/incoming": "<Say>Hello</Say>"})
    ticker = Ticker(phone)
    app = Flask("ivr.phone")
    app.register_blueprint(desk(phone, ticker, BASE))
    client = app.test_client()
    ticker.start()
    try:
        text = "title: T\nturns:\n  - starts: {}\n  - hears: [Hello]\n  - hears_not: [Hello]"
        place = client.post("/desk/stories?name=a.yaml", data=text, headers={MARK: "1"}).get_json()["id"]
        assert wait_for(lambda: bool(client.get(f"/desk/stories/{place}").get_json()["done"]))
    finally:
        ticker.stop()
    seen = client.get(f"/desk/stories/{place}").get_json()
    assert any("hears: Hello" in line for line in seen["lines"])
    assert seen["problems"] == ["a.yaml:5: hears_not: was heard: 'Hello'"]
    bad = client.post("/desk/stories", data="turns: 1", headers={MARK: "1"})
    assert bad.status_code == 400
    assert len(bad.get_json()["problems"]) == 2
