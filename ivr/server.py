"""`python -m ivr.server`: the web processes, until SIGTERM or SIGINT."""

import http.client
import socket
import sys
import threading
from typing import Any

import psycopg
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

from config.settings import Settings, load_or_exit
from ivr.console import links
from ivr.places import THREADS_BESIDE
from ivr.stores import wait_until_ready
from ivr.stores.servers import StoresError
from ivr.watching import together
from models import site

STORES_WITHIN_S = 60.0
# Requests under way get this long after SIGTERM. honcho kills after 5 s what has not ended.
DRAIN_S = 4


class Server(MPServer):
    """granian's, which says so for a while before it stops (`/readyz`): who sends us calls looks only now and then."""

    wait_s = 0.0
    _told: together.Server | None = None
    _stopping = False

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """SIGTERM or SIGINT. A second one stops at once."""
        if self._told is None or self.wait_s == 0 or self._stopping:
            self._stop_now(*args, **kwargs)
            return
        self._stopping = True
        self._told.is_stopping()
        waiting = threading.Timer(self.wait_s, self._stop_now)
        waiting.daemon = True
        waiting.start()

    def _stop_now(self, *args: Any, **kwargs: Any) -> None:
        super().signal_handler_interrupt(*args, **kwargs)  # type: ignore[no-untyped-call]  # granian's is untyped

    def serve_together(self) -> None:
        """Serve until told to stop, in processes that know of each other."""
        self._told = together.Server()
        try:
            self.serve()
        finally:
            self._told.close()


def granian(settings: Settings, factory: str = "ivr.app:serve", beside: int = 0) -> Server:
    """The server of an application factory, as all of ours are run; `beside`: threads more than those that work."""
    server = Server(
        factory,
        factory=True,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        address=settings.host,
        port=settings.port,
        workers=settings.web_processes,
        blocking_threads=settings.web_threads + beside,
        respawn_failed_workers=True,
        respawn_interval=1.0,
        workers_kill_timeout=DRAIN_S,
        log_level=LogLevels.error,
    )
    server.wait_s = settings.drain_wait_s
    return server


def _refuse_taken_port(settings: Settings) -> None:
    """Raises OSError when another program listens on PORT: granian would share it, and take half the calls."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((settings.host, settings.port))


def _tell_when_ready(settings: Settings, stop: threading.Event) -> None:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    while not stop.wait(0.2):
        connection = http.client.HTTPConnection(host, settings.port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == http.HTTPStatus.OK:
                print(_where(settings), *_setup(settings), sep="\n", flush=True)
                return
        except (OSError, http.client.HTTPException):
            continue
        finally:
            connection.close()


def _where(settings: Settings) -> str:
    lines = [f"Offhold answers at {settings.public_base_url}"]
    if settings.test_phone == "on":
        lines.append(f"  take a call: http://127.0.0.1:{settings.phone_port}/")
    lines.append(f"  agents see their caller at {settings.public_base_url}/agent")
    lines.append(f"  staff work at {settings.public_base_url}/console/")
    return "\n".join(lines)


def _setup(settings: Settings) -> list[str]:
    """The way in as long as nobody has an account: there is no password to begin with."""
    try:
        with psycopg.connect(settings.database_url.get_secret_value(), autocommit=True, connect_timeout=2) as conn:
            token = links.first_setup_link(conn, site.now(conn))
    except psycopg.Error as error:
        return [f"  no set-up link could be made ({type(error).__name__}): flask staff setup-link prints one"]
    if token is None:
        return []
    minutes = int(links.SETUP_LASTS.total_seconds() // 60)
    link = links.address(settings.public_base_url, token)
    return [f"  nobody has an account yet. Make yours within {minutes} minutes, this link works once:", f"    {link}"]


def main() -> int:
    """The program's status."""
    settings = load_or_exit()
    try:
        _refuse_taken_port(settings)
        if settings.embedded_postgres or settings.embedded_valkey:
            wait_until_ready(settings, STORES_WITHIN_S)
    except StoresError as error:  # callers are kept in the queue meanwhile
        print(f"web: {error} It is served as soon as it does.", file=sys.stderr, flush=True)
    except OSError as error:
        print(f"web: {settings.host}:{settings.port}: {error}", file=sys.stderr, flush=True)
        return 1
    stop = threading.Event()
    threading.Thread(target=_tell_when_ready, args=(settings, stop), daemon=True).start()
    granian(settings, beside=THREADS_BESIDE).serve_together()
    stop.set()
    return 0


if __name__ == "__main__":
    sys.exit(main())
