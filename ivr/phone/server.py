"""The phone as an HTTP server: Twilio's REST side, and the desk's page."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from ivr.phone.engine import Carrier
from ivr.phone.rest import rest


def rest_app(carrier: Carrier, api_keys: dict[str, str] | None = None) -> Flask:
    """A Flask app with the REST side only: what a test or a fault run needs."""
    app = Flask("ivr.phone")
    app.register_blueprint(rest(carrier, api_keys or {}))
    return app


class _Quiet(WSGIRequestHandler):
    """No line per request: the page polls three times a second."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """See WSGIRequestHandler."""


def bind(app: Flask, port: int, host: str = "127.0.0.1") -> BaseWSGIServer:
    """A threaded server bound to host and port (0 = any); raises OSError when the port is taken."""
    return make_server(host, port, app, threaded=True, request_handler=_Quiet)


@contextmanager
def running(app: Flask, port: int = 0) -> Iterator[str]:
    """Serve an app from a thread of this process; gives its address."""
    server = bind(app, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
