"""The console as a browser sees it, by anyone of any role."""

import hashlib
import re
import secrets
import threading
from collections.abc import Callable
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from ivr.console import passwords
from ivr.wiring import Wiring
from models import sessions, staff


class ConsoleClient(FlaskClient):
    """A browser. Paths are whole ("/console/account"). `staff_id` is None for nobody who is signed in."""

    staff_id: int | None = None
    csrf_token: str = ""

    def new_token(self) -> None:
        """Read the form token anew: signing in and out gives the browser another."""
        found = re.search(
            r'name="csrf_token" value="([^"]+)"', self.get("/console/account", follow_redirects=True).text
        )
        assert found
        self.csrf_token = found[1]

    def post_form(self, path: str, **fields: Any) -> TestResponse:
        """A form of ours sent off, token included. A list is a field that comes several times."""
        return self.post(path, data={"csrf_token": self.csrf_token, **fields})


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same hash with less work: what is tested is what becomes of it. And patience on a busy machine."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1))
    monkeypatch.setattr(passwords, "WAIT_S", 120.0)
    monkeypatch.setattr(passwords, "_AT_THE_DOOR", threading.BoundedSemaphore(8))


SignedIn = Callable[[str], ConsoleClient]


@pytest.fixture
def console(app: Flask) -> Flask:
    """The application mounted at /console."""
    found: Flask = app.extensions["mounted"]["/console"]
    return found


def _client(app: Flask, console: Flask, **held: str) -> ConsoleClient:
    raw = secrets.token_hex(20)
    client = ConsoleClient(app, app.response_class, use_cookies=True)
    assert isinstance(console.session_interface, SecureCookieSessionInterface)
    serializer = console.session_interface.get_signing_serializer(console)
    assert serializer is not None
    client.set_cookie(
        console.config["SESSION_COOKIE_NAME"], serializer.dumps({"csrf_token": raw, **held}), path="/", secure=False
    )
    client.csrf_token = str(URLSafeTimedSerializer(console.secret_key or "", salt="wtf-csrf-token").dumps(raw))
    return client


@pytest.fixture
def nobody(app: Flask, console: Flask) -> ConsoleClient:
    """A browser in which nobody is signed in."""
    return _client(app, console)


@pytest.fixture
def signed_in(app: Flask, console: Flask, wiring: Wiring) -> SignedIn:
    """`signed_in("editor")`: a browser in which someone of this role is signed in, each time another person."""
    made = 0

    def sign_in(role: str) -> ConsoleClient:
        nonlocal made
        made += 1
        session_id, now = secrets.token_urlsafe(32), wiring.clock()
        with wiring.pool.connection() as conn:
            staff_id = staff.add(conn, f"{role}{made}@lumora.example", f"{role.title()} {made}", role, "en", now)
            staff.set_password(conn, staff_id, "no hash at all")
            sessions.begin(conn, hashlib.sha256(session_id.encode()).digest(), staff_id, now)
        client = _client(app, console, id=session_id)
        client.staff_id = staff_id
        return client

    return sign_in
