"""Calls whose end never reached us: a last word lost on the way leaves a call, and often a hold, open for ever."""

from datetime import timedelta

import structlog

from ivr.call.events import CallEnded
from ivr.turn import take_turn
from ivr.wiring import Wiring
from models import calls

log = structlog.get_logger()

SILENT = timedelta(hours=4)  # the carrier's own limit of a talk; a hold is heard of every minute
LOST = "lost"  # no word of the carrier's: the status of `call_ended` says that we closed the call


def close_lost_calls(wiring: Wiring) -> int:
    """End the calls not heard of for SILENT, with all that a last status callback does; how many. What such a callback
    says later changes nothing. A call that cannot be ended is logged and keeps no other."""
    with wiring.pool.connection() as conn:
        lost = calls.unclosed(conn, wiring.clock() - SILENT)
    return sum(_closed(wiring, call_sid) for call_sid in lost)


def _closed(wiring: Wiring, call_sid: str) -> bool:
    try:
        take_turn(wiring, call_sid, lambda _: CallEnded(LOST, None), turn=None, mark=LOST)
    except Exception:
        log.exception("call_not_closed", call_sid=call_sid)
        return False
    log.warning("call_closed_unheard", call_sid=call_sid)
    return True
