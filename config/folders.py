"""Where the parts of DATA_DIR lie."""

import hashlib
import tempfile
from pathlib import Path
from urllib.parse import quote

# A Unix socket's path holds 104 bytes on macOS and 108 on Linux, the closing zero included.
LONGEST_SOCKET_PATH = 100
_LONGEST_SOCKET_NAME = ".s.PGSQL.65535.lock"


def secrets_folder(data_dir: Path) -> Path:
    """Where the first run in development writes its secrets."""
    return data_dir / "secrets"


def run_folder(data_dir: Path) -> Path:
    """Where the lock of the embedded stores lies."""
    return data_dir / "run"


def machine_note(data_dir: Path) -> Path:
    """The file that names the machine whose stores these are (`config.machine`)."""
    return run_folder(data_dir) / "machine"


def spool_folder(data_dir: Path) -> Path:
    """Where the webhooks of a time without a database wait."""
    return data_dir / "spool"


def sockets_note(data_dir: Path) -> Path:
    """The file that names the folder of the sockets when it is not the run folder itself."""
    return run_folder(data_dir) / "sockets-folder"


def sockets_folder(data_dir: Path) -> Path:
    """Where the embedded stores listen: below DATA_DIR, or a short folder when that path is too long.

    The short one is derived from DATA_DIR; once noted it stays, whatever TMPDIR says later.
    """
    folder = run_folder(data_dir)
    if len(bytes(folder / _LONGEST_SOCKET_NAME)) <= LONGEST_SOCKET_PATH:
        return folder
    try:
        return Path(sockets_note(data_dir).read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        mark = hashlib.sha256(bytes(data_dir)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"offhold-{mark}"


def postgres_url(data_dir: Path, port: int, database: str = "offhold") -> str:
    """The embedded PostgreSQL's address (libpq URI over a Unix socket)."""
    return f"postgresql://offhold@/{database}?host={_quoted(sockets_folder(data_dir))}&port={port}"


def valkey_socket(data_dir: Path, port: int) -> Path:
    """The embedded Valkey's socket."""
    return sockets_folder(data_dir) / f"valkey.{port}.sock"


def redis_url(data_dir: Path, port: int, number: int = 0) -> str:
    """The embedded Valkey's address for redis-py; `number` is the Redis database."""
    return f"unix://{_quoted(valkey_socket(data_dir, port))}?db={number}"


def _quoted(path: Path) -> str:
    return quote(str(path))
