"""`python -m ivr.phone`: the test phone until SIGTERM or Ctrl-C; `python -m ivr.phone call --story FILE`."""

import signal
import sys
import threading

from config.settings import load_or_exit
from ivr.phone.server import bind
from ivr.phone.setup import Refused, carrier_of, phone_app
from ivr.phone.terminal import cli


def serve() -> int:
    """Run the phone's server in the foreground."""
    settings = load_or_exit()
    try:
        carrier = carrier_of(settings)
        app, ticker = phone_app(settings, carrier)
        server = bind(app, settings.phone_port)
    except (Refused, OSError) as problem:
        print(f"The test phone cannot start: {problem}", file=sys.stderr)
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    ticker.start()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"Test phone: http://127.0.0.1:{server.server_port}/", flush=True)
    stop.wait()
    server.shutdown()
    ticker.stop()
    return 0


if __name__ == "__main__":
    sys.exit(cli(sys.argv[1:]) if len(sys.argv) > 1 else serve())
