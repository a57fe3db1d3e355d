"""The API as a program with a token sees it."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ivr.wiring import Wiring
from models import staff, tokens


class Program(FlaskClient):
    """Sends a token with each request."""

    token: str = ""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", **(kwargs.pop("headers", None) or {})}
        return super().open(*args, headers=headers, **kwargs)


WithToken = Callable[..., Program]


@pytest.fixture
def api(app: Flask) -> Flask:
    """The application mounted at /api."""
    found: Flask = app.extensions["mounted"]["/api"]
    return found


@pytest.fixture
def with_token(app: Flask, wiring: Wiring) -> WithToken:
    """`with_token("menus", "read")`: a program whose token is for these."""
    made = 0

    def make(*scopes: str) -> Program:
        nonlocal made
        made += 1
        token = f"offhold_{made:043d}"
        with wiring.pool.connection() as conn:
            person = staff.by_email(conn, "ada@lumora.example")
            now = wiring.clock()
            by = person.id if person else staff.add(conn, "ada@lumora.example", "Ada", "admin", "en", now)
            tokens.add(conn, f"program {made}", token[:14], hashlib.sha256(token.encode()).digest(), scopes, by, now)
        client = Program(app, app.response_class)
        client.token = token
        return client

    return make
