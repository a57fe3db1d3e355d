"""A service of the benchmark's own: stores, web and worker as real processes in a folder of their own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from config.settings import Settings, load
from ivr.stores import Stores

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN_S = 120.0


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Site:
    """Where everything is."""

    env: dict[str, str]
    settings: Settings
    carrier_port: int
    static_port: int

    def stores(self) -> tuple[int, ...]:
        """The stores' process ids."""
        children = psutil.Process().children()
        return tuple(child.pid for child in children if "post" in child.name() or "valkey" in child.name())

    @contextlib.contextmanager
    def running(self, *command: str, **env: str) -> Iterator[subprocess.Popen[bytes]]:
        """A process of the site; ended with SIGTERM."""
        with (self.settings.data_dir / f"{command[-1]}.log").open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, *command], env=self.env | env, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT
            )
            try:
                yield process
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def wait_for(port: int, path: str) -> float:
    """Seconds until a GET of the path is answered with 200 or 405."""
    import http.client

    begun = time.perf_counter()
    while time.perf_counter() - begun < READY_WITHIN_S:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", path)
            if connection.getresponse().status in (200, 405):
                return time.perf_counter() - begun
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.02)
    raise RuntimeError(f"nothing answers at port {port}")


def processor_s(*parents: int) -> float:
    """Processor seconds used so far by processes and all below them."""
    used = 0.0
    for parent in parents:
        root = psutil.Process(parent)
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                used += times.user + times.system
    return used


def resident(process: subprocess.Popen[bytes]) -> list[int]:
    """Resident bytes of each serving process below a web process."""
    return [child.memory_info().rss for child in psutil.Process(process.pid).children() if child.num_threads() > 3]


@contextlib.contextmanager
def opened(articles: str | None, processes: int, threads: int) -> Iterator[Site]:
    """Stores running, tables made, articles imported, index built."""
    with tempfile.TemporaryDirectory(prefix="offhold-bench-") as folder:
        port, carrier_port, static_port = free_port(), free_port(), free_port()
        env = {
            **os.environ,
            "DATA_DIR": folder,
            "PORT": str(port),
            "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
            "OFFHOLD_PORT": str(port),
            "PHONE_PORT": str(carrier_port),
            "WEB_PROCESSES": str(processes),
            "WEB_THREADS": str(threads),
            "TEXTS_A_MINUTE": "100000",  # what the machine can do is asked, not what an operator allows;
            "PREFIX_TEXTS_A_DAY": "100000",  # and all callers are of one town
        }
        settings = load(env, dotenv=None)
        with Stores(Path(folder)):
            given = ["--articles", articles] if articles else []
            subprocess.run(
                [sys.executable, "-m", "flask", "--app", "ivr.app", "release", *given], env=env, cwd=ROOT, check=True
            )
            yield Site(env, settings, carrier_port, static_port)
