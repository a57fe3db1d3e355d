"""Forgetting what is no longer needed. Facts, keyed hashes and opt-outs stay; words and numbers go."""

from datetime import timedelta

import structlog

from ivr.wiring import Wiring
from models import drafts, erase, inbound, numbers, recordings, studies, texts, transcripts

log = structlog.get_logger()

KEPT = timedelta(days=30)
DRAFTS_KEPT = timedelta(days=90)  # of those that were thrown away


def erase_old(wiring: Wiring) -> None:
    """Erase transcripts, call states, wordings and sealed numbers of more than 30 days ago, drafts of more than 90."""
    before = wiring.clock() - KEPT
    with wiring.pool.connection() as conn, erase.unhurried(conn):
        erased = {
            "transcripts": transcripts.erase_before(conn, before),
            "calls": erase.call_states(conn, before),
            "texts": texts.erase_bodies(conn, before),
            "replies": inbound.erase_replies(conn, before),
            "numbers": numbers.erase_unused(conn, before),
            "drafts": drafts.erase_closed(conn, wiring.clock() - DRAFTS_KEPT),
            "recordings": recordings.erase_removed(conn, before),
            "studies": studies.forget_words(conn, wiring.clock()),
        }
    if any(erased.values()):
        log.info("erased_old", **erased)
