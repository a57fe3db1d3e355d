"""A real worker that is SIGKILLed at planned points: `python -m tests.faults.doomed_worker PLAN`.

The process imports everything once and forks worker after worker, as a supervisor would start them again. PLAN is a
JSON file: the settings, the waiting times, and text id -> the point at which the worker that handles it dies, once.
Nothing of this is in the product: the points are put around its functions here.
"""

import http.client
import importlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextvars import ContextVar
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import structlog

from config.settings import Settings, load
from ivr import wiring as wirings
from ivr.audio import Audio
from ivr.jobs import app, send_text, sweep_texts
from ivr.jobs.times import Times
from ivr.jobs.worker import run_worker
from models import facts, texts

POINTS = (
    "job taken",
    "claimed",
    "request about to go out",
    "request out, answer unread",
    "answer read",
    "outcome written, not committed",
    "outcome committed",
    "job done, not acknowledged",
    "look-up about to go out",
    "look-up answered",
    "look-up written",
)
WRITING = POINTS[5]
LOOKING_UP = POINTS[8:]
_text_id: ContextVar[str] = ContextVar("text_id", default="")
_one_at_a_time = threading.RLock()  # so that a kill hits the text it is meant for and no other


class Doom:
    """Who dies where."""

    def __init__(self, points: dict[str, str], folder: Path) -> None:
        self._points = points
        self._folder = folder

    def at(self, point: str, text_id: str | None = None) -> None:
        """Die here, if it is this text's point and it was not yet died for."""
        of = text_id or _text_id.get()
        if self._points.get(of) != point:
            return
        try:
            (self._folder / of).touch(exist_ok=False)
        except FileExistsError:
            return
        os.kill(os.getpid(), signal.SIGKILL)

    def around(
        self, where: ModuleType | Any, name: str, before: str = "", after: str = "", name_text: bool = False
    ) -> None:
        """Put points before and after a function."""
        real: Callable[..., Any] = getattr(where, name)

        def doomed(*args: Any, **kwargs: Any) -> Any:
            with _one_at_a_time:
                token = _text_id.set(args[1] if isinstance(args[1], str) else args[1].id) if name_text else None
                try:
                    self.at(before)
                    result = real(*args, **kwargs)
                    self.at(after)
                    return result
                finally:
                    if token is not None:
                        _text_id.reset(token)

        setattr(where, name, doomed)


def _prepare(doom: Doom, wiring: Any) -> None:
    doom.around(send_text, "send_text", POINTS[0], POINTS[7], name_text=True)
    app.send_text = sweep_texts.send_text = send_text.send_text  # type: ignore[attr-defined]
    doom.around(texts, "claim", after=POINTS[1])
    doom.around(type(wiring.sender), "send", POINTS[2], POINTS[4])
    doom.around(http.client.HTTPConnection, "getresponse", POINTS[3])
    doom.around(facts, "add", after=POINTS[5])
    for outcome in ("sent", "put_back", "unknown"):
        doom.around(texts, outcome, after=POINTS[6])
    doom.around(sweep_texts, "settle", name_text=True)
    doom.around(type(wiring.sender), "find_by_token", POINTS[8], POINTS[9])
    for outcome in ("found", "send_again", "look_again"):
        doom.around(texts, outcome, after=POINTS[10])


def _work(plan: dict[str, Any], settings: Settings) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    wiring = wirings.build(settings, name="doomed", pool_size=6)
    waits: dict[str, Any] = {name: timedelta(seconds=value) for name, value in plan["times"].items()}
    _prepare(Doom(plan["points"], Path(plan["folder"])), wiring)
    run_worker(wiring, Times(**waits, sweep_every_s=0.2, senders=2))


def main() -> None:
    """Fork workers until SIGTERM; the children die when this process does."""
    plan = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    settings = load(plan["settings"], dotenv=None)
    importlib.import_module("twilio.rest.api.v2010.account.message")  # slow; the library does it at its first use
    child, music = 0, Audio()
    vars(wirings)["Audio"] = lambda: music  # made once for all lives

    def stop(*_: object) -> None:
        if child:
            os.kill(child, signal.SIGKILL)
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    while True:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            try:
                _work(plan, settings)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.exit("a worker ended by itself")


if __name__ == "__main__":
    main()
