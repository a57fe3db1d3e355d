"""A signed message on its way to an address that somebody gave us."""

from collections.abc import Mapping

import requests
import urllib3
from requests_hardened.ip_filter import InvalidIPAddress

from search.sources.fetching import guarded

PRIVATE = InvalidIPAddress
UNREACHED = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, UnicodeError)
CONNECT_S = 5


def status_of(url: str, content: bytes, headers: Mapping[str, str], *, within_s: float, allow_private: bool) -> int:
    """Post once, follow no redirect, read no answer: the answer's status. `within_s`: in all. Raises PRIVATE for an
    address in the private network, which is looked for before UNREACHED: one of these when nothing answered."""
    with (
        guarded(within_s, allow_private=allow_private) as (session, _),
        session.post(
            url, content, headers=headers, timeout=(CONNECT_S, within_s), allow_redirects=False, stream=True
        ) as answer,
    ):
        return int(answer.status_code)
