"""What was left out because too much came at once (ivr/places.py)."""

from prometheus_client import Counter

from ivr.watching.figures import REGISTRY

WHAT = ("search", "offer", "announcement", "turn")

_SHED = Counter("offhold_shed", "What was left out because too much came at once.", ["what"], registry=REGISTRY)
_series = {what: _SHED.labels(what) for what in WHAT}


def count(what: str) -> None:
    """One was left out: "search", "offer" (a round of the wait loop that may begin none), "announcement" (a round
    without a turn) or "turn"."""
    _series[what].inc()
