"""X-Twilio-Signature as the sender makes it (usage/security)."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

Pairs = Sequence[tuple[str, str]]


def signed_form(url: str) -> str:
    """The URL as it is signed: no fragment, no user and password; over https a voice URL loses its port."""
    parts = urlsplit(url)
    host = parts.netloc.rsplit("@", 1)[-1]
    if parts.scheme == "https" and parts.port is not None:
        host = host.rsplit(":", 1)[0]
    signed = urlunsplit((parts.scheme, host, parts.path, parts.query, ""))
    return signed + "?" if url.endswith("?") else signed


def sign(url: str, form: Pairs, token: str) -> str:
    """Base64 HMAC-SHA1 over the URL and the distinct, sorted parameters (name, value, no delimiters)."""
    text = signed_form(url) + "".join(name + value for name, value in sorted(set(form)))
    digest = hmac.new(token.encode(), text.encode("utf-8", "surrogatepass"), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
