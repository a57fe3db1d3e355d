"""What is known of the webhook that this thread answers, its line in the log, and its share in the figures.

The line is made of ids and words of ours alone, so that nothing of it need be taken out again (config/logs.py): that
would cost more than all the rest.
"""

import threading
import time
from collections.abc import Iterable
from datetime import datetime

import msgspec
import structlog

from ivr.call.facts import Fact
from ivr.call.state import CallState
from ivr.watching import figures
from ivr.watching.lines import Lines

log = structlog.get_logger()

#: why a caller's place was kept, and nothing else
REASONS = ("database_away", "pool_busy", "behind_spool", "unknown_call", "carrier_fallback", "shed", "error")
OUTCOMES = ("answered", "repeat", "degraded", "forbidden", "refused", "failed")


class Webhook(msgspec.Struct, omit_defaults=True):
    """One webhook, as it stands in the log. `call`: the carrier's id of it. `index`: which one was searched last."""

    event: str = ""
    timestamp: str = ""
    level: str = ""
    kind: str = ""
    outcome: str = ""
    why: str = ""
    call_sid: str = ""
    text_id: str = ""
    message_sid: str = ""
    turn: int = 0
    plan: int = 0
    index: str = ""
    facts: list[str] = msgspec.field(default_factory=list)
    ms: float = 0.0


_encode = msgspec.json.Encoder().encode
_here = threading.local()
_lines: Lines | None = None


def tell(lines: Lines | None) -> None:
    """From now on, write a line for each webhook; None: no more."""
    global _lines
    _lines = lines


def begin() -> float:
    """A webhook came in. Give what this returns to `end`."""
    _here.webhook = Webhook(event="webhook", level="info")
    return time.perf_counter()


def end(begun: float, kind: str, status: int, at: datetime) -> None:
    """Its answer is made. Never raises: whatever becomes of the line, the answer goes out."""
    taken: Webhook | None = getattr(_here, "webhook", None)
    _here.webhook = None
    if taken is None:
        return
    try:
        seconds = time.perf_counter() - begun
        outcome = taken.outcome
        if status >= 400:
            outcome = "forbidden" if status == 403 else "failed" if status >= 500 else "refused"
        elif not outcome:
            outcome = "answered"
        figures.count_webhook(kind, outcome, seconds)
        if _lines is None:
            return
        taken.kind, taken.outcome, taken.ms = kind, outcome, round(seconds * 1000, 2)
        taken.timestamp = at.isoformat().replace("+00:00", "Z")
        _lines.add(_encode(taken))
    except Exception:
        log.exception("webhook_not_told")


def note_ids(call_sid: str | None, message_sid: str | None) -> None:
    """What the carrier, which signed it, says it is about."""
    taken: Webhook | None = getattr(_here, "webhook", None)
    if taken is not None:
        taken.call_sid, taken.message_sid = call_sid or "", message_sid or ""


def note_turn(state: CallState, turn: int, facts: Iterable[Fact] = (), *, repeat: bool = False) -> None:
    """A turn of a call was taken, or one that was taken before is told again."""
    taken: Webhook | None = getattr(_here, "webhook", None)
    if taken is None:
        return
    taken.call_sid, taken.turn, taken.plan = state.call_sid, turn, state.plan_version
    taken.index = state.index_version or ""
    taken.facts = [fact.name for fact in facts]
    taken.outcome = "repeat" if repeat else ""


def note_degraded(reason: str) -> None:
    """The caller's place is kept, and nothing else: one of REASONS."""
    figures.count_degraded(reason)
    taken: Webhook | None = getattr(_here, "webhook", None)
    if taken is not None:
        taken.outcome, taken.why = "degraded", reason


def note_failed_text(reason: str) -> None:
    """A text or a receipt could not be taken now: one of REASONS."""
    taken: Webhook | None = getattr(_here, "webhook", None)
    if taken is not None:
        taken.outcome, taken.why = "degraded", reason


def note_text(text_id: str) -> None:
    """A receipt of one of our texts."""
    taken: Webhook | None = getattr(_here, "webhook", None)
    if taken is not None:
        taken.text_id = text_id
