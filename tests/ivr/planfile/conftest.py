"""The starter menu as text, and a way to break it in one place."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from ivr.planfile.problems import Problem
from ivr.planfile.read import Reading, read_plan
from ivr.planfile.store import STARTER


@dataclass(frozen=True)
class Edited:
    """A changed starter menu and what is said about it."""

    text: str
    reading: Reading

    def line(self, fragment: str) -> int:
        """The number of the only line with this fragment."""
        lines = [n for n, line in enumerate(self.text.splitlines(), 1) if fragment in line]
        assert len(lines) == 1, (fragment, lines)
        return lines[0]

    def only(self) -> Problem:
        """The one problem there is."""
        assert len(self.reading.problems) == 1, "\n".join(str(one) for one in self.reading.problems)
        return self.reading.problems[0]


Edit = Callable[[str, str], Edited]


@pytest.fixture(scope="session")
def starter() -> str:
    return STARTER.read_text("utf-8")


@pytest.fixture
def edit(starter: str) -> Edit:
    """Replace one fragment of the starter menu, which must occur in it exactly once."""

    def edited(old: str, new: str) -> Edited:
        assert starter.count(old) == 1, (old, starter.count(old))
        text = starter.replace(old, new)
        return Edited(text, read_plan(text.encode()))

    return edited
