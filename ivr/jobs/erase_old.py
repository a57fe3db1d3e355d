"""Forgetting what is no longer needed. Facts, keyed hashes and opt-outs stay; words and numbers go."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from config.folders import spool_folder
from ivr.spool import left_aside
from ivr.wiring import Wiring
from models import drafts, erase, inbound, numbers, recordings, studies, text_counts, texts, transcripts

log = structlog.get_logger()

KEPT = timedelta(days=30)
MARKS_KEPT = timedelta(days=90)  # of numbers that were erased: a machine may be away for long
COUNTS_KEPT = timedelta(days=2)
DRAFTS_KEPT = timedelta(days=90)  # of those that were thrown away


def erase_old(wiring: Wiring) -> None:
    """Erase transcripts, call states, wordings and sealed numbers of more than 30 days ago, drafts of more than 90."""
    before = wiring.clock() - KEPT
    with wiring.pool.connection() as conn, erase.unhurried(conn):
        erased = {
            "put_aside": _forget_aside(spool_folder(wiring.settings.data_dir), before),
            "transcripts": transcripts.erase_before(conn, before),
            "calls": erase.call_states(conn, before),
            "texts": texts.erase_bodies(conn, before),
            "replies": inbound.erase_replies(conn, before),
            "numbers": numbers.erase_unused(conn, before),
            "drafts": drafts.erase_closed(conn, wiring.clock() - DRAFTS_KEPT),
            "erased_numbers": erase.forget_marks(conn, wiring.clock() - MARKS_KEPT),
            "recordings": recordings.erase_removed(conn, before),
            "studies": studies.forget_words(conn, wiring.clock()),
            "text_counts": text_counts.forget(conn, wiring.clock() - COUNTS_KEPT),
        }
    if any(erased.values()):
        log.info("erased_old", **erased)


def _forget_aside(folder: Path, before: datetime) -> int:
    """Remove webhooks that will not land; they lie on this machine's disk, and their names begin with when they came
    in. How many."""
    forgotten = 0
    for file in left_aside(folder):
        with suppress(ValueError, OverflowError, OSError):
            if datetime.fromtimestamp(int(file.name.partition("-")[0]) / 1000, UTC) < before:
                file.unlink()
                forgotten += 1
    return forgotten
