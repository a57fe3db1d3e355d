"""Whether this process could take a call now: each part a call needs."""

import time
from collections.abc import Callable

from ivr.wiring import Wiring
from models import schema

PART_WITHIN_S = 0.2
#: told, but no reason to send calls elsewhere
LOSABLE = frozenset({"redis"})


def problems(wiring: Wiring) -> dict[str, str | None]:
    """Each part by name, with what is wrong with it (None: nothing). Never raises."""
    schema.head()
    return {name: _tried(check, wiring) for name, check in _CHECKS.items()}


def _tried(check: Callable[[Wiring], str | None], wiring: Wiring) -> str | None:
    begun = time.monotonic()
    try:
        problem = check(wiring)
    except Exception as error:  # whatever it is, it is the answer
        return f"failed: {type(error).__name__}"
    slow = check in _STORES and time.monotonic() - begun > PART_WITHIN_S
    return problem or (f"slower than {PART_WITHIN_S} s" if slow else None)


def _postgresql(wiring: Wiring) -> str | None:
    with wiring.pool.connection(timeout=PART_WITHIN_S) as conn:
        wiring.pool.check_connection(conn)
    return None


def _redis(wiring: Wiring) -> str | None:
    wiring.redis.ping()
    return None


def _migrations(wiring: Wiring) -> str | None:
    with wiring.pool.connection(timeout=PART_WITHIN_S) as conn:
        stands = schema.version(conn)
    return (
        None
        if schema.suffices(stands)
        else f"the database is at {stands}, this code wants {schema.head()}: flask release"
    )


def _plan(wiring: Wiring) -> str | None:
    with wiring.pool.connection(timeout=PART_WITHIN_S) as conn:
        wiring.plans.live(conn)
    return None


def _index(wiring: Wiring) -> str | None:
    return None if wiring.finders.version else "no index is loaded: flask index build"


_STORES = (_postgresql, _redis)
_CHECKS: dict[str, Callable[[Wiring], str | None]] = {
    "postgresql": _postgresql,
    "redis": _redis,
    "migrations": _migrations,
    "plan": _plan,
    "index": _index,
}
