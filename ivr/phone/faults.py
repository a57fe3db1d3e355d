"""What the stand-in carrier can be told to do badly."""

import threading
from dataclasses import dataclass, field


@dataclass
class Faults:
    """Knobs, all off. Counts are used up one request each; `take` is safe between threads."""

    http_status: int = 503
    """The status answered while `refusals` last (429 carries code 20429)."""
    refusals: int = 0
    """Sends refused with `http_status`, nothing accepted."""
    accept_then_time_out: int = 0
    """Sends accepted, then answered only after `silence_s`."""
    accept_then_500: int = 0
    """Sends accepted, then answered with HTTP 500."""
    silence_s: float = 20.0
    """Seconds (wall clock) an accept-then-time-out keeps the client waiting."""
    list_lag_s: float = 0.0
    """Seconds before an accepted message shows in the message list."""
    list_failures: int = 0
    """Message lists answered with HTTP 503."""
    lookup_failures: int = 0
    """Lookups answered with HTTP 503."""
    latency_s: float = 0.0
    """Seconds (wall clock) added before every REST answer."""
    receipts: str = "normal"
    """normal | before_answer | duplicated | reordered | none; one handset's own behaviour wins."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def take(self, name: str) -> bool:
        """Use up one of the counted faults `name`; True while there was one."""
        with self._lock:
            left = int(getattr(self, name))
            if left <= 0:
                return False
            setattr(self, name, left - 1)
            return True
