"""The real app on real stores, called as the carrier and as a browser would."""

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from config.settings import Settings
from ivr import wiring as wirings
from ivr.app import create_app
from ivr.carrier import signature
from ivr.wiring import Wiring
from models import articles, numbers, plans, texts
from models.texts import NewText
from search.article import Answer, Article
from tests.ivr.web import compiled

STARTER = Path(__file__).resolve().parents[3] / "config" / "starter" / "menu.yaml"
CALL = "CA" + "1" * 32
AGENT_CALL = "CA" + "a" * 32
CALLER = "+12025550143"
CALLED = "+15005550006"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Safari/604.1"

RED_LIGHT = Article(
    id="router-light-red",
    title="Router light stays red",
    question="The light on the front stays red.",
    answers=(
        Answer(
            "Pull the power cord for one full minute, then plug it in again.\n\n"
            "1. Wait until the light blinks white.\n2. Leave it alone for five minutes.\n\n"
            "Still red? <b>Check</b> the white plug.",
            "Mei-Ling Chow",
            31,
            True,
        ),
    ),
    author="Kerry",
    votes=40,
    url="https://community.lumora.example/t/router-light-red",
    tags=("internet", "router"),
    language="en",
    licence="CC BY 4.0",
    name_authors=True,
    short="Pull the power cord for one full minute, then plug it in again.",
)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Carrier:
    """Signed webhooks, as the carrier sends them."""

    client: FlaskClient
    settings: Settings

    def post(
        self,
        path: str,
        form: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> TestResponse:
        """POST to `path` (query included) with the account's id added and everything signed."""
        sent = {"AccountSid": self.settings.twilio_account_sid, **(form or {})}
        secret = token or self.settings.twilio_auth_token[0].get_secret_value()
        signed = signature.sign(f"{self.settings.public_base_url}{path}", sent, secret)
        return self.client.post(path, data=sent, headers={signature.HEADER: signed, **(headers or {})})

    def call(self, path: str, **form: str) -> TestResponse:
        """A voice webhook of the one call."""
        return self.post(path, {"CallSid": CALL, "From": CALLER, "To": CALLED, **form})


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    with compiled.shared():
        yield


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wiring(settings: Settings, clock: Clock) -> Iterator[Wiring]:
    """The service with the starter plan and one article, and no index: leaves with pins only."""
    built = wirings.build(settings, clock, pool_size=4)
    try:
        with built.pool.connection(timeout=5) as conn:
            plans.publish(conn, STARTER.read_text("utf-8"), "tests", "the starter plan", at=clock())
            articles.upsert_many(conn, [RED_LIGHT], "tests")
        yield built
    finally:
        built.close()


@pytest.fixture
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What the service logs."""
    with capture_logs() as lines:
        yield lines


@pytest.fixture
def app(wiring: Wiring, logged: list[MutableMapping[str, Any]]) -> Flask:
    return create_app(wiring)


@pytest.fixture
def token(wiring: Wiring, clock: Clock) -> str:
    """The link of a text about RED_LIGHT, sent a minute ago in the one call."""
    now = clock()
    with wiring.pool.connection() as conn:
        text, _ = texts.queue(
            conn,
            NewText(
                id="text-1",
                call_sid=CALL,
                article_id=RED_LIGHT.id,
                kind="link",
                caller_key="key",
                to_key="key",
                number_id=numbers.keep(conn, "key", b"sealed", now),
                from_number=CALLED,
                language="en",
                leaf=None,
                topic="your router",
                discreet=False,
                path=(),
                body="Lumora: ...",
                segments=1,
                token="a1B2c3D4e5F",
                typed=False,
                test=False,
                due_at=now,
                created_at=now,
                expires_at=now + timedelta(minutes=10),
            ),
        )
    clock.on(60)
    return text.token


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    """A telephone's browser."""
    client = app.test_client()
    client.environ_base["HTTP_USER_AGENT"] = PHONE
    return client


@pytest.fixture
def carrier(app: Flask, settings: Settings) -> Carrier:
    return Carrier(app.test_client(), settings)
