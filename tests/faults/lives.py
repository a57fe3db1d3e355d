"""A web process or a worker that is begun again as soon as it dies: `python -m tests.faults.lives web|worker`.

As a supervisor would, but everything is imported once and each life is forked: a life after a kill begins in a fraction
of a second, so that many kills fit into a minute. What runs in a life is the product's own.
"""

import importlib
import json
import os
import signal
import sys
from datetime import timedelta
from types import FrameType

#: of the worker; short, so that a text in doubt is settled within a run
TIMES = {"lease": 6.0, "request": 4.0, "settle": 5.0, "look_again": 1.0, "grace": 1.0}  # seconds
_IMPORTED = (
    "ivr.app", "ivr.server", "ivr.jobs.worker", "granian.wsgi", "onnxruntime", "tokenizers", "numpy",
    "twilio.rest.api.v2010.account.message", "ivr.landing", "search.finder", "bench",
)  # fmt: skip


def _web() -> None:
    from ivr import server

    server.main()


def _worker() -> None:
    from config import logs
    from config.settings import load_or_exit
    from ivr import wiring
    from ivr.jobs.times import Times
    from ivr.jobs.worker import run_worker

    settings = load_or_exit()
    logs.configure(settings)
    waits = {name: timedelta(seconds=seconds) for name, seconds in TIMES.items()}
    run_worker(wiring.build(settings, name="worker"), Times(**waits, sweep_every_s=0.5, senders=2))


def main() -> None:
    """Fork life after life until SIGTERM, which ends the one there is first."""
    kind = sys.argv[1]
    for name in _IMPORTED:
        importlib.import_module(name)
    child, stopping = 0, False

    def stop(number: int, _: FrameType | None) -> None:
        nonlocal stopping
        stopping = True
        if child:
            os.kill(child, number)

    signal.signal(signal.SIGTERM, stop)
    while not stopping:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            try:
                _web() if kind == "web" else _worker()
            finally:
                sys.stdout.flush()
                os._exit(1)
        print(json.dumps({"event": "life_begun", "kind": kind, "pid": child}), flush=True)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
