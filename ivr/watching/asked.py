"""Who may see the figures. They name no caller, but how many there are is nobody's business."""

import hmac
import ipaddress
from typing import Protocol

from config.settings import Settings

#: a proxy or a tunnel on this machine asks for others
_FOR_OTHERS = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Forwarded", "Via", "Cf-Connecting-Ip")


class Headers(Protocol):
    """Of a request, by their names."""

    def get(self, key: str, /) -> str | None: ...


def may_see(settings: Settings, address: str, headers: Headers) -> bool:
    """Whether METRICS_TOKEN is named; without one, whether a program of this machine asks, and never in production."""
    if settings.metrics_token is not None:
        wanted = f"Bearer {settings.metrics_token.get_secret_value()}"
        given = headers.get("Authorization") or ""
        return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())
    if settings.production or any(headers.get(name) for name in _FOR_OTHERS):
        return False
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
