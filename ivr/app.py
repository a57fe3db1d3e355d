"""The Flask application."""

import gc
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from config import logs
from config.settings import load_or_exit
from ivr import web
from ivr import wiring as wirings
from ivr.web.api import create_api
from ivr.web.application import Application
from ivr.web.console import create_console
from ivr.wiring import Wiring

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ANSWER_WITHIN_S = 2.0  # of the database; the carrier waits 15, a caller hears silence meanwhile


class _Beside:
    """Applications of their own beside the one that answers webhooks: no hook of theirs ever runs for a webhook, which
    does not wait for the dispatcher to take its path apart either."""

    def __init__(self, inner: "WSGIApplication", mounted: "dict[str, WSGIApplication]") -> None:
        self._inner, self._paths = inner, tuple(mounted)
        self._all = DispatcherMiddleware(inner, mounted)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        ours = environ.get("PATH_INFO", "").startswith(self._paths)
        return (self._all if ours else self._inner)(environ, start_response)


def create_app(wiring: Wiring | None = None) -> Flask:
    """The application with its commands, around a wiring; built from the settings where none is given."""
    from ivr import cli  # a web process has no use for what the commands import

    app = _application(wiring or _build())
    cli.install(app)
    return app


def serve() -> Flask:
    """The application of a web process: encoder and index loaded, the database's hash key checked."""
    wiring = _build()
    wiring.check_hash_key()
    wiring.warm()
    wiring.pool.cut_after(ANSWER_WITHIN_S)
    app = _application(wiring)
    gc.collect()
    gc.freeze()  # what is there now lives as long as the process: collections need not walk it
    gc.set_threshold(10_000, 20)  # a request leaves next to no cycles to collect
    return app


def _build() -> Wiring:
    settings = load_or_exit()
    logs.configure(settings)
    return wirings.build(settings)


def _application(wiring: Wiring) -> Flask:
    app = Application(__name__, template_folder="web/templates", static_folder="web/static")
    app.extensions["offhold"] = wiring
    mounted = app.extensions["mounted"] = {"/console": create_console(wiring), "/api": create_api(wiring)}
    app.wsgi_app = _Beside(app.wsgi_app, mounted)  # type: ignore[method-assign]
    web.install(app)
    for blueprint in web.blueprints:
        app.register_blueprint(blueprint)
    app.take_short("voice", "texts")
    return app
