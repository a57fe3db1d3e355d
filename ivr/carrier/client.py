"""The carrier's REST API through its own library, with what that library lacks: time-outs and another host.

The library has neither by itself, and it reads TWILIO_REGION and TWILIO_EDGE from the environment, which would send
our requests to another region without a word.
"""

import logging
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

REAL = "https://api.twilio.com"
Times = tuple[float, float]  # seconds to connect, and between two bytes read


class CarrierBusy(Exception):
    """HTTP 429: the request was not processed. `retry_after_s` is None when the carrier names no time."""

    def __init__(self, retry_after_s: float | None) -> None:
        super().__init__("the carrier is busy")
        self.retry_after_s = retry_after_s


class CarrierHttp(TwilioHttpClient):  # type: ignore[misc]  # the library is untyped
    """Requests to `base_url` in place of the real hosts (api, lookups, pricing alike), within `times`, tried once."""

    def __init__(self, base_url: str, times: Times) -> None:
        super().__init__()
        # At INFO the library logs addresses with their queries, a caller's number among them.
        logging.getLogger("twilio.http_client").setLevel(logging.WARNING)
        self._base = None if base_url.rstrip("/") == REAL else urlsplit(base_url.rstrip("/"))
        self.timeout = times  # to the library a number; `requests` takes the pair
        if self._base is not None and self._base.hostname in {"127.0.0.1", "localhost", "::1"}:
            self.session.trust_env = False  # a proxy has no business between two processes of one machine

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        """As the library's. Raises CarrierBusy on 429 and the exceptions of `requests`."""
        response = super().request(method, self._moved(url), *args, **kwargs)
        if response.status_code == 429:
            raise CarrierBusy(_seconds(response.headers.get("Retry-After")))
        return response

    def _moved(self, url: str) -> str:
        if self._base is None:
            return url
        parts = urlsplit(url)
        path = self._base.path + parts.path
        return urlunsplit((self._base.scheme, self._base.netloc, path, parts.query, parts.fragment))


def _seconds(header: str | None) -> float | None:
    try:
        return min(max(float(header or ""), 0.0), 60.0)
    except ValueError:
        return None


def build_client(
    *, account_sid: str, username: str, password: str, base_url: str, times: Times = (3.0, 10.0)
) -> Client:
    """A client of the account. `username` is an API key's SID with its secret, or the account's own with its token."""
    return Client(
        username,
        password,
        account_sid,
        http_client=CarrierHttp(base_url, times),
        environment={"TWILIO_REGION": "", "TWILIO_EDGE": ""},  # an empty mapping would mean os.environ
    )
