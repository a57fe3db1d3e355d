"""Sources synced in the background, in a process of their own: reading a community may take an hour and much memory,
and texts are not to wait for it. It ends with the worker."""

import subprocess
import sys
from pathlib import Path

from ivr.wiring import Wiring
from models import sources

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "flask", "--app", "ivr.app", "source", "sync", "--due")


class Syncing:
    """The one such process of a worker."""

    def __init__(self, command: tuple[str, ...] = COMMAND) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def sync_sources(self, wiring: Wiring) -> bool:
        """Begin to sync the sources that are due, unless that is under way; whether it was begun."""
        if self._process is not None and self._process.poll() is None:
            return False
        with wiring.pool.connection() as conn:
            if not sources.due(conn, wiring.clock()):
                return False
        self._process = subprocess.Popen(self._command, cwd=ROOT, stdin=subprocess.DEVNULL)
        return True

    def wait(self, seconds: float) -> int | None:
        """The exit status of the process begun last, None when there was none. For tests."""
        return None if self._process is None else self._process.wait(seconds)
