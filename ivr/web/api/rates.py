"""How often a token may ask."""

from flask import Flask, Response, g
from limits import RateLimitItemPerMinute

from ivr.web.api.problems import told
from ivr.web.counted import Counted
from ivr.wiring import Wiring

A_MINUTE = 600


class Rates:
    """Counts the requests of each token."""

    def __init__(self, wiring: Wiring, a_minute: int = A_MINUTE) -> None:
        self._counted = Counted(wiring, "offhold-api", "api_rates_without_redis")
        self.a_minute = RateLimitItemPerMinute(a_minute)

    def check(self) -> Response | None:
        """429 for a token that asks too often."""
        who = g.get("caller")
        if who is None:
            return None
        if self._counted.ask(lambda windows: windows.hit(self.a_minute, str(who.id))):
            return None
        answer = told("too_many_requests")
        answer.headers["Retry-After"] = "10"
        return answer


def install(app: Flask, wiring: Wiring) -> None:
    """After it is known whose token it is."""
    app.extensions["offhold_api_rates"] = rates = Rates(wiring)
    app.before_request(rates.check)
