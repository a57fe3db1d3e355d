"""One text: claim, send with no connection held, finish. Safe to call any number of times for the same text."""

import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import assert_never

import structlog
from psycopg import Connection, OperationalError
from psycopg_pool import PoolTimeout

from ivr import kept_texts
from ivr.carrier.codes import LINES_WITHOUT_TEXTS, NO_MOBILE, meaning, ours_to_mend
from ivr.carrier.sender import Busy, NotTaken, Outcome, Refused, Sent, Unknown
from ivr.jobs.times import Times
from ivr.texts import quiet
from ivr.watching import figures
from ivr.wiring import Wiring
from models import numbers, texts
from models.texts import Text

log = structlog.get_logger()

_OUTCOMES = {Sent: "sent", Refused: "refused", Busy: "busy", NotTaken: "not_taken", Unknown: "unknown"}
FINISH_TRIES = 6  # of writing down what the carrier said, while the database is away


def send_text(wiring: Wiring, text_id: str, times: Times) -> bool:
    """Send a queued text that is due. Whether this call took it."""
    with wiring.pool.connection() as conn:
        text = texts.claim(conn, text_id, wiring.clock(), times.lease)
        if text is None:
            return False
        number = number_of(wiring, conn, text)
        waits = number is not None and text.kind == "follow_up" and _is_quiet(wiring, conn, number)
    outcome = NotTaken() if waits else _send(wiring, text, number, times)
    _finish(wiring, text, outcome, times)
    return True


def opened(wiring: Wiring, text: Text) -> Text | None:
    """A text with its wording, None once the key it was sealed under is gone."""
    try:
        return kept_texts.opened(wiring, text)
    except ValueError:
        log.error("text_cannot_be_opened", text_id=text.id)
        return None


def number_of(wiring: Wiring, conn: Connection, text: Text) -> str | None:
    """The number a text goes to, None once it was erased or the key it was sealed under is gone."""
    sealed = numbers.sealed(conn, text.number_id)
    try:
        return wiring.numbers.open(sealed) if sealed is not None else None
    except ValueError:
        log.error("number_cannot_be_opened", text_id=text.id)
        return None


def _is_quiet(wiring: Wiring, conn: Connection, number: str) -> bool:
    """By the hours of the menu that is live now: a manager's word is felt by what waits already."""
    return not quiet.is_loud(wiring.clock(), number, wiring.plans.live(conn).offers)


def _send(wiring: Wiring, text: Text, number: str | None, times: Times) -> Outcome:
    if number is None or (written := opened(wiring, text)) is None:
        return Refused(None)
    now = wiring.clock()
    assert text.lease_until is not None
    if now + times.request > text.lease_until:  # we were held up: another may take it for stalled before we end
        return NotTaken()
    if wiring.settings.lookup == "on" and wiring.sender.line_type(number) in LINES_WITHOUT_TEXTS:
        return Refused(NO_MOBILE)
    return wiring.sender.send(
        number,
        written.body,
        from_number=text.from_number,
        status_callback=f"{wiring.settings.public_base_url}/sms/status?text={text.id}",
        valid_for_s=max(6, int((text.expires_at - now).total_seconds())),
    )


def _finish(wiring: Wiring, text: Text, outcome: Outcome, times: Times) -> None:
    """Write down the outcome. A database that stays away leaves the row to the sweep, as a worker's death does."""
    for tried in range(FINISH_TRIES):
        try:
            with wiring.pool.connection() as conn:
                _written(conn, text, outcome, wiring.clock(), times)
            return
        except (PoolTimeout, OperationalError):
            log.warning("text_not_finished", text_id=text.id, tried=tried + 1)
            time.sleep(0.1 * 2**tried)


def _written(conn: Connection, text: Text, outcome: Outcome, now: datetime, times: Times) -> None:
    counted = _OUTCOMES[type(outcome)]
    figures.count_text(counted, waited_s(text, now) if counted in ("sent", "refused") else None)
    match outcome:
        case Sent(message_sid):
            if texts.sent(conn, text, message_sid, now):
                log.info("text_sent", text_id=text.id)
        case Refused(code):
            texts.refused(conn, text, code, now)
            (log.error if ours_to_mend(code) else log.info)(
                "text_refused", text_id=text.id, code=code, why=meaning(code)
            )
        case Busy(retry_after_s):
            texts.put_back(conn, text, now + _later(text, now, retry_after_s))
        case NotTaken():
            texts.put_back(conn, text, now + _later(text, now, None))
        case Unknown(why):
            texts.unknown(conn, text, now, now + times.settle)
            log.warning("text_unknown", text_id=text.id, why=why)
        case _:
            assert_never(outcome)


def waited_s(text: Text, now: datetime) -> float:
    """Seconds since a text was wanted: since the caller's yes, or since a text for later was due."""
    return (now - (text.due_at if text.kind == "follow_up" else text.created_at)).total_seconds()


def _later(text: Text, now: datetime, asked_s: float | None, jitter: Callable[[], float] = random.random) -> timedelta:
    """When to try again: a quarter of the text's age, so that the tries thin out; never all at one instant."""
    age_s = (now - max(text.created_at, text.due_at)).total_seconds()
    return timedelta(seconds=max(asked_s or 0.0, min(max(age_s / 4, 1.0), 30.0)) * (0.75 + jitter() / 2))
