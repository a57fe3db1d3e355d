"""The embedded stores in the foreground.

    python -m ivr.stores                 until SIGINT or SIGTERM
    python -m ivr.stores run -- CMD...   start them, run CMD, stop them; the status is CMD's

Only those are run that DATABASE_URL and REDIS_URL do not place elsewhere.
"""

import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence

from config.settings import load_or_exit
from ivr.stores import Stores, for_settings
from ivr.stores.servers import StoresError

_WATCH_S = 0.5


@contextlib.contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """Turns SIGINT and SIGTERM into an event."""
    asked = threading.Event()
    before = {sign: signal.signal(sign, lambda *_: asked.set()) for sign in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


def serve(stores: Stores) -> None:
    """Run the stores until SIGINT or SIGTERM; then wait for the others to leave, and stop."""
    with _asked_to_stop() as asked:
        try:
            stores.start()
            print("The stores are ready.", flush=True)
            while not asked.wait(_WATCH_S):
                stores.watch()
            stores.drain()
        finally:
            stores.stop()
    print("The stores have stopped.", flush=True)


def run(stores: Stores, command: Sequence[str]) -> int:
    """Run `command` with the stores up and return its status; SIGINT and SIGTERM are passed on to it."""
    with _asked_to_stop() as asked, stores:
        # A session of its own: a terminal's Ctrl-C reaches it once, through us.
        child = subprocess.Popen(command, start_new_session=True)
        while child.poll() is None:
            if asked.wait(0.1):
                child.terminate()
                child.wait()
            else:
                stores.watch()
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def main(arguments: list[str]) -> int:
    """The program's status."""
    settings = load_or_exit()
    try:
        if arguments[:2] == ["run", "--"] and len(arguments) > 2:
            return run(for_settings(settings), arguments[2:])
        if arguments:
            print(__doc__, file=sys.stderr)
            return 2
        serve(for_settings(settings))
    except (StoresError, OSError) as error:
        print(f"stores: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
