"""Mappings and rehearsals, worked out in a process of their own: a minute of both cores is not the worker's to give."""

import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from ivr.wiring import Wiring
from models import studies

log = structlog.get_logger()

SILENT = timedelta(minutes=2)  # whoever works on one says how far it is every second
MAP_EVERY = timedelta(days=1)
BY_ITSELF = "by itself"
ROOT = Path(__file__).resolve().parents[2]
WORK = (sys.executable, "-m", "flask", "--app", "ivr.app", "study", "work")


class Studying:
    """Begins the process when something was asked for and none is under way. It may be killed at any moment."""

    def __init__(self, command: tuple[str, ...] = WORK) -> None:
        self._command = ("nice", "-n", "10", *command)
        self._running: subprocess.Popen[bytes] | None = None

    def study(self, wiring: Wiring) -> bool:
        """Begin if there is work; whether it was begun."""
        if self._running is not None:
            status = self._running.poll()
            if status is None:
                return False
            self._running = None
            if status:
                log.error("study_failed", status=status)
        now = wiring.clock()
        with wiring.pool.connection() as conn:
            if not studies.is_waiting(conn, now - SILENT):
                return False
        self._running = subprocess.Popen(self._command, cwd=ROOT, stdin=subprocess.DEVNULL)
        return True


def ask_for_mapping(wiring: Wiring) -> None:
    """Once a day, where there were calls, the mapping is worked out anew."""
    now = wiring.clock()
    with wiring.pool.connection() as conn:
        if _is_due(studies.latest(conn, studies.MAPPING), now) and studies.recorded(conn, now - MAP_EVERY, 1):
            studies.ask(conn, studies.MAPPING, BY_ITSELF, now, calls=studies.MAPPING_CALLS)


def _is_due(latest: studies.Study | None, now: datetime) -> bool:
    return latest is None or (not latest.is_open and latest.asked_at <= now - MAP_EVERY)
