"""How often a token may ask. Counted in Redis, and in this process alone while Redis is away."""

import structlog
from flask import Flask, Response, g
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import RedisError

from ivr.web.api.problems import told
from ivr.wiring import Wiring

log = structlog.get_logger()

A_MINUTE = 600


class Rates:
    """Counts the requests of each token."""

    def __init__(self, wiring: Wiring, a_minute: int = A_MINUTE) -> None:
        shared = RedisStorage(
            wiring.settings.redis_url.get_secret_value(),
            connection_pool=wiring.redis.connection_pool,
            key_prefix="offhold-api",
        )
        self._shared = MovingWindowRateLimiter(shared)
        self._here = MovingWindowRateLimiter(MemoryStorage())
        self.a_minute = RateLimitItemPerMinute(a_minute)

    def check(self) -> Response | None:
        """429 for a token that asks too often."""
        who = g.get("caller")
        if who is None:
            return None
        try:
            may = self._shared.hit(self.a_minute, str(who.id))
        except RedisError:
            log.warning("api_rates_without_redis")
            may = self._here.hit(self.a_minute, str(who.id))
        if may:
            return None
        answer = told("too_many_requests")
        answer.headers["Retry-After"] = "10"
        return answer


def install(app: Flask, wiring: Wiring) -> None:
    """After it is known whose token it is."""
    app.extensions["offhold_api_rates"] = rates = Rates(wiring)
    app.before_request(rates.check)
