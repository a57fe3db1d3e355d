"""What is wrong with a menu file: where, what, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in the file, counted from 1 as editors do."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. An error refuses the file; a warning does not."""

    place: Place
    what: str
    do: str
    error: bool = True

    def __str__(self) -> str:
        kind = "error" if self.error else "warning"
        return f"line {self.place.line}, column {self.place.column}: {kind}: {self.what}. {self.do}"


class Problems:
    """Collects findings while a file is read, so that all can be told at once."""

    def __init__(self) -> None:
        self._found: dict[tuple[Place, str], Problem] = {}

    def error(self, place: Place, what: str, do: str) -> None:
        """Note what refuses the file."""
        self._found.setdefault((place, what), Problem(place, what, do))

    def warn(self, place: Place, what: str, do: str) -> None:
        """Note what works but serves callers badly."""
        self._found.setdefault((place, what), Problem(place, what, do, error=False))

    def add(self, found: Iterable[Problem]) -> None:
        """Note what was found elsewhere."""
        for one in found:
            self._found.setdefault((one.place, one.what), one)

    def __len__(self) -> int:
        return len(self._found)

    def all(self) -> tuple[Problem, ...]:
        """Every finding in the order of the file."""
        return tuple(sorted(self._found.values(), key=lambda one: one.place))


class PlanRefused(ValueError):
    """The file is not published: `problems` has errors and warnings, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(one) for one in self.problems))


def shown(text: str) -> str:
    """A value of the file as a message may quote it: short, on one line, no control characters."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line if len(line) <= 60 else line[:57] + "..."
