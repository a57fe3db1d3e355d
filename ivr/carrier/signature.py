"""Whether a webhook is the carrier's own: X-Twilio-Signature over our public address.

Algorithm: twilio.com/docs/usage/security. What was signed is rebuilt from the configured address, the route's
own path and the raw query: neither the Host header nor `X-Forwarded-*` is asked, and a decoded URL would not
match.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from twilio.request_validator import RequestValidator, get_signature_algorithm

HEADER = "X-Twilio-Signature"
SETTINGS_HEADER = "X-Twilio-Webhooks-Signature-Settings"
FORM = "application/x-www-form-urlencoded"
_PORTS = {"http": 80, "https": 443}
_ALGORITHMS = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}


class Headers(Protocol):
    """Header values by name in any case, such as Flask's `request.headers`."""

    def get(self, key: str, /) -> str | None: ...


class Form(Protocol):
    """A form whose names may come more than once, such as Flask's `request.form`."""

    def getlist(self, key: str, /) -> list[str]: ...

    def __iter__(self) -> Iterator[str]: ...

    def __len__(self) -> int: ...


def _bases(public_base_url: str) -> tuple[bytes, ...]:
    """The public address as configured, without its port, and with one: voice over https drops it, texts keep
    it.
    """
    parts = urlsplit(public_base_url.rstrip("/"))
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = parts.port or _PORTS[parts.scheme]
    bare = f"{parts.scheme}://{host}{parts.path}"
    ported = f"{parts.scheme}://{host}:{port}{parts.path}"
    return tuple(one.encode() for one in dict.fromkeys((public_base_url.rstrip("/"), bare, ported)))


class Signatures:
    """Checks webhooks against one account's auth tokens. Several tokens count while they are rotated.

    A SharedKey secret (`algorithm=HMAC_SHA256`) is one more entry of `tokens`.
    """

    def __init__(self, tokens: Sequence[str], public_base_url: str) -> None:
        self._bases = _bases(public_base_url)
        self._tokens = tuple(token.encode() for token in tokens)

    def genuine(self, path: str, query: str, *, headers: Headers, content_type: str, form: Form, body: bytes) -> bool:
        """True for a request the carrier signed. `query` is raw, without `?`; never raises, whatever came in.

        `content_type` is the media type alone. A body that is no form counts only with its `bodySHA256` in
        the signed query.
        """
        given = headers.get(HEADER)
        if not given:
            return False
        if content_type != FORM and not _body_as_signed(query, body):
            return False
        asked = f"{path}?{query}" if query else path
        algorithm = _ALGORITHMS.get(get_signature_algorithm(headers.get(SETTINGS_HEADER)).upper())
        if algorithm is None:
            return False
        try:
            wanted = given.encode()
            signed = (asked + _fields(form) if content_type == FORM else asked).encode()
        except UnicodeEncodeError:  # letters that no text may hold (lone surrogates)
            return False
        return any(
            hmac.compare_digest(base64.b64encode(hmac.digest(token, base + signed, algorithm)), wanted)
            for token in self._tokens
            for base in self._bases
        )


def _fields(form: Form) -> str:
    """A form as it is signed: by name, each name with each of its different values in order."""
    signed = []
    for name in sorted(form):
        values = form.getlist(name)
        signed += [name + value for value in (sorted(set(values)) if len(values) > 1 else values)]
    return "".join(signed)


def _body_as_signed(query: str, body: bytes) -> bool:
    try:
        stated = parse_qs(query, max_num_fields=50).get("bodySHA256", [])
    except ValueError:
        return False
    if not stated:
        return not body
    return hmac.compare_digest(hashlib.sha256(body).hexdigest().encode(), stated[0].lower().encode("utf-8", "replace"))


def sign(url: str, form: Mapping[str, str], token: str) -> str:
    """The signature the carrier would send with a form: for testing our own public address."""
    return str(RequestValidator(token).compute_signature(url, dict(form)))
