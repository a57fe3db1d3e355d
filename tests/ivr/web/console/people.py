"""Real accounts with a password and an authenticator, made as people make them."""

import re
from dataclasses import dataclass
from typing import Any

import pyotp
from werkzeug.test import TestResponse

from ivr.console import links
from ivr.wiring import Wiring
from tests.ivr.web.console.conftest import ConsoleClient

PASSWORD = "lentil harbour 41 xylem"


@dataclass
class Account:
    """What a person knows and holds."""

    email: str
    secret: str
    recovery_codes: list[str]

    def code(self, wiring: Wiring) -> str:
        """What the authenticator shows now."""
        return pyotp.TOTP(self.secret).at(wiring.clock())


def secret_of(page: str) -> str:
    """The authenticator's key as the page shows it."""
    found = re.search(r'<p class="mono">([A-Z2-7 ]+)</p>', page)
    assert found, page
    return found[1].replace(" ", "")


def setup_token(wiring: Wiring) -> str:
    with wiring.pool.connection() as conn:
        return links.setup_link(conn, wiring.clock())


def join(client: ConsoleClient, wiring: Wiring, token: str, **fields: Any) -> TestResponse:
    """Fill in the page behind a link."""
    secret = secret_of(client.get(f"/console/join/{token}").text)
    return fill_in(client, wiring, token, secret, **fields)


def fill_in(client: ConsoleClient, wiring: Wiring, token: str, secret: str, **fields: Any) -> TestResponse:
    """Send the form of a page behind a link that was opened before."""
    given = {"name": "Maria Ruiz", "password": PASSWORD, "code": pyotp.TOTP(secret).at(wiring.clock()), **fields}
    return client.post_form(f"/console/join/{token}", **given)


def set_up(client: ConsoleClient, wiring: Wiring, email: str = "maria@lumora.example") -> Account:
    """The first administrator's account, by the set-up link. The client is signed in afterwards."""
    token = setup_token(wiring)
    secret = secret_of(client.get(f"/console/join/{token}").text)
    done = fill_in(client, wiring, token, secret, email=email)
    assert done.status_code == 200, done.text
    codes = re.findall(r"<li>([a-z2-9-]{19})</li>", done.text)
    assert len(codes) == 10
    return Account(email, secret, codes)


def sign_in(client: ConsoleClient, email: str, code: str, password: str = PASSWORD, **more: Any) -> TestResponse:
    """Send the sign-in form as it stands on the page now."""
    return client.post_form("/console/sign-in", email=email, password=password, code=code, **more)
