"""The service and the carrier on the desk speak the same protocol: signatures, documents, texts."""

from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from config.settings import Settings
from ivr.carrier import signature
from ivr.carrier.signature import FORM, Signatures
from ivr.phone import signing
from ivr.phone.engine import Carrier as Desk
from ivr.phone.engine import Crowd
from ivr.phone.transport import FlaskTransport
from ivr.wiring import Wiring
from models import calls, facts
from tests.ivr.web.conftest import CALLED, CALLER, Clock


@pytest.fixture
def desk(app: Flask, settings: Settings, clock: Clock) -> Iterator[Desk]:
    """A stand-in carrier in front of the real app, on the app's own clock."""
    made = Desk(
        settings.twilio_account_sid,
        settings.twilio_auth_token[0].get_secret_value(),
        settings.public_base_url,
        CALLED,
        transport=FlaskTransport(app),
        start=clock.now,
    )
    made.on_time = lambda now: setattr(clock, "now", now)
    yield made
    assert [str(misuse) for misuse in made.warnings] == []


def test_both_sides_sign_alike() -> None:
    pairs = [("B", "ü 😀 "), ("A", ""), ("Digits", "2"), ("Digits", "1")]
    url = "https://ivr.example.org/voice/menu?turn=3&x=%7E"
    given = signing.sign(url, pairs, "12345")
    assert Signatures(("12345",), "https://ivr.example.org").genuine(
        "/voice/menu",
        "turn=3&x=%7E",
        headers={signature.HEADER: given},
        content_type=FORM,
        form=MultiDict(pairs),
        body=b"",
    )


def names(wiring: Wiring, sid: str) -> list[str]:
    with wiring.pool.connection() as conn:
        return [fact.name for fact in facts.of_call(conn, sid)]


def test_a_call_from_greeting_to_agent_is_played_without_a_warning(desk: Desk, wiring: Wiring) -> None:
    desk.crowd = Crowd(ahead=3, every_s=60.0)
    call = desk.call(CALLER)
    desk.advance(2)
    for key in ("3", "1"):
        desk.press(call, key)
        desk.advance(2)
    desk.advance(60)
    assert "offered" in names(wiring, call.sid) or "eligible" in names(wiring, call.sid)
    desk.press(call, "1")
    desk.advance(200)
    agent = desk.agent_answers("technical")
    desk.advance(30)
    desk.agent_hangs_up(agent)
    desk.advance(10)
    told = names(wiring, call.sid)
    assert told[0] == "call_started"
    assert told[-1] == "call_ended"
    assert {"held", "accepted", "text_queued", "agent_connected", "agent_ended"} <= set(told)
    with wiring.pool.connection() as conn:
        assert calls.by_agent(conn, agent.sid) == call.sid
