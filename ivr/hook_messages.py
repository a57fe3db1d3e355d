"""A fact as a webhook out carries it: no number, no transcript; signed as Standard Webhooks has it
(https://www.standardwebhooks.com: `webhook-id`, `webhook-timestamp`, `webhook-signature`)."""

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from models.facts import FactRow

SECRET_BEGINS = "whsec_"
_NUMBER = re.compile(r"\+?\d[\d\s().-]{5,}\d")
HIDDEN = "(number)"


def new_secret() -> str:
    """A secret as receivers' libraries take it: whsec_ and 32 random bytes in base64."""
    return SECRET_BEGINS + base64.b64encode(secrets.token_bytes(32)).decode()


def told(fact: FactRow, *, test: bool) -> dict[str, Any]:
    """What is told of a fact. Its data hold no number and no transcript; what looks like a number is hidden anyway."""
    return {
        "fact": fact.id,
        "name": fact.name,
        "call": fact.call_sid,
        "at": fact.at.isoformat(),
        "plan_version": fact.plan_version,
        "index_version": fact.index_version,
        "test": test,
        "data": _without_numbers(fact.data),
    }


def _without_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_numbers(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_numbers(one) for one in value]
    return HIDDEN if isinstance(value, str) and _NUMBER.fullmatch(value.strip()) else value


def body(kind: str, at: datetime, data: dict[str, Any]) -> bytes:
    """The message as it is sent: its type, when it happened, and what."""
    return json.dumps({"type": kind, "timestamp": at.isoformat(), "data": data}, separators=(",", ":")).encode()


def headers(message_id: str, at: datetime, content: bytes, with_secrets: Sequence[str]) -> dict[str, str]:
    """What a receiver checks: one signature for each secret, for one of them may be on its way out."""
    stamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), stamp.encode(), content))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{_signature(secret, signed)}" for secret in with_secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_BEGINS))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
