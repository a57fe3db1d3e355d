"""The whole service as `make run` starts it: stores, web, worker and test phone as processes of their own."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from config import folders
from models import facts
from models.facts import FactRow

ROOT = Path(__file__).resolve().parents[2]
RELEASE = ("-m", "ivr.stores", "run", "--", "flask", "--app", "ivr.app", "release")
RUN = ("-m", "ivr.foreground", "-e", os.devnull, "-d", str(ROOT), "-f", "Procfile.dev", "start")
READY_WITHIN_S = 120.0
END_WITHIN_S = 20.0


@dataclass(frozen=True)
class Service:
    """Where a running service answers."""

    data_dir: Path
    url: str
    phone_url: str
    worker_url: str

    def facts(self, call_sid: str) -> list[FactRow]:
        """What is on record about a call, in order."""
        with psycopg.connect(folders.postgres_url(self.data_dir, 5432), autocommit=True) as connection:
            return facts.of_call(connection, call_sid)


def _environment(data_dir: Path, port: int, phone_port: int, **more: str) -> dict[str, str]:
    """Nothing of the tests' own environment but the way to the programs of this virtual environment."""
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "DATA_DIR": str(data_dir),
        "PORT": str(port),
        "OFFHOLD_PORT": str(port),
        "PHONE_PORT": str(phone_port),
        **more,
    }


def release(data_dir: Path) -> None:
    """The first half of `make run`: tables, the starter menu and community, the index. Again does nothing."""
    environ = _environment(data_dir, 8000, 8100)
    done = subprocess.run(
        [sys.executable, *RELEASE], env=environ, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def running(data_dir: Path, **settings: str) -> Iterator[Service]:
    """The second half: everything on free ports of this machine, until the end of the block."""
    port, phone_port, worker_port = free_ports(3)
    log = data_dir / "log.txt"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *RUN],
            env=_environment(data_dir, port, phone_port, WORKER_PORT=str(worker_port), **settings),
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for(port, "/readyz", process, log)
        _wait_for(phone_port, "/", process, log)
        address = "http://127.0.0.1"
        yield Service(data_dir, f"{address}:{port}", f"{address}:{phone_port}/", f"{address}:{worker_port}")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(END_WITHIN_S)
    assert "The stores have stopped." in log.read_text(), log.read_text()


def free_ports(count: int) -> list[int]:
    """Ports that nobody has now."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def _wait_for(port: int, path: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + READY_WITHIN_S
    while not answers(port, path):
        assert process.poll() is None, f"it ended:\n{log.read_text()}"
        assert time.monotonic() < end, f"it was not ready within {READY_WITHIN_S:.0f} s:\n{log.read_text()}"
        time.sleep(0.1)


def answers(port: int, path: str) -> bool:
    """Whether a server here says OK to that."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
