"""Who asks, for limits."""

import ipaddress

from flask import request


def visitor() -> str:
    """The address of who asks. Behind a proxy of ours (an address that no one outside can have) it is what that proxy
    saw."""
    direct = request.remote_addr or ""
    try:
        ours = ipaddress.ip_address(direct).is_private
    except ValueError:
        ours = True
    seen_by_proxy = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return seen_by_proxy if ours and seen_by_proxy else direct
