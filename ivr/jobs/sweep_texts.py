"""The authority over texts that got stuck: looks at our own rows every few seconds, whatever became of their jobs."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import structlog

from ivr.carrier.sender import LookUpFailed
from ivr.jobs.send_text import number_of, opened, send_text, waited_s
from ivr.jobs.times import Times
from ivr.watching import figures
from ivr.wiring import Wiring
from models import jobs, optouts, texts
from models.texts import Text

log = structlog.get_logger()


def sweep_texts(wiring: Wiring, times: Times, pool: ThreadPoolExecutor | None = None) -> int:
    """Move on every text that is due: send queued ones, take stalled sends for unknown, look unknown ones up.

    How many moved. With `pool` the carrier is asked about several at a time.
    """
    with wiring.pool.connection() as conn:
        now = wiring.clock()
        due = texts.due(conn, now, times.grace)
        moved = 0
        for text in due.stalled:
            assert text.lease_until is not None
            moved += texts.unknown(conn, text, now, max(now, text.lease_until) + times.settle)
    work = [lambda text=text: settle(wiring, text, times) for text in due.unknown]
    work += [lambda text_id=text_id: _send_or_drop(wiring, text_id, times) for text_id in due.queued]
    return moved + sum(_all(work, pool))


def _all(work: Iterable[Callable[[], bool]], pool: ThreadPoolExecutor | None) -> list[bool]:
    """Everything done, an error in one keeping no other."""

    def safely(one: Callable[[], bool]) -> bool:
        try:
            return one()
        except Exception:
            log.exception("sweep_of_one_text_failed")
            return False

    return list(pool.map(safely, work)) if pool else [safely(one) for one in work]


def _send_or_drop(wiring: Wiring, text_id: str, times: Times) -> bool:
    with wiring.pool.connection() as conn:
        text, now = texts.read(conn, text_id), wiring.clock()
        if text is None:
            return False
        if optouts.is_out(conn, text.to_key):
            return texts.cancel(conn, text, now, "opted_out")
        if text.expires_at <= now:
            return _counted(texts.expire(conn, text, now), "expired", text, now)
    return send_text(wiring, text_id, times)


def settle(wiring: Wiring, text: Text, times: Times) -> bool:
    """Look an unknown text up at the carrier by its link: there = sent; not there = sent once more if that is still of
    use; unknown twice = never again, for a missing text costs less than two."""
    with wiring.pool.connection() as conn:
        number = number_of(wiring, conn, text) if text.kind in ("link", "status") else None
        written = opened(wiring, text)
        if number is None or written is None:  # nothing in it the carrier could know it by
            now = wiring.clock()
            return _counted(texts.leave_unknown(conn, text, now), "left_unknown", text, now)
    try:
        message_sid = wiring.sender.find_by_token(number, written.token, text.created_at)
    except LookUpFailed as failure:
        log.warning("text_look_up_failed", text_id=text.id, why=str(failure))
        with wiring.pool.connection() as conn:
            now = wiring.clock()
            if now - text.created_at > times.look_for:
                return _counted(texts.leave_unknown(conn, text, now), "left_unknown", text, now)
            texts.look_again(conn, text, now + times.look_again)
            return False
    with wiring.pool.connection() as conn:
        now = wiring.clock()
        if message_sid is not None:
            return _counted(texts.found(conn, text, message_sid, now), "sent", text, now)
        if text.attempts >= 2:
            return _counted(texts.leave_unknown(conn, text, now), "left_unknown", text, now)
        if text.expires_at <= now:
            return _counted(texts.expire(conn, text, now), "expired", text, now)
        return texts.send_again(conn, text, now)


def _counted(moved: bool, outcome: str, text: Text, now: datetime) -> bool:
    if moved:
        figures.count_text(outcome, waited_s(text, now))
    return moved


def forget_dead_jobs(wiring: Wiring) -> int:
    """Drop the jobs of workers that died: their texts are the sweep's."""
    with wiring.pool.connection() as conn:
        return jobs.forget_dead(conn)
