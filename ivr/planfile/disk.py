"""A file that people wrote, from disk."""

from pathlib import Path

from ivr.planfile.problems import Place, Problem
from ivr.planfile.tree import MOST_BYTES


def content(path: Path) -> bytes | Problem:
    """What is in a file, up to one byte more than is read. A file that cannot be opened is a problem of line 1."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        why = getattr(error, "strerror", None) or str(error)
        return Problem(Place(1, 1), f"the file cannot be read: {why}", "Check its path")
