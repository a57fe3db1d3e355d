"""How often a token may ask, and how often somebody may try tokens that are none."""

import hashlib
import hmac

from flask import Flask, Response, g, request
from limits import RateLimitItemPerMinute

from ivr.web import address
from ivr.web.api.problems import told
from ivr.web.counted import Counted
from ivr.wiring import Wiring

A_MINUTE = 600
WRONG_A_MINUTE = 30  # of one address; whoever has a token there goes on


class Rates:
    """Counts the requests of each token, and the wrong tokens of each address."""

    def __init__(self, wiring: Wiring, a_minute: int = A_MINUTE) -> None:
        self._counted = Counted(wiring, "offhold-api", "api_rates_without_redis")
        self._secret = wiring.settings.session_secret.get_secret_value().encode()
        self.a_minute = RateLimitItemPerMinute(a_minute)
        self.wrong_a_minute = RateLimitItemPerMinute(WRONG_A_MINUTE)

    def check(self) -> Response | None:
        """429 for a token that asks too often."""
        who = g.get("caller")
        if who is None:
            return None
        if self._counted.ask(lambda windows: windows.hit(self.a_minute, str(who.id))):
            return None
        return self._later()

    def guessed(self, answer: Response) -> Response:
        """429 instead of 401 for whoever tried too many tokens. What stands in Redis is no address."""
        if answer.status_code != 401 or "Authorization" not in request.headers:
            return answer
        place = (
            "wrong-"
            + hmac.digest(self._secret, address.visitor().encode("utf-8", "replace"), hashlib.sha256).hex()[:32]
        )
        if self._counted.ask(lambda windows: windows.hit(self.wrong_a_minute, place)):
            return answer
        return self._later()

    def _later(self) -> Response:
        answer = told("too_many_requests")
        answer.headers["Retry-After"] = "10"
        return answer


def install(app: Flask, wiring: Wiring) -> None:
    """After it is known whose token it is."""
    app.extensions["offhold_api_rates"] = rates = Rates(wiring)
    app.before_request(rates.check)
    app.after_request(rates.guessed)
