"""A phone number's addresses at the carrier (IncomingPhoneNumbers): what they are, what they should be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from twilio.base.exceptions import TwilioException
from twilio.rest import Client

from config.settings import Settings
from ivr.carrier.client import CarrierBusy
from ivr.carrier.sender import client_of

_PATIENT = (3.0, 10.0)  # seconds to connect and to read: an operator waits, no caller does
_FAILURES = (CarrierBusy, TwilioException, requests.RequestException, ValueError, KeyError)


class CarrierSays(Exception):
    """The carrier could not be asked, or said no; the text says what."""


@dataclass(frozen=True)
class Change:
    """One field of a number that is not as it should be."""

    field: str
    now: str
    wanted: str


@dataclass(frozen=True)
class QueueSize:
    """A line for agents as the carrier holds it."""

    name: str
    current: int
    most: int


class AccountNumbers:
    """The numbers and queues of one account."""

    def __init__(self, settings: Settings) -> None:
        self._client: Client = client_of(settings, _PATIENT)

    def _found(self, number: str) -> Any:
        try:
            listed = self._client.incoming_phone_numbers.list(phone_number=number, limit=1)
        except _FAILURES as error:
            raise CarrierSays(_reason(error)) from error
        if not listed:
            raise CarrierSays(f"the account has no number {number}")
        return listed[0]

    def changes(self, number: str, wanted: Mapping[str, str]) -> list[Change]:
        """What differs from `wanted`. Raises CarrierSays."""
        found = self._found(number)
        stands = {field: str(getattr(found, field, None) or "") for field in wanted}
        return [Change(field, stands[field], value) for field, value in wanted.items() if stands[field] != value]

    def update(self, number: str, wanted: Mapping[str, str]) -> None:
        """Set the fields. Raises CarrierSays."""
        found = self._found(number)
        try:
            found.update(**wanted)
        except _FAILURES as error:
            raise CarrierSays(_reason(error)) from error

    def calling(self, base_url: str) -> list[str]:
        """The account's numbers whose calls come to an address of ours. Raises CarrierSays."""
        try:
            listed = self._client.incoming_phone_numbers.list(limit=200)
        except _FAILURES as error:
            raise CarrierSays(_reason(error)) from error
        return [str(one.phone_number) for one in listed if str(one.voice_url or "").startswith(base_url)]

    def queues(self) -> list[QueueSize]:
        """The account's queues. Raises CarrierSays."""
        try:
            listed = self._client.queues.list(limit=200)
        except _FAILURES as error:
            raise CarrierSays(_reason(error)) from error
        return [QueueSize(str(one.friendly_name), int(one.current_size), int(one.max_size)) for one in listed]


def _reason(error: Exception) -> str:
    code = getattr(error, "code", None)
    page = error.args[1] if len(error.args) > 1 else None  # a list that failed carries its HTTP response
    status = getattr(error, "status", None) or getattr(page, "status_code", None)
    if status == 401:
        return "the carrier does not accept our credentials (error 20003)"
    if code:
        return f"the carrier refused (error {code})"
    return f"the carrier could not be asked ({type(error).__name__})"


def for_callers(settings: Settings) -> dict[str, str]:
    """What a number must have to take callers. An application or trunk would override the addresses."""
    base, fallback = settings.public_base_url, settings.voice_fallback_url
    return {
        "voice_url": f"{base}/voice/incoming",
        "voice_method": "POST",
        "voice_fallback_url": fallback,
        # A static document elsewhere: buckets and most file servers refuse POST.
        "voice_fallback_method": "POST" if fallback.startswith(f"{base}/") else "GET",
        "status_callback": f"{base}/voice/status",
        "status_callback_method": "POST",
        "sms_url": f"{base}/sms/incoming",
        "sms_method": "POST",
        "sms_fallback_url": f"{base}/sms/fallback",
        "sms_fallback_method": "POST",
        "voice_application_sid": "",
        "sms_application_sid": "",
    }


def for_agents(settings: Settings, queue: str | None) -> dict[str, str]:
    """What a number must have for agents to dial in on, to a queue or the plan's default one. No fallback: the one
    for callers would put the agent into the line."""
    base = settings.public_base_url
    return {
        "voice_url": f"{base}/voice/agent" + (f"?queue={queue}" if queue else ""),
        "voice_method": "POST",
        "voice_fallback_url": "",
        "voice_application_sid": "",
    }
