"""Which machine runs the embedded stores of a DATA_DIR: a second one would keep a second truth beside the first."""

import contextlib
import platform
import uuid
from pathlib import Path

from config import folders

_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


def this_machine() -> str:
    """What tells this machine from others for as long as it is installed; a container without an identity of its own
    goes by its host name."""
    for path in _IDS:
        with contextlib.suppress(OSError):
            if found := path.read_text("utf-8").strip():
                return found
    return f"{platform.node()} {uuid.getnode():012x}" if platform.system() == "Darwin" else platform.node()


def mark(data_dir: Path) -> None:
    """Note that this machine runs the stores of `data_dir`, unless somebody noted one before."""
    note = folders.machine_note(data_dir)
    with contextlib.suppress(FileExistsError), note.open("x", encoding="utf-8") as file:
        file.write(f"{this_machine()}\n{platform.node()}\n")


def other(data_dir: Path) -> str | None:
    """The name of the machine that runs the stores of `data_dir` when that is another one than this."""
    try:
        noted, name, *_ = [*folders.machine_note(data_dir).read_text("utf-8").splitlines(), "", ""]
    except OSError:
        return None
    return (name or noted) if noted and noted != this_machine() else None
