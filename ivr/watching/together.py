"""What the processes of one server know of each other: everybody's figures, and that the server is about to stop.

They share a port, so that who asks for figures gets one of them, and not the one it asked before. Each listens on a
socket in a folder of the server's own; the one asked asks the others. docs/decisions/0062 says why not by shared files.
"""

import fcntl
import os
import shutil
import socket
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec
import structlog

from ivr.watching import figures
from ivr.watching.figures import Family

log = structlog.get_logger()

MOST = 64  # processes of a server, see WEB_PROCESSES
WITHIN_S = 0.5  # one that stands still keeps nobody from the others' figures
LARGEST = 4 << 20
_STOPPING = "stopping"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Family]).decode


def folder_of(server_pid: int) -> Path:
    """Where the processes of a server meet; the same for all of them, and for no other user's."""
    return Path(tempfile.gettempdir()) / f"offhold-{os.getuid()}-{server_pid}"


def _is_ours(folder: Path) -> bool:
    found = folder.lstat()
    return folder.is_dir() and not folder.is_symlink() and found.st_uid == os.getuid() and not found.st_mode & 0o077


class Server:
    """The process that starts the others."""

    def __init__(self) -> None:
        self._folder = folder_of(os.getpid())
        try:
            if self._folder.exists() and _is_ours(self._folder):  # of another with the same number, long dead
                shutil.rmtree(self._folder)
            self._folder.mkdir(mode=0o700)
        except OSError as error:
            log.warning("processes_do_not_meet", why=type(error).__name__)

    def is_stopping(self) -> None:
        """Have all processes say so (`/readyz`)."""
        with suppress(OSError):
            (self._folder / _STOPPING).touch()

    def close(self) -> None:
        """The others have ended."""
        shutil.rmtree(self._folder, ignore_errors=True)


class Together:
    """A process among the others. Alone where they cannot meet, as on a disk that is full: losable."""

    def __init__(self, server_pid: int) -> None:
        self._folder = folder_of(server_pid)
        self._place: IO[str] | None = None
        self.name = "web"
        try:
            if _is_ours(self._folder):
                self._take_place()
        except OSError as error:
            log.warning("processes_do_not_meet", why=type(error).__name__)

    def _take_place(self) -> None:
        """The first that is free: who comes after one that died takes its place, and the figures go on under its
        name."""
        for number in range(MOST):
            place = (self._folder / f"{number}.place").open("w")
            try:
                fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                place.close()
                continue
            self._place, self.name = place, f"web-{number}"
            path = self._folder / f"{number}.socket"
            path.unlink(missing_ok=True)
            listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listening.bind(str(path))
            listening.listen(8)
            threading.Thread(target=self._answer, args=(listening,), name="figures", daemon=True).start()
            return

    def _answer(self, listening: socket.socket) -> None:
        while True:
            try:
                asking, _ = listening.accept()
                with asking:
                    asking.settimeout(WITHIN_S)
                    asking.sendall(_encode(figures.families()))
            except OSError:  # whoever asked is gone
                continue
            except Exception:
                log.exception("figures_not_told")

    @property
    def stopping(self) -> bool:
        """Whether the server was told to stop: nothing new is to come here."""
        return (self._folder / _STOPPING).exists()

    def all(self) -> dict[str, list[Family]]:
        """The figures of every process that answers, by its name."""
        found = {self.name: figures.families()}
        with suppress(OSError):
            for path in sorted(self._folder.glob("*.socket")):
                name = f"web-{path.stem}"
                if name not in found and (told := _ask(path)) is not None:
                    found[name] = told
        return found


def _ask(path: Path) -> list[Family] | None:
    told = b""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
            asked.settimeout(WITHIN_S)
            asked.connect(str(path))
            while (part := asked.recv(1 << 16)) and len(told) < LARGEST:
                told += part
        return _decode(told)
    except (OSError, msgspec.MsgspecError):  # it died, or stands still
        return None
