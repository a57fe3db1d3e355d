"""How often somebody may try to get in. Counted per account and address together: who tries from elsewhere locks nobody
out."""

import hashlib
import hmac

from flask import Flask, current_app
from limits import RateLimitItemPerMinute

from ivr.web import address
from ivr.web.counted import Counted
from ivr.wiring import Wiring

TRIES = RateLimitItemPerMinute(5, 5)  # five in five minutes, of one account from one address
#: and of all accounts from one address: a whole office has one, so it is only against floods
TRIES_OF_ADDRESS = RateLimitItemPerMinute(100, 5)
_NAME = "offhold_throttle"


class Throttle:
    """Counts tries; who has had too many is told to wait."""

    def __init__(self, wiring: Wiring) -> None:
        self._counted = Counted(wiring, "offhold", "throttle_without_redis")
        self._secret = wiring.settings.session_secret.get_secret_value().encode()

    def may_try(self, who: str) -> bool:
        """Count a try of `who` (an e-mail address as typed) from the request's address. False: too many already."""
        place = self._key(address.visitor())
        both = self._key(who.strip().lower(), place)
        return self._counted.ask(lambda tries: tries.hit(TRIES_OF_ADDRESS, place) and tries.hit(TRIES, both))

    def got_in(self, who: str) -> None:
        """Forget the tries of who got in."""
        both = self._key(who.strip().lower(), self._key(address.visitor()))
        self._counted.forget(TRIES, both)

    def _key(self, *parts: str) -> str:
        return hmac.digest(self._secret, "\0".join(parts).encode("utf-8", "replace"), hashlib.sha256).hex()[:32]


def install(app: Flask, wiring: Wiring) -> None:
    """Keep one for the application."""
    app.extensions[_NAME] = Throttle(wiring)


def throttle() -> Throttle:
    """The application's."""
    found: Throttle = current_app.extensions[_NAME]
    return found
