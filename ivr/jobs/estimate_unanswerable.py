"""How many callers have a problem that no article here solves: the promise about wrong texts hangs on it."""

import structlog

from ivr import gate
from ivr.wiring import Wiring
from models import erase, facts
from search.calibration import unanswerable_share

log = structlog.get_logger()

MOST_CALLS = 50_000  # the latest


def estimate_unanswerable(wiring: Wiring) -> None:
    """Estimate the share from the calls of the last weeks and write it down; with too few calls, leave it."""
    now = wiring.clock()
    with wiring.pool.connection() as conn, erase.unhurried(conn):
        logits = facts.gate_logits(conn, now - gate.WITHIN, MOST_CALLS)
        if len(logits) < gate.LEAST_CALLS:
            return
        share = unanswerable_share(gate.of_index(conn), logits)
        gate.note_callers(conn, gate.Callers(share, len(logits)), now)
    log.info("unanswerable_estimated", share=round(share, 2), calls=len(logits))
