"""The secrets that the first run in development writes: one 0600 file each, under DATA_DIR/secrets."""

import base64
import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from config.kinds import Secret, key_bytes


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


# The account and its token are shared by the service and the test phone; they are worth nothing at Twilio.
GENERATED: Mapping[str, Callable[[], str]] = {
    "SESSION_SECRET": lambda: secrets.token_urlsafe(48),
    "LINK_SECRET": lambda: secrets.token_urlsafe(48),
    "NUMBER_ENCRYPTION_KEY": _key,
    "NUMBER_HASH_KEY": _key,
    "STATEMENT_KEY": _key,
    "TWILIO_ACCOUNT_SID": lambda: f"AC{secrets.token_hex(16)}",
    "TWILIO_AUTH_TOKEN": lambda: secrets.token_hex(16),
}


def read(folder: Path) -> dict[str, str]:
    """The secrets that exist already."""
    found = {}
    for name in GENERATED:
        try:
            found[name] = (folder / name).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            continue
    return found


def settle(folder: Path, wanted: Mapping[str, str]) -> dict[str, str]:
    """Write each of `wanted` unless it exists, and return what is on disk.

    Several processes may do this at once: a file appears whole or not at all, the first one stays, and
    every process gets the same answer. Raises OSError when the folder cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    settled = {}
    for name, value in wanted.items():
        target = folder / name
        if not target.exists():
            _publish(target, value)
        settled[name] = target.read_text(encoding="utf-8").strip()
    return settled


def _publish(target: Path, value: str) -> None:
    handle, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(value + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A hard link, not a rename: it fails when another process was first.
        os.link(draft, target)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)


def fingerprint(key: Secret) -> str:
    """Sixteen letters that tell one NUMBER_HASH_KEY from another and give nothing of it away.

    Opt-outs and experiment arms hang on that key, so it never changes: the database keeps this, and a start
    with another key is refused.
    """
    return hmac.new(key_bytes(key), b"offhold number hash key", hashlib.sha256).hexdigest()[:16]
