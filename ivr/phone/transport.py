"""How the phone reaches the service: real HTTP, or a Flask test client in the same process."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests

from ivr.phone.signing import Pairs

if TYPE_CHECKING:
    from flask import Flask

CEILING_S = 15.0
CONNECT_S = 5.0


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def mime(self) -> str:
        """The media type without its parameters, lower case; empty when the answer names none."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()


class ConnectFailed(Exception):
    """No connection: the other side surely saw nothing."""


class TimedOut(Exception):
    """No complete answer in time: the other side may have done it."""


Transport = Callable[[str, str, Pairs, Mapping[str, str]], Answer]
"""(method, url without fragment, form pairs, headers) -> Answer; raises ConnectFailed or TimedOut."""


class HttpTransport:
    """Real HTTP without following redirects; 5 s to connect and 15 s to answer, as at Twilio."""

    def __init__(self, *, read_s: float = CEILING_S) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self._timeout = (CONNECT_S, read_s)

    def __call__(self, method: str, url: str, form: Pairs, headers: Mapping[str, str]) -> Answer:
        """Send one request. Cookies are the caller's business: the session keeps none."""
        try:
            got = self._session.request(
                method,
                url,
                data=list(form) if method == "POST" else None,
                headers=dict(headers),
                timeout=self._timeout,
                allow_redirects=False,
            )
        except (requests.exceptions.ConnectTimeout, requests.exceptions.ConnectionError) as problem:
            raise ConnectFailed(type(problem).__name__) from problem
        except requests.exceptions.Timeout as problem:
            raise TimedOut(type(problem).__name__) from problem
        except requests.exceptions.RequestException as problem:
            raise ConnectFailed(type(problem).__name__) from problem
        finally:
            self._session.cookies.clear()
        return Answer(got.status_code, {k.lower(): v for k, v in got.headers.items()}, got.content)


class FlaskTransport:
    """The service's own app called in this process, under the host and scheme of the URL."""

    def __init__(self, app: "Flask") -> None:
        self._client = app.test_client(use_cookies=False)

    def __call__(self, method: str, url: str, form: Pairs, headers: Mapping[str, str]) -> Answer:
        """Send one request through the app; an exception that leaves the app leaves this too."""
        fields: dict[str, list[str]] = {}
        for name, value in form:
            fields.setdefault(name, []).append(value)
        kept = {k: v for k, v in headers.items() if k.lower() != "content-type"}
        got = self._client.open(
            url,
            method=method,
            data=fields if method == "POST" else None,
            headers=kept,
            content_type="application/x-www-form-urlencoded" if method == "POST" else None,
        )
        try:
            return Answer(got.status_code, {k.lower(): v for k, v in got.headers.items()}, got.data)
        finally:
            got.close()
