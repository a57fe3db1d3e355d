"""Sources synced in the background, in a process of their own: reading a community may take an hour and much memory,
and texts are not to wait for it. It ends with the worker."""

import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

from ivr.wiring import Wiring
from models import sources

AGAIN_AFTER = timedelta(minutes=1)
ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "flask", "--app", "ivr.app", "source", "sync", "--due")


class Syncing:
    """The one such process of a worker. After one that did not end well the next is begun a minute later: what it left
    undone may still be due."""

    def __init__(self, command: tuple[str, ...] = COMMAND) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._not_before: datetime | None = None

    def sync_sources(self, wiring: Wiring) -> bool:
        """Begin to sync the sources that are due, unless that is under way; whether it was begun."""
        if self._process is not None:
            status = self._process.poll()
            if status is None:
                return False
            self._process = None
            self._not_before = wiring.clock() + AGAIN_AFTER if status else None
        if self._not_before is not None and wiring.clock() < self._not_before:
            return False
        with wiring.pool.connection() as conn:
            if not sources.due(conn, wiring.clock()):
                return False
        self._process = subprocess.Popen(self._command, cwd=ROOT, stdin=subprocess.DEVNULL)
        return True

    def wait(self, seconds: float) -> int | None:
        """The exit status of the process begun last, None when there was none. For tests."""
        return None if self._process is None else self._process.wait(seconds)
