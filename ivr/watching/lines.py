"""Log lines that nobody waits for: who reads our log may stop doing so, and no caller is to feel that.

Written by a thread of its own a few times a second. What a reader that stands still does not take is dropped, and
counted.
"""

import os
import threading
from collections import deque
from multiprocessing.util import Finalize

from ivr.watching import figures

EVERY_S = 0.25
AT_ONCE_BYTES = 4096  # what a pipe takes whole, however many processes write to it (POSIX, PIPE_BUF)
MOST_KEPT = 20_000  # lines, about six megabytes


class Lines:
    """Lines on their way to a file descriptor."""

    def __init__(self, descriptor: int, most: int = MOST_KEPT) -> None:
        self._descriptor, self._most = descriptor, most
        self._kept: deque[bytes] = deque()
        self._stop = threading.Event()
        self._writing = threading.Lock()
        threading.Thread(target=self._run, name="log-lines", daemon=True).start()
        Finalize(self, self.close, exitpriority=1)  # forked processes end without `atexit`

    def add(self, line: bytes) -> None:
        """Write this soon."""
        if len(self._kept) >= self._most:
            figures.count_lost_lines(1)
        else:
            self._kept.append(line)

    def flush(self) -> None:
        """Write what there is now, whole lines at a time."""
        with self._writing:
            while self._kept:
                taken = [self._kept.popleft()]
                size = len(taken[0]) + 1
                while self._kept and (size := size + len(self._kept[0]) + 1) <= AT_ONCE_BYTES:
                    taken.append(self._kept.popleft())
                self._write(b"\n".join(taken) + b"\n", len(taken))

    def close(self) -> None:
        """Write the last ones, unless the reader stands still."""
        self._stop.set()
        if self._writing.acquire(timeout=EVERY_S):
            self._writing.release()
            self.flush()

    def _write(self, lines: bytes, count: int) -> None:
        try:
            while lines:
                lines = lines[os.write(self._descriptor, lines) :]
        except OSError:  # nobody is there any more, or the disk is full
            figures.count_lost_lines(count)

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            self.flush()
