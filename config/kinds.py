"""The kinds of value a setting may have: each says in words what it expects."""

import base64
import binascii
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import phonenumbers
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

LEAST_SECRET_LETTERS = 32
KEY_BYTES = 32


class Secret(SecretStr):
    """A text that prints as ``***``; ``get_secret_value()`` gives it."""

    def _display(self) -> str:
        return "***"


def _listed(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("expected http(s)://host[:port][/path]")
    _ = parts.port  # raises ValueError when it is no number from 0 to 65535
    if not re.fullmatch(r"[!-~]+", value):
        raise ValueError("expected plain letters without blanks (a host with other letters in its form xn--...)")
    return value.rstrip("/")


def _callable(value: str) -> str:
    if "_" in urlsplit(value).netloc:
        raise ValueError("expected a host without _: Twilio calls no other")
    return value


def _postgres_address(value: Secret) -> Secret:
    if urlsplit(value.get_secret_value()).scheme not in ("postgresql", "postgres"):
        raise ValueError("expected postgresql://user:password@host:port/database")
    return value


def _redis_address(value: Secret) -> Secret:
    if urlsplit(value.get_secret_value()).scheme not in ("redis", "rediss", "unix"):
        raise ValueError("expected redis://, rediss:// or unix://")
    return value


def _long_enough(value: Secret) -> Secret:
    if len(value) < LEAST_SECRET_LETTERS:
        raise ValueError(f"expected at least {LEAST_SECRET_LETTERS} letters")
    return value


def _key(value: Secret) -> Secret:
    key_bytes(value)
    return value


def _nonempty(value: tuple[object, ...]) -> tuple[object, ...]:
    if not value:
        raise ValueError("expected at least one")
    return value


def _country(value: str) -> str:
    if value not in phonenumbers.SUPPORTED_REGIONS:
        meant = "; Great Britain is GB" if value == "UK" else ""
        raise ValueError(f"{value!r} is no country; expected two capital letters such as US{meant}")
    return value


def _matching(pattern: str, expected: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"expected {expected}")
        return value

    return AfterValidator(check)


def key_bytes(value: Secret) -> bytes:
    """The 32 bytes of a key written in base64 (either alphabet). Raises ValueError when it is none."""
    text = value.get_secret_value().replace("-", "+").replace("_", "/")
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise ValueError(f"expected {KEY_BYTES} bytes in base64 (openssl rand -base64 32)")
    return raw


Switch = Literal["on", "off"]
Port = Annotated[int, Field(ge=1, le=65535)]
Folder = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]
WebAddress = Annotated[str, AfterValidator(_web_address)]
TwilioCalls = Annotated[WebAddress, AfterValidator(_callable)]
PostgresAddress = Annotated[Secret, AfterValidator(_postgres_address)]
RedisAddress = Annotated[Secret, AfterValidator(_redis_address)]
LongSecret = Annotated[Secret, AfterValidator(_long_enough)]
Key = Annotated[Secret, AfterValidator(_key)]
Keys = Annotated[tuple[Key, ...], BeforeValidator(_listed), AfterValidator(_nonempty)]
Tokens = Annotated[tuple[Secret, ...], BeforeValidator(_listed), AfterValidator(_nonempty)]
Country = Annotated[str, AfterValidator(_country)]
Countries = Annotated[tuple[Country, ...], BeforeValidator(_listed)]
PhoneNumber = Annotated[str, _matching(r"\+[1-9]\d{6,14}", "+ and 7-15 digits")]
PhoneNumbers = Annotated[tuple[PhoneNumber, ...], BeforeValidator(_listed)]
AccountSid = Annotated[str, _matching("AC[0-9a-f]{32}", "AC and 32 hexadecimal digits")]
ApiKeySid = Annotated[str, _matching("SK[0-9a-f]{32}", "SK and 32 hexadecimal digits")]
MessagingServiceSid = Annotated[str, _matching("MG[0-9a-f]{32}", "MG and 32 hexadecimal digits")]
SenderNumber = Annotated[str, _matching(r"\+[1-9]\d{6,14}|\d{5,6}", "+ and 7-15 digits, or a short code")]
Wait = Annotated[float, Field(ge=0, le=60)]
Seconds = Annotated[float, Field(gt=0, le=60)]
