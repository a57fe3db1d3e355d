"""The port where a worker says how it does: `/healthz`, `/readyz` and `/metrics`, as `web` does (docs/runbook.md)."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET, AF_INET6

import structlog

from ivr import ready
from ivr.watching import asked, figures
from ivr.watching.exposition import CONTENT_TYPE, Exposition
from ivr.wiring import Wiring

log = structlog.get_logger()


class _Port(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, wiring: Wiring, port: int, stopping: Callable[[], bool]) -> None:
        self.wiring, self.stopping, self.exposition = wiring, stopping, Exposition(wiring)
        host = wiring.settings.host
        self.address_family = AF_INET6 if ":" in host else AF_INET
        super().__init__((host, port), _Answer)


class _Answer(BaseHTTPRequestHandler):
    server: _Port
    timeout = 5  # for a request: who sends one byte now and then is hung up on
    server_version, sys_version = "offhold", ""

    def do_GET(self) -> None:
        wiring = self.server.wiring
        match self.path:
            case "/healthz":
                self._say(HTTPStatus.OK, b"ok\n")
            case "/readyz":
                self._say(*_readiness(wiring, stopping=self.server.stopping()), kind="application/json")
            case "/metrics" if asked.may_see(wiring.settings, self.client_address[0], self.headers):
                text = self.server.exposition.text({"worker": figures.families()})
                self._say(HTTPStatus.OK, text, kind=CONTENT_TYPE)
            case _:
                self._say(HTTPStatus.NOT_FOUND, b"Not found\n")

    def _say(self, status: HTTPStatus, content: bytes, kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Who looks how often is no news."""


def _readiness(wiring: Wiring, *, stopping: bool) -> tuple[HTTPStatus, bytes]:
    found = {name: problem for name, problem in ready.problems(wiring).items() if name != "index"}
    if stopping:
        found = {"stopping": "it was told to stop", **found}
    bad = any(problem for name, problem in found.items() if name not in ready.LOSABLE)
    told = {name: problem or "ok" for name, problem in found.items()}
    return HTTPStatus.SERVICE_UNAVAILABLE if bad else HTTPStatus.OK, json.dumps(told).encode()


@contextmanager
def answering(wiring: Wiring, stopping: Callable[[], bool]) -> Iterator[None]:
    """Answer at WORKER_PORT within the block. A port that is taken keeps no text from being sent."""
    port = wiring.settings.worker_port
    if port is None:
        yield
        return
    try:
        listening = _Port(wiring, port, stopping)
    except OSError as error:
        log.error("worker_port_not_bound", port=port, why=str(error))
        yield
        return
    threading.Thread(target=listening.serve_forever, name="worker-port", daemon=True).start()
    try:
        yield
    finally:
        listening.shutdown()
        listening.server_close()
