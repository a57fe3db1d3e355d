"""The JSON bodies of the REST side, field by field as Twilio writes them (twilio-oai, 2010-04-01)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import phonenumbers

from ivr.phone.call import Call, Number
from ivr.phone.engine import rfc2822
from ivr.phone.messages import Message
from ivr.phone.queueing import Member, Queue

_API = "2010-04-01"
SEGMENT_PRICE = Decimal("0.0083")  # USD, each way; a text's price is told once it was sent, as a negative number


def message(one: Message, account: str, *, fresh: bool = False) -> dict[str, Any]:
    """A Message; `fresh` = as its creation is answered: a service has not chosen a sender yet."""
    by_service = fresh and bool(one.service_sid)
    return {
        "account_sid": account,
        "api_version": _API,
        "body": one.body,
        "date_created": rfc2822(one.created_at),
        "date_sent": rfc2822(one.sent_at) if one.sent_at else None,
        "date_updated": rfc2822(one.updated_at or one.created_at),
        "direction": one.direction,
        "error_code": one.error_code,
        "error_message": None,
        "from": None if by_service else one.from_,
        "messaging_service_sid": one.service_sid or None,
        "num_media": "0",
        "num_segments": "0" if by_service else str(one.segments),
        "price": None if fresh or one.sent_at is None else f"-{SEGMENT_PRICE * one.segments:.5f}",
        "price_unit": "USD",
        "sid": one.sid,
        "status": one.status if not fresh else ("accepted" if one.service_sid else "queued"),
        "subresource_uris": {"media": f"/{_API}/Accounts/{account}/Messages/{one.sid}/Media.json"},
        "to": one.to,
        "uri": f"/{_API}/Accounts/{account}/Messages/{one.sid}.json",
    }


def call(one: Call, now: datetime) -> dict[str, Any]:
    """A Call."""
    seconds = int(((one.ended_at or now) - one.started_at).total_seconds())
    return {
        "account_sid": one.account_sid,
        "answered_by": None,
        "api_version": _API,
        "caller_name": None,
        "date_created": rfc2822(one.started_at),
        "date_updated": rfc2822(now),
        "direction": "inbound",
        "duration": str(seconds) if one.over else None,
        "end_time": rfc2822(one.ended_at) if one.ended_at else None,
        "forwarded_from": None,
        "from": one.from_,
        "from_formatted": one.from_,
        "parent_call_sid": None,
        "phone_number_sid": one.line.sid,
        "price": None,
        "price_unit": "USD",
        "sid": one.sid,
        "start_time": rfc2822(one.started_at),
        "status": one.status,
        "to": one.to,
        "to_formatted": one.to,
        "uri": f"/{_API}/Accounts/{one.account_sid}/Calls/{one.sid}.json",
    }


def queue(one: Queue, account: str, now: datetime) -> dict[str, Any]:
    """A Queue."""
    return {
        "account_sid": account,
        "average_wait_time": one.average_s(now),
        "current_size": len(one.members),
        "date_created": rfc2822(one.created_at),
        "date_updated": rfc2822(now),
        "friendly_name": one.name,
        "max_size": one.max_size,
        "sid": one.sid,
        "uri": f"/{_API}/Accounts/{account}/Queues/{one.sid}.json",
    }


def member(one: Member, queue: Queue, account: str, now: datetime) -> dict[str, Any]:
    """A Member of a queue."""
    sid = one.call.sid if one.call is not None else one.sid
    return {
        "call_sid": sid,
        "date_enqueued": rfc2822(one.joined_at),
        "position": queue.position(one),
        "queue_sid": queue.sid,
        "wait_time": one.waited_s(now),
        "uri": f"/{_API}/Accounts/{account}/Queues/{queue.sid}/Members/{sid}.json",
    }


def number(one: Number, account: str) -> dict[str, Any]:
    """An IncomingPhoneNumber."""
    return {
        "account_sid": account,
        "sid": one.sid,
        "phone_number": one.number,
        "friendly_name": one.friendly_name,
        "api_version": _API,
        "capabilities": {"voice": True, "sms": True, "mms": True, "fax": False},
        "voice_url": one.voice_url,
        "voice_method": one.voice_method,
        "voice_fallback_url": one.voice_fallback_url,
        "voice_fallback_method": one.voice_fallback_method,
        "voice_application_sid": "",
        "trunk_sid": None,
        "voice_caller_id_lookup": False,
        "status_callback": one.status_callback,
        "status_callback_method": one.status_callback_method,
        "sms_url": one.sms_url,
        "sms_method": one.sms_method,
        "sms_fallback_url": one.sms_fallback_url,
        "sms_fallback_method": one.sms_fallback_method,
        "sms_application_sid": "",
        "status": "in-use",
        "uri": f"/{_API}/Accounts/{account}/IncomingPhoneNumbers/{one.sid}.json",
    }


def lookup(text: str, line_type: str, with_type: bool) -> dict[str, Any]:
    """A Lookup v2 answer; a number that cannot be is `valid: false`, still HTTP 200."""
    try:
        parsed = phonenumbers.parse(text, "US")
        valid = phonenumbers.is_possible_number(parsed)
    except phonenumbers.NumberParseException:
        return {
            "phone_number": text,
            "valid": False,
            "validation_errors": ["NOT_A_NUMBER"],
            "line_type_intelligence": None,
            "country_code": None,
            "national_format": None,
        }
    kind = {
        "type": line_type,
        "carrier_name": "Test phone",
        "mobile_country_code": None,
        "mobile_network_code": None,
        "error_code": None,
    }
    return {
        "phone_number": phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164),
        "valid": valid,
        "validation_errors": [] if valid else ["INVALID_LENGTH"],
        "country_code": phonenumbers.region_code_for_number(parsed),
        "calling_country_code": str(parsed.country_code),
        "national_format": phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL),
        "line_type_intelligence": kind if with_type and valid else None,
        "url": f"https://lookups.twilio.com/v2/PhoneNumbers/{text}",
    }


def messaging_prices(country: str) -> dict[str, Any]:
    """Pricing v1, Messaging, one country."""
    price = {"base_price": str(SEGMENT_PRICE), "current_price": str(SEGMENT_PRICE), "number_type": "local"}
    return {
        "country": country,
        "iso_country": country,
        "price_unit": "USD",
        "inbound_sms_prices": [price],
        "outbound_sms_prices": [{"carrier": "Test phone", "mcc": "000", "mnc": "00", "prices": [price]}],
        "url": f"https://pricing.twilio.com/v1/Messaging/Countries/{country}",
    }


def voice_prices(country: str) -> dict[str, Any]:
    """Pricing, Voice, one country."""
    price = {"base_price": "0.0085", "current_price": "0.0085", "number_type": "local"}
    return {
        "country": country,
        "iso_country": country,
        "price_unit": "USD",
        "inbound_call_prices": [price],
        "outbound_prefix_prices": [
            {
                "prefixes": ["1"],
                "friendly_name": "Test phone",
                "base_price": "0.0140",
                "current_price": "0.0140",
                "origination_prefixes": ["ALL"],
                "destination_prefixes": ["1"],
            }
        ],
        "url": f"https://pricing.twilio.com/v2/Voice/Countries/{country}",
    }
