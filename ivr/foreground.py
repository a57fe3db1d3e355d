"""honcho, that also ends everything when its terminal is closed: `python -m ivr.foreground -f Procfile.dev start`."""

import os
import signal

from honcho.command import main


def _hang_up(*_: object) -> None:
    """SIGHUP. honcho leaves its processes running then; and it can print nothing any more."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    signal.signal(signal.SIGHUP, _hang_up)
    main()
