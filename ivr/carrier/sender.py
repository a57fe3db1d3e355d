"""Sending a text, once, and finding out whether it was taken. There is no idempotency key at the carrier: the link's
token in the body is what a text is known by."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import requests
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProxyError

from config.settings import Settings
from ivr.carrier.client import CarrierBusy, build_client

LISTED = 100  # messages to one number looked through, newest first
SKEW = timedelta(hours=1)  # between the carrier's clock and a machine's whose time nobody sets: it costs a look only

#: what asking the carrier may end in, an answer that cannot be read among it
_NOTHING_LEARNT = (
    CarrierBusy, TwilioException, requests.RequestException, ValueError, KeyError, TypeError, ArithmeticError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sent:
    """Accepted."""

    message_sid: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Refused for good, with the carrier's code."""

    code: int | None


@dataclass(frozen=True, slots=True)
class Busy:
    """Not processed; worth another try after `retry_after_s`."""

    retry_after_s: float | None


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Surely not taken: no connection came about."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Taken or not, we cannot know."""

    why: str


@dataclass(frozen=True, slots=True)
class Price:
    """What the carrier charged for a text, in micro-units; other carriers' fees come apart."""

    micro: int
    currency: str


Outcome = Sent | Refused | Busy | NotTaken | Unknown


class LookUpFailed(Exception):
    """The carrier could not say whether it has the text."""


class Sender:
    """Texts of one account, from a messaging service, a fixed sender, or else the number that was called."""

    def __init__(
        self,
        client: Client,
        *,
        messaging_service_sid: str | None = None,
        sender_number: str | None = None,
        quick_client: Client | None = None,
    ) -> None:
        self._client = client
        self._quick = quick_client or client
        self._service = messaging_service_sid
        self._number = sender_number

    @classmethod
    def from_settings(cls, settings: Settings) -> "Sender":
        """The sender an operator has set up."""
        times = (settings.carrier_connect_timeout_s, settings.carrier_timeout_s)
        return cls(
            client_of(settings, times),
            messaging_service_sid=settings.twilio_messaging_service_sid,
            sender_number=settings.twilio_sender_number,
            quick_client=client_of(settings, (1.0, 1.5)),
        )

    def send(self, to: str, body: str, *, from_number: str, status_callback: str, valid_for_s: int) -> Outcome:
        """One attempt. A 5xx or a time-out after the request went out is Unknown: it may have been taken."""
        sender: dict[str, Any] = (
            {"messaging_service_sid": self._service} if self._service else {"from_": self._number or from_number}
        )
        try:
            message = self._client.messages.create(
                to=to, body=body, status_callback=status_callback, validity_period=valid_for_s, **sender
            )
        except CarrierBusy as busy:
            return Busy(busy.retry_after_s)
        except TwilioRestException as answer:
            # 408 and 5xx say nothing about what was done before; all other answers refuse.
            return (
                Unknown(f"http {answer.status}") if answer.status == 408 or answer.status >= 500 else _refused(answer)
            )
        except requests.RequestException as failure:
            return NotTaken() if never_connected(failure) else Unknown(type(failure).__name__)
        except (TwilioException, ValueError, KeyError) as failure:  # an answer that cannot be read
            return Unknown(type(failure).__name__)
        return Sent(message.sid) if message.sid else Unknown("no sid")

    def find_by_token(self, to: str, token: str, since: datetime) -> str | None:
        """Look through the messages to a number since a time. Not filtered by date there: a text still queued at the
        carrier has no date of sending. Raises LookUpFailed."""
        try:
            listed = self._client.messages.list(to=to, limit=LISTED, page_size=LISTED)
            for message in listed:
                if message.date_created is not None and message.date_created < since - SKEW:
                    return None
                if token in (message.body or "") and message.direction != "inbound":
                    return str(message.sid)
        except _NOTHING_LEARNT as failure:
            raise LookUpFailed(type(failure).__name__) from failure
        if len(listed) >= LISTED:
            raise LookUpFailed("more messages than are looked through")
        return None

    def price(self, message_sid: str) -> Price | None:
        """What a text cost by now; None while the carrier has not told. Raises LookUpFailed."""
        try:
            message = self._client.messages(message_sid).fetch()
            if message.price is None or not message.price_unit:
                return None
            return Price(round(abs(Decimal(message.price)) * 1_000_000), str(message.price_unit).upper())
        except _NOTHING_LEARNT as failure:
            raise LookUpFailed(type(failure).__name__) from failure

    def line_type(self, number: str) -> str | None:
        """The carrier's line type (mobile, landline, ...), None when it cannot say in time: then we simply send."""
        try:
            found = self._quick.lookups.v2.phone_numbers(number).fetch(fields="line_type_intelligence")
            kind: Any = found.line_type_intelligence
            return str(kind["type"]) if isinstance(kind, dict) and kind.get("type") else None
        except _NOTHING_LEARNT:
            return None


def client_of(settings: Settings, times: tuple[float, float]) -> Client:
    """The carrier's client by the settings: an API key where there is one, else the account's own token."""
    account, secret = settings.twilio_account_sid, settings.twilio_api_key_secret
    key = settings.twilio_api_key_sid if secret else None
    return build_client(
        account_sid=account,
        username=key or account,
        password=(secret if key and secret else settings.twilio_auth_token[0]).get_secret_value(),
        base_url=settings.twilio_api_base_url,
        times=times,
    )


def _refused(answer: TwilioRestException) -> Refused:
    return Refused(answer.code or answer.status)


def _causes(failure: BaseException) -> Iterator[BaseException]:
    """An exception with everything it wraps: `requests` hides urllib3's reason in its arguments."""
    seen: list[BaseException | None] = [failure]
    while seen:
        one = seen.pop()
        if one is None:
            continue
        yield one
        seen += [one.__cause__, getattr(one, "reason", None), getattr(one, "original_error", None)]
        seen += [inner for inner in one.args if isinstance(inner, BaseException)]


def never_connected(failure: requests.RequestException) -> bool:
    """Whether not a byte of the request can have gone out: no route, refused, no such host, or a bad certificate."""
    if isinstance(failure, requests.exceptions.ConnectTimeout):
        return True
    causes = [one for one in _causes(failure) if not isinstance(one, (MaxRetryError, ProxyError))]
    return any(isinstance(one, (NewConnectionError, ssl.SSLCertVerificationError)) for one in causes)
