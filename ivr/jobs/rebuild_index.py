"""A new index, built in the background when many articles changed since the live one or some did a day ago,
unless a rollback put that one in place."""

import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from ivr.wiring import Wiring
from models import indexes

log = structlog.get_logger()

MANY = 500  # changed articles: each web process holds them beside its index
AFTER = timedelta(days=1)
AGAIN_AFTER = timedelta(hours=1)  # after a build that failed
ROOT = Path(__file__).resolve().parents[2]
BUILD = (sys.executable, "-m", "flask", "--app", "ivr.app", "index", "build", "--threads", "1", "--automatic")


class Rebuilding:
    """Builds in a process of its own, of low priority, one at a time. It may be killed at any moment: an unfinished
    index is never served."""

    def __init__(self, command: tuple[str, ...] = BUILD) -> None:
        self._command = ("nice", "-n", "10", *command)
        self._running: subprocess.Popen[bytes] | None = None
        self._not_before: datetime | None = None

    def rebuild_index(self, wiring: Wiring) -> bool:
        """Begin to build if it is due and no build is under way; whether one was begun."""
        if self._running is not None:
            status = self._running.poll()
            if status is None:
                return False
            self._running = None
            if status == 0:
                log.info("index_rebuilt")
            else:
                log.error("index_rebuild_failed", status=status)
                self._not_before = wiring.clock() + AGAIN_AFTER
        if self._not_before is not None and wiring.clock() < self._not_before:
            return False
        with wiring.pool.connection() as conn:
            live = indexes.current(conn)
            changes = len(indexes.changed_since(conn, live.read_at or "0", MANY)) if live else 0
        if live is None or live.held or not changes or (changes < MANY and live.built_at > wiring.clock() - AFTER):
            return False
        self._running = subprocess.Popen(self._command, cwd=ROOT, stdin=subprocess.DEVNULL)
        log.info("index_rebuild_begun", changes=changes)
        return True
