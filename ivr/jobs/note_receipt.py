"""The carrier's receipt for a text."""

import structlog

from ivr.carrier import codes
from ivr.wiring import Wiring
from models import texts

log = structlog.get_logger()


def note_receipt(wiring: Wiring, text_id: str, message_sid: str, status: str, code: int | None) -> None:
    """Take a receipt in, whatever its order or number. Statuses we do not know and texts that are not ours change
    nothing."""
    reached = codes.reached(status)
    if reached is None or not text_id or not message_sid:
        log.info("receipt_unknown", text_id=text_id[:40], status=status[:40])
        return
    with wiring.pool.connection() as conn:
        ours = texts.receipt(conn, text_id, message_sid, reached, code, wiring.clock())
    if not ours:
        log.info("receipt_for_no_text", text_id=text_id[:40])
    elif reached == "undelivered":
        level = log.error if codes.ours_to_mend(code) else log.info
        level("text_undelivered", text_id=text_id, code=code, why=codes.meaning(code))
