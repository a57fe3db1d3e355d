"""The second proof: codes of an authenticator (TOTP, RFC 6238), and recovery codes for when it is lost."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

import pyotp
import segno

STEP_S = 30
#: a code counts one step early or late: clocks differ
AROUND = (0, -1, 1)
RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def secret_for(token: str, session_secret: str) -> str:
    """The authenticator's secret that goes with a link: the same each time its page is loaded, and known to nobody who
    has not both."""
    digest = hmac.digest(session_secret.encode(), b"authenticator\0" + token.encode(), hashlib.sha256)
    return base64.b32encode(digest[:20]).decode()


def address(secret: str, email: str, brand: str) -> str:
    """What the square code holds: otpauth://totp/..."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=brand)


def picture(words: str) -> str:
    """The square code as an address that holds the picture itself (data:image/svg+xml)."""
    return segno.make(words, error="m").svg_data_uri(scale=4, border=2, dark="#000", light="#fff")


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step whose code this is, None when it is none of those that count now."""
    digits = code.replace(" ", "")
    totp, here = pyotp.TOTP(secret), int(now.timestamp()) // STEP_S
    for around in AROUND:
        step = here + around
        if hmac.compare_digest(totp.generate_otp(step).encode(), digits.encode()):
            return step
    return None


def recovery_codes() -> tuple[str, ...]:
    """New ones, to be shown once: 79 bits each."""
    return tuple(
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4)) for _ in range(RECOVERY_CODES)
    )


def recovery_hash(code: str) -> bytes:
    """A recovery code as it is kept, however it was typed."""
    return hashlib.sha256("".join(letter for letter in code.lower() if letter in _LETTERS).encode()).digest()


def looks_like_recovery(code: str) -> bool:
    """Whether this is meant as a recovery code, not as the six digits of an authenticator."""
    return len([letter for letter in code.lower() if letter in _LETTERS]) > 8
