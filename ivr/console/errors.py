"""What a form or a request is told when it cannot be done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Sentence:
    """A sentence for people: English with `%(name)s` places, put into another language where it is shown."""

    text: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text % self.values if self.values else self.text


def sentence(text: str, **values: Any) -> Sentence:
    """`sentence("At most %(most)s letters.", most=40)`."""
    return Sentence(text, values)


class Wrong(Exception):
    """What was asked cannot be done: each field with what is wrong with it, "" for all of them together."""

    def __init__(self, problems: Mapping[str, Sentence | str]) -> None:
        super().__init__(
            "; ".join(f"{name}: {problem}" if name else str(problem) for name, problem in problems.items())
        )
        self.problems = dict(problems)


class Missing(Exception):
    """What was asked about is not there, or not for this person: told as 404."""


class Conflict(Wrong):
    """Someone else was quicker: told as 409 by the API."""
