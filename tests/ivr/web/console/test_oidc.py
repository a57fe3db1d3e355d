"""Signing in at an issuer: a small one on this machine, that signs real tokens."""

import functools
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from config.settings import Settings
from ivr.console import issuer as accounts
from ivr.web.console import issuers
from ivr.wiring import Wiring, system_clock
from models import audit, staff
from tests.ivr.web.console.conftest import ConsoleClient, SignedIn

CLIENT = "offhold-console"


@functools.cache
def the_key() -> RSAKey:
    """The issuer's key: making one takes a second of a processor."""
    return RSAKey.generate_key(2048, parameters={"kid": "1", "use": "sig"})


@dataclass
class Issuer:
    """What it says of the person who signs in, and how it may go wrong."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    nonce: str = ""
    asked: dict[str, list[str]] = field(default_factory=dict)
    key: RSAKey = field(default_factory=the_key)
    signing: RSAKey | None = None
    down: bool = False

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def token(self) -> dict[str, Any]:
        now = int(system_clock().timestamp())
        claims = {
            "iss": self.url, "aud": CLIENT, "sub": "person-1", "iat": now, "exp": now + 300, "nonce": self.nonce,
            "email": "lu@lumora.example", "email_verified": True, "name": "Lu Xun", "offhold_role": ["editor"],
            **self.claims,
        }  # fmt: skip
        signed = jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.signing or self.key)
        return {"access_token": "at", "token_type": "Bearer", "expires_in": 300, "id_token": signed}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    here = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, body: Any) -> None:
            raw = json.dumps(body).encode()
            self.send_response(500 if here.down else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def do_GET(self) -> None:
            keys = {"keys": [here.key.as_dict(private=False)]}
            self._answer(keys if self.path == "/keys" else here.metadata())

        def do_POST(self) -> None:
            here.asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self._answer(here.token())

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def company(settings: Settings, issuer: Issuer, console: Flask) -> Issuer:
    """The issuer, and the console that knows it."""
    given = settings.model_dump() | {
        "oidc_issuer": issuer.url, "oidc_client_id": CLIENT, "oidc_client_secret": "a secret between the two",
    }  # fmt: skip
    known = Settings.model_validate(given)
    console.extensions["offhold"].settings = known
    issuers.install(console, known)
    return issuer


def go(client: ConsoleClient, company: Issuer, **changed: str) -> TestResponse:
    """There and back, as a browser goes."""
    there = client.get("/console/oidc")
    assert there.status_code == 302, there.text
    query = {name: values[0] for name, values in parse_qs(urlsplit(there.headers["Location"]).query).items()}
    assert (query["client_id"], query["code_challenge_method"], query["response_type"]) == (CLIENT, "S256", "code")
    company.nonce = query["nonce"]
    back = {"code": "c0de", "state": query["state"], **changed}
    assert query["redirect_uri"].endswith("/console/oidc/back")
    return client.get("/console/oidc/back", query_string=back)


def test_who_signs_in_at_the_issuer_gets_an_account_with_the_role_it_says(
    nobody: ConsoleClient, company: Issuer, wiring: Wiring
) -> None:
    assert "Sign in with your company account" in nobody.get("/console/sign-in").text
    answer = go(nobody, company)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/")
    assert company.asked["code_verifier"]
    assert nobody.get("/console/account").status_code == 200
    with wiring.pool.connection() as conn:
        (person,) = staff.everyone(conn)
        assert (person.email, person.name, person.role, person.password_hash) == (
            "lu@lumora.example", "Lu Xun", "editor", None,
        )  # fmt: skip
        assert [entry.what for entry in audit.find(conn)] == ["staff.joined"]


def test_the_role_follows_the_issuer_and_other_sessions_end(
    nobody: ConsoleClient, company: Issuer, wiring: Wiring
) -> None:
    go(nobody, company)
    held = nobody.get_cookie("offhold")
    assert held is not None
    company.claims = {"offhold_role": "viewer admin", "email": "another@lumora.example"}
    go(nobody, company)
    with wiring.pool.connection() as conn:
        (person,) = staff.everyone(conn)
        assert (person.role, person.email) == ("admin", "lu@lumora.example")
        assert audit.find(conn, limit=1)[0].after == {"role": "admin"}
    nobody.set_cookie("offhold", held.value, path="/")
    assert nobody.get("/console/account").status_code == 303


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        ({"offhold_role": []}, "no role"),
        ({"offhold_role": "king"}, "no role"),
        ({"offhold_role": {"admin": True}}, "no role"),
        ({"email": None}, "no e-mail address"),
        ({"email_verified": False}, "no e-mail address"),
        ({"aud": "another-client"}, "did not work"),
        ({"iss": "https://evil.example"}, "did not work"),
        ({"exp": 1_000_000_000}, "did not work"),
        ({"nonce": "an older one"}, "did not work"),
        ({"sub": None}, "did not work"),
    ],
)
def test_a_person_or_a_token_that_does_not_fit_gets_nobody_in(
    claims: dict[str, Any], told: str, nobody: ConsoleClient, company: Issuer, wiring: Wiring
) -> None:
    company.claims = claims
    assert go(nobody, company).headers["Location"] == "/console/sign-in"
    assert told in nobody.get("/console/sign-in").text
    with wiring.pool.connection() as conn:
        assert staff.everyone(conn) == []


def test_a_token_signed_by_someone_else_gets_nobody_in(nobody: ConsoleClient, company: Issuer) -> None:
    company.signing = RSAKey.generate_key(2048, parameters={"kid": "1"})
    assert go(nobody, company).headers["Location"] == "/console/sign-in"


def test_an_answer_nobody_asked_for_gets_nobody_in(nobody: ConsoleClient, company: Issuer) -> None:
    assert go(nobody, company, state="made up").headers["Location"] == "/console/sign-in"
    assert nobody.get("/console/oidc/back?error=access_denied").headers["Location"] == "/console/sign-in"


def test_an_issuer_that_is_down_is_told(nobody: ConsoleClient, company: Issuer) -> None:
    company.down = True
    assert nobody.get("/console/oidc").headers["Location"] == "/console/sign-in"
    assert "did not work" in nobody.get("/console/sign-in").text


def test_an_account_with_a_password_is_not_taken_over(
    nobody: ConsoleClient, signed_in: SignedIn, company: Issuer, wiring: Wiring
) -> None:
    signed_in("admin")
    company.claims = {"email": "Admin1@lumora.example"}
    go(nobody, company)
    assert "signs in with a password" in nobody.get("/console/sign-in").text


def test_an_invited_person_may_come_by_the_issuer(nobody: ConsoleClient, company: Issuer, wiring: Wiring) -> None:
    with wiring.pool.connection() as conn:
        invited = staff.add(conn, "lu@lumora.example", "Lu", "viewer", "en", wiring.clock())
    go(nobody, company)
    with wiring.pool.connection() as conn:
        person = staff.read(conn, invited)
    assert person is not None
    assert (person.role, person.subject) == ("editor", f"{company.url}|person-1")


def test_a_person_who_is_switched_off_stays_out(nobody: ConsoleClient, company: Issuer, wiring: Wiring) -> None:
    go(nobody, company)
    with wiring.pool.connection() as conn:
        (person,) = staff.everyone(conn)
        staff.set_active(conn, person.id, False)
    go(nobody, company)
    assert "switched off" in nobody.get("/console/sign-in").text


def test_without_an_issuer_there_is_no_such_way_in(nobody: ConsoleClient) -> None:
    assert nobody.get("/console/oidc").status_code == 404
    assert "company account" not in nobody.get("/console/sign-in").text


def test_of_several_roles_the_strongest_counts() -> None:
    assert accounts.role(["viewer", "finance", "editor"]) == "finance"
    assert accounts.role("editor") == "editor"
    assert accounts.role(7) is None
