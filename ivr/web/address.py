"""Who asks, for limits."""

import ipaddress

from flask import request

_ONE_LINE = 64  # bits of an IPv6 address that name the connection; who has it picks the other half at will


def visitor() -> str:
    """The address of who asks; of IPv6, the network it is from. Behind a proxy of ours (an address that no one outside
    can have) it is what that proxy saw."""
    direct = request.remote_addr or ""
    try:
        ours = ipaddress.ip_address(direct).is_private
    except ValueError:
        ours = True
    seen_by_proxy = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return _line(seen_by_proxy if ours and seen_by_proxy else direct)


def _line(address: str) -> str:
    try:
        found = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(found), _ONE_LINE), strict=False))
