"""Webhooks that came while the database was away, on this machine's disk until it is back (docs/decisions/0060).

One file a webhook, written aside and renamed: whoever dies at whatever instant leaves whole files only, and no process
waits for another. Sealed, for what a carrier says of a call holds numbers.
"""

import fcntl
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
import structlog

log = structlog.get_logger()

MOST_KEPT = 50_000  # webhooks; about a quarter of a gigabyte
MOST_IN_MEMORY = 2_000  # of one process, where the disk takes none
SUFFIX, LAST = ".kept", "-last"
_SETTLES_S = 0.05  # a folder's time moves in ticks: a list made within one may miss what came after it
_LISTING_SHARE, _LONG_S = 20, 0.0002  # a list that took long is made again after so many times that
_COUNTED_S = 0.5  # whoever keeps looks how many there are no more often


class Kept(NamedTuple):
    """One webhook as it came in: when (Unix ms), where, and its form."""

    at_ms: int
    path: str
    turn: int | None  # as the address named it, where it names one
    mark: str
    form: dict[str, str]

    @property
    def at(self) -> datetime:
        """When it came in, aware, UTC."""
        return datetime.fromtimestamp(self.at_ms / 1000, UTC)


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Kept).decode


def left_aside(folder: Path) -> list[Path]:
    """What will not land: refused by the database for good, or left half written by a writer that died."""
    return [*folder.glob("*.refused"), *folder.glob("*.draft")]


class Spool:
    """One folder for all web processes of a machine. `seal` and `open_` hide and show a text."""

    def __init__(
        self, folder: Path, seal: Callable[[str], bytes], open_: Callable[[bytes], str], most: int = MOST_KEPT
    ) -> None:
        self._folder, self._seal, self._open, self._most = folder, seal, open_, most
        self._lock = threading.Lock()
        self._count = 0
        self._names: set[str] = set()
        self._of_calls: Counter[str] = Counter()
        self._looked_ns = -1
        self._looked_at = self._look_after = 0.0
        self._made = False  # the folder, by this process
        self._memory: dict[str, bytes] = {}
        self.lost = 0  # since the process began

    def put(self, call: str, kept: Kept, *, last: bool = False) -> bool:
        """Keep one webhook of a call, or of a text by its id. False, and an error in the log, without room for it.

        `last`: nothing of the call happens after it, whichever of the two comes here first.
        """
        with self._lock:
            self._count += 1
            name = f"{kept.at_ms:015d}-{call}-{os.getpid()}-{self._count}{LAST if last else ''}{SUFFIX}"
            if len(self._names) >= self._most or time.monotonic() > self._looked_at + _COUNTED_S:
                self._look()
            if len(self._names) >= self._most:
                return self._drop(call, kept, "full")
            self._add(name)  # from now on its call waits
        sealed = self._seal(_encode(kept).decode())
        written = self._write(name, sealed)
        with self._lock:
            if not written:
                if len(self._memory) >= MOST_IN_MEMORY:
                    self._remove(name)
                    return self._drop(call, kept, "no disk")
                self._memory[name] = sealed
            self._add(name)  # a list made meanwhile has missed it
        return True

    def holds(self, call: str) -> bool:
        """Whether something of this call waits here: what comes later has to wait as well. One look at the folder."""
        with self._lock:
            self._look()
            return self._of_calls[call] > 0

    def depth(self) -> int:
        """How many webhooks wait."""
        with self._lock:
            self._look()
            return len(self._names)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether this process is the one that lands what is kept, for the length of the block."""
        with ExitStack() as stack:
            mine = False
            with suppress(OSError):  # nothing was ever kept here, or another process has the lock
                lock = stack.enter_context((self._folder / "lock").open("rb"))
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                mine = True
            yield mine or bool(self._memory)

    def waiting(self) -> list[str]:
        """The names of what waits in the order in which it happened."""
        with self._lock:
            for name, sealed in list(self._memory.items()):  # the disk may take them by now
                if self._write(name, sealed):
                    del self._memory[name]
            self._list()
            return sorted(self._names, key=lambda name: (name.endswith(LAST + SUFFIX), name))

    def read(self, name: str) -> Kept:
        """What was kept under a name. Raises FileNotFoundError once it landed, ValueError where its key is gone."""
        sealed = self._memory.get(name)
        return _decode(self._open(sealed if sealed is not None else (self._folder / name).read_bytes()))

    def landed(self, name: str) -> None:
        """It is in the database: forget it."""
        with self._lock:
            self._memory.pop(name, None)
            with suppress(OSError):  # a folder that was taken away holds nothing
                (self._folder / name).unlink(missing_ok=True)
            self._remove(name)

    def put_aside(self, name: str) -> None:
        """It cannot be taken, whatever is tried: out of the way, for somebody to look at."""
        with self._lock, suppress(OSError):
            (self._folder / name).replace(self._folder / f"{name}.refused")
            self._remove(name)

    def _write(self, name: str, sealed: bytes) -> bool:
        path = f"{self._folder}/{name}"
        draft = f"{path}.draft"
        try:
            if not self._made or not os.path.exists(self._folder):
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                (self._folder / "lock").touch(mode=0o600)
                self._made = True
            with open(draft, "wb", buffering=0) as file:
                if file.write(sealed) != len(sealed):
                    raise OSError("written in part")
            os.rename(draft, path)
        except OSError as error:
            log.error("spool_not_written", why=type(error).__name__)
            with suppress(OSError):
                os.unlink(draft)
            return False
        return True

    def _add(self, name: str) -> None:
        if name not in self._names:
            self._names.add(name)
            self._of_calls[call_of(name)] += 1

    def _remove(self, name: str) -> None:
        if name in self._names:
            self._names.remove(name)
            self._forget(name)

    def _look(self) -> None:
        """List the folder when something changed in it since the last list, but never all the time."""
        if time.monotonic() < self._look_after:
            return
        try:
            changed_ns = self._folder.stat().st_mtime_ns
        except OSError:
            changed_ns = 0
        if changed_ns != self._looked_ns:
            self._list()
            self._looked_ns = changed_ns if time.time_ns() - changed_ns > _SETTLES_S * 1e9 else -1

    def _list(self) -> None:
        begun = time.thread_time()
        try:
            listed = os.listdir(self._folder)
        except FileNotFoundError:
            listed = []
        except OSError:  # a disk that cannot be read: what is known to wait goes on waiting
            listed = list(self._names)
        names = {name for name in listed if name.endswith(SUFFIX)}
        names.update(self._memory)
        for name in self._names - names:
            self._forget(name)
        for name in names - self._names:
            self._of_calls[call_of(name)] += 1
        self._names = names
        took = time.thread_time() - begun
        self._looked_at = time.monotonic()
        self._look_after = self._looked_at + (_LISTING_SHARE * took if took > _LONG_S else 0.0)

    def _forget(self, name: str) -> None:
        call = call_of(name)
        self._of_calls[call] -= 1
        if not self._of_calls[call]:
            del self._of_calls[call]

    def _drop(self, call: str, kept: Kept, why: str) -> bool:
        self.lost += 1
        log.error("webhook_lost", call_sid=call, path=kept.path, why=why)
        return False


def plain(form: Mapping[str, str]) -> dict[str, str]:
    """A form's fields that say something."""
    return {name: value for name, value in form.items() if value}


def call_of(name: str) -> str:
    """The call, or the text, that a name belongs to."""
    return name.split("-", 2)[1]
