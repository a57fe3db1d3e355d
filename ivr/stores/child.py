"""Becomes one server of the embedded stores: run by `ivr.stores.servers` in a session of its own.

    python -I -S child.py UID GID PARENT_PID DEATH_SIGNAL COMMAND...

PostgreSQL refuses to run as root, so under root this gives up root first. The interpreter's folder or
DATA_DIR may lie below one that only root may enter (/root, a `mktemp -d`); nobody's folders are opened for
that: on Linux the server keeps the one capability that lets it read and walk through folders.
On Linux the server gets DEATH_SIGNAL when PARENT_PID ends without having stopped it.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG, _PR_SET_SECUREBITS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 28, 47, 2
# SECBIT_NO_SETUID_FIXUP, capabilities(7): setuid() keeps the capabilities, and access(2), by which PostgreSQL
# checks its own binary, heeds them.
_KEEP_THROUGH_SETUID = 1 << 2
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2
_CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _permitted() -> int:
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:
        lines = [line for line in status if line.startswith("CapPrm:")]
    return int(lines[0].split()[1], 16)


def _drop_root_on_linux(libc: ctypes.CDLL, uid: int, gid: int) -> None:
    # Containers often have no DAC_READ_SEARCH but DAC_OVERRIDE.
    wanted = [cap for cap in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE) if _permitted() >> cap & 1]
    kept = bool(wanted) and libc.prctl(_PR_SET_SECUREBITS, _KEEP_THROUGH_SETUID, 0, 0, 0) == 0
    _drop_root(uid, gid)
    if not kept:
        return
    sets = (_Sets * 2)(_Sets(1 << wanted[0], 1 << wanted[0], 1 << wanted[0]), _Sets(0, 0, 0))
    if libc.capset(ctypes.byref(_Header(_CAPABILITY_VERSION_3, 0)), sets) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, wanted[0], 0, 0)


def _drop_root(uid: int, gid: int) -> None:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def main(arguments: list[str]) -> None:
    """Never returns: the process becomes COMMAND."""
    uid, gid, parent, death_signal = (int(argument) for argument in arguments[:4])
    command = arguments[4:]
    linux = sys.platform == "linux"
    libc = ctypes.CDLL(None, use_errno=True)
    if uid != os.geteuid():
        if linux:
            _drop_root_on_linux(libc, uid, gid)
        else:
            _drop_root(uid, gid)
    if linux:
        # After the change of user, which clears it.
        libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:
            raise SystemExit("the process that wanted this store is gone")
    os.umask(0o077)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
