"""The Flask application."""

import ctypes
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from flask import Flask

from config import logs
from config.settings import load_or_exit
from ivr import memory, web
from ivr import wiring as wirings
from ivr.landing import Landing
from ivr.places import Places
from ivr.watching import figures, state, webhooks
from ivr.watching.exposition import Exposition
from ivr.watching.lines import Lines
from ivr.watching.together import Together
from ivr.web.application import Application
from ivr.web.health import EXPOSITION, TOGETHER
from ivr.wiring import Wiring

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PR_SET_PDEATHSIG = 1  # prctl(2)
ANSWER_WITHIN_S = 2.0  # of the database, for pages; callers' turns have less (ivr/turn.py)


class Beside:
    """Applications of their own beside the one that answers webhooks, by the path they begin with.

    No hook of theirs ever runs for a webhook, which does not wait, at the start, for what they import either: each is
    made when first asked. (The framework's own dispatcher takes a second over a path of slashes only.)
    """

    def __init__(self, inner: "WSGIApplication", makers: Mapping[str, Callable[[], Flask]], places: Places) -> None:
        self._inner, self._makers, self._paths, self._places = inner, makers, tuple(makers), places
        self._made: dict[str, Flask] = {}
        self._lock = threading.Lock()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        asked = environ.get("PATH_INFO", "")
        path = next((one for one in self._paths if asked == one or asked.startswith(f"{one}/")), None)
        if path is None:
            return self._inner(environ, start_response)
        # "/" for nothing: the framework would lead there by an address made of the Host that the visitor named.
        inside = {"SCRIPT_NAME": environ.get("SCRIPT_NAME", "") + path, "PATH_INFO": asked.removeprefix(path) or "/"}
        with self._places.page():
            return self[path](environ | inside, start_response)

    def __getitem__(self, path: str) -> Flask:
        with self._lock:
            if path not in self._made:
                self._made[path] = self._makers[path]()
            return self._made[path]


def create_app(wiring: Wiring | None = None) -> Flask:
    """The application with its commands, around a wiring; built from the settings where none is given."""
    from ivr import cli  # a web process has no use for commands

    app = _application(wiring or _build())
    cli.install(app)
    return app


def serve() -> Flask:
    """The application of a web process: encoder and index loaded, the database's hash key checked."""
    end_with_parent()
    memory.keep_one_heap()
    wiring = _build()
    wiring.check_hash_key()
    wiring.warm()
    wiring.pool.cut_after(ANSWER_WITHIN_S)
    Landing(wiring).start()
    app = _application(wiring)
    state.watch(wiring)
    webhooks.tell(Lines(sys.stderr.fileno()))
    app.extensions[TOGETHER] = Together(os.getppid())
    gc.collect()
    memory.keep_giving_back()
    gc.freeze()  # what is there now lives as long as the process: collections need not walk it
    gc.set_threshold(10_000, 20)  # a request leaves next to no cycles to collect
    return app


def end_with_parent() -> None:
    """Be told to stop when the supervisor is killed: as an orphan this process would keep the port, and a supervisor
    that is begun anew would refuse to start beside it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


def _build() -> Wiring:
    settings = load_or_exit()
    logs.configure(settings)
    return wirings.build(settings)


def _application(wiring: Wiring) -> Flask:
    app = Application(__name__, template_folder="web/templates", static_folder="web/static")
    app.url_map.merge_slashes = False  # it would lead on to an address made of the Host that the visitor named
    app.extensions["offhold"] = wiring
    beside = Beside(app.wsgi_app, {"/console": partial(_console, wiring), "/api": partial(_api, wiring)}, wiring.places)
    # Flask's own way to put something around an application, which mypy takes for a method overwritten.
    app.extensions["mounted"] = app.wsgi_app = beside  # type: ignore[method-assign]
    web.install(app)
    for blueprint in web.blueprints:
        app.register_blueprint(blueprint)
    app.take_short("voice", "texts")
    figures.expect_webhooks(app.short_kinds(), webhooks.OUTCOMES, webhooks.REASONS)
    app.extensions[EXPOSITION] = Exposition(wiring)
    return app


def _console(wiring: Wiring) -> Flask:
    from ivr.web.console import create_console  # its charts and files import half a second of statistics

    return create_console(wiring)


def _api(wiring: Wiring) -> Flask:
    from ivr.web.api import create_api

    return create_api(wiring)
