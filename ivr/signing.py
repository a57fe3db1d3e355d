"""Signed statements: Ed25519 (RFC 8032) over canonical JSON, and their checking."""

import base64
import binascii
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ALGORITHM = "Ed25519"
KEY_BYTES, SIGNATURE_BYTES = 32, 64


class Forged(Exception):
    """A file is no signed statement, or not the one that was signed; says why."""


def canonical(document: Any) -> bytes:
    """The one way to write JSON down: keys sorted, no blanks, UTF-8. Numbers are whole, so that there is one way for
    them, too."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def public_key(seed: bytes) -> bytes:
    """What belongs to a secret key of 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed: bytes, content: bytes) -> bytes:
    """The signature of 64 bytes."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(content)


def genuine(key: bytes, signature: bytes, content: bytes) -> bool:
    """Whether whoever has the secret of a public key signed this."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def read(raw: bytes) -> tuple[dict[str, Any], bytes]:
    """(the statement, the public key) of a signed file as `flask statement --format json` writes it.

    Raises Forged with the reason.
    """
    try:
        found = json.loads(raw)
        statement, by = found["statement"], found["signature"]
        if by is None:
            raise Forged("it is a draft: only a closed month is signed")
        if by["algorithm"] != ALGORITHM:
            raise Forged(f"it is not signed by {ALGORITHM}")
        key = base64.b64decode(by["key"], validate=True)
        signature = base64.b64decode(by["value"], validate=True)
        content = canonical(statement)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        raise Forged("it is no signed statement") from None
    if not isinstance(statement, dict) or not genuine(key, signature, content):
        raise Forged("its signature does not fit: it was changed, or not signed by this key")
    return statement, key


def text(value: bytes) -> str:
    """Bytes as they stand in a file."""
    return base64.b64encode(value).decode()
