"""The embedded stores: PostgreSQL and Valkey as children of one process of ours, which stops them last."""

import contextlib
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
import redis

from config import folders, machine
from config.settings import Settings
from ivr.stores.postgres import Postgres
from ivr.stores.servers import Server, StoresError, own_folder, owner_of
from ivr.stores.valkey import Valkey

DATABASE = "offhold"
# honcho kills what has not ended 5 s after its SIGTERM: the clients get this long, the shutdown has the rest.
DRAIN_S = 3.0
RESTARTS, RESTARTS_WITHIN_S = 5, 60.0


class Stores:
    """The stores of one DATA_DIR. `start()` returns when both answer; `stop()` leaves nothing running."""

    def __init__(
        self,
        data_dir: Path,
        *,
        postgres_port: int = 5432,
        valkey_port: int = 6379,
        durable: bool = True,
        postgres: bool = True,
        valkey: bool = True,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self._lock: int | None = None
        self._restarts: list[float] = []
        owner = owner_of(self.data_dir)
        self._owner = owner
        self.postgres = Postgres(self.data_dir, postgres_port, owner, durable) if postgres else None
        self.valkey = Valkey(self.data_dir, valkey_port, owner) if valkey else None
        self._servers: list[Server] = [server for server in (self.postgres, self.valkey) if server]

    def start(self) -> None:
        """Start both and create the database. Raises StoresError, then nothing of it runs."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        own_folder(folders.run_folder(self.data_dir), self._owner)
        self._take_lock()
        try:
            machine.mark(self.data_dir)
            self._make_sockets_folder()
            for server in self._servers:
                server.log.write_bytes(b"")
                server.prepare()
                server.start()
            if self.postgres:
                self.postgres.create_database(DATABASE)
        except BaseException:
            self.stop()
            raise

    def watch(self) -> None:
        """Start again what has ended by itself. Raises StoresError when that happens too often."""
        for server in self._servers:
            if server.running:
                continue
            now = time.monotonic()
            self._restarts = [at for at in self._restarts if now - at < RESTARTS_WITHIN_S] + [now]
            if len(self._restarts) > RESTARTS:
                raise StoresError(f"{server.name} ends again and again:\n{server.log_end()}")
            print(f"{server.name} has ended by itself and is started again:\n{server.log_end(3)}", flush=True)
            server.prepare()
            server.start()

    def drain(self, seconds: float = DRAIN_S) -> None:
        """Wait until the other processes have left PostgreSQL, at most `seconds`."""
        end = time.monotonic() + seconds
        while self.postgres and self.postgres.running and time.monotonic() < end and self.postgres.clients():
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop both, PostgreSQL first. May be called twice."""
        for server in self._servers:
            server.stop()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def database_url(self, name: str = DATABASE) -> str:
        """The address of the database `name`. Raises StoresError when PostgreSQL is not ours to run."""
        if not self.postgres:
            raise StoresError("DATABASE_URL names another PostgreSQL.")
        return self.postgres.url(name)

    def redis_url(self, number: int = 0) -> str:
        """The address of Valkey's database `number`. Raises StoresError when Valkey is not ours to run."""
        if not self.valkey:
            raise StoresError("REDIS_URL names another server.")
        return self.valkey.url(number)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()

    def _take_lock(self) -> None:
        path = folders.run_folder(self.data_dir) / "stores.lock"
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock, 32).decode().strip() or "unknown"
            os.close(lock)
            raise StoresError(
                f"The stores in {self.data_dir} are run by process {holder} already. "
                "Stop that one first, or set another DATA_DIR."
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        self._lock = lock

    def _make_sockets_folder(self) -> None:
        folder = folders.sockets_folder(self.data_dir)
        if folder == folders.run_folder(self.data_dir):
            return
        own_folder(folder, self._owner)
        folders.sockets_note(self.data_dir).write_text(f"{folder}\n", encoding="utf-8")


def for_settings(settings: Settings) -> Stores:
    """The stores that `settings` leave to us to run."""
    return Stores(
        settings.data_dir,
        postgres_port=settings.postgres_port,
        valkey_port=settings.valkey_port,
        postgres=settings.embedded_postgres,
        valkey=settings.embedded_valkey,
    )


def wait_until_ready(settings: Settings, timeout: float) -> None:
    """Wait at most `timeout` seconds until both stores answer. Raises StoresError naming the silent one."""
    end = time.monotonic() + timeout
    for name, asked in (("DATABASE_URL", _postgres_answers), ("REDIS_URL", _redis_answers)):
        while not asked(settings):
            if time.monotonic() >= end:
                raise StoresError(f"The server at {name} did not answer within {timeout:g} s.")
            time.sleep(0.1)


def _postgres_answers(settings: Settings) -> bool:
    try:
        with psycopg.connect(settings.database_url.get_secret_value(), connect_timeout=2):
            return True
    except psycopg.OperationalError:
        return False


def _redis_answers(settings: Settings) -> bool:
    url = settings.redis_url.get_secret_value()
    try:
        with contextlib.closing(redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
