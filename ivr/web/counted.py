"""How often something happens, counted in Redis, and in this process alone while Redis is away."""

from collections.abc import Callable

import structlog
from limits import RateLimitItem
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import RedisError

from ivr.wiring import Wiring

log = structlog.get_logger()


class Counted:
    """Moving windows that all processes share. `prefix`: of its keys; `away`: the log's event without Redis."""

    def __init__(self, wiring: Wiring, prefix: str, away: str) -> None:
        url = wiring.settings.redis_url.get_secret_value()
        shared = RedisStorage(url, connection_pool=wiring.redis.connection_pool, key_prefix=prefix)
        self._shared = MovingWindowRateLimiter(shared)
        self._here = MovingWindowRateLimiter(MemoryStorage())
        self._away = away

    def ask(self, question: Callable[[MovingWindowRateLimiter], bool]) -> bool:
        """What the shared windows answer, or this process's own."""
        try:
            return question(self._shared)
        except RedisError:
            log.warning(self._away)
            return question(self._here)

    def forget(self, item: RateLimitItem, key: str) -> None:
        """Count anew."""
        try:
            self._shared.clear(item, key)
        except RedisError:
            self._here.clear(item, key)
