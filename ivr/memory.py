"""The C library's memory in a process that lives for weeks. Where there is no glibc, nothing is done.

glibc gives threads heaps of their own, sixteen on two cores, and each keeps what its busiest moment took. What is kept
is made by whichever thread answered, so that all of them fill up bit by bit. The interpreter's lock lets one thread at
a time allocate anyway: one heap does (docs/load.md has the figures).
"""

import ctypes
import threading
import time
from typing import Any

EVERY_S = 60.0
_ARENA_MAX = -8  # M_ARENA_MAX of <malloc.h>


def keep_one_heap() -> None:
    """From now on let all threads share one heap. Before threads are started: those that have one keep it."""
    if (mallopt := _of_libc("mallopt")) is not None:
        mallopt(_ARENA_MAX, 1)


def give_back() -> None:
    """Give what is free back to the machine: reading model and index takes tens of megabytes for a moment."""
    if (trim := _of_libc("malloc_trim")) is not None:
        trim(0)


def keep_giving_back() -> None:
    """Now and every minute, from a thread of its own."""
    give_back()
    threading.Thread(target=_every_minute, name="memory", daemon=True).start()


def _every_minute() -> None:
    while True:
        time.sleep(EVERY_S)
        give_back()


def _of_libc(name: str) -> Any:
    """A function of the C library's own; None where it has none of that name."""
    try:
        return getattr(ctypes.CDLL(None), name, None)
    except (OSError, TypeError):
        return None
