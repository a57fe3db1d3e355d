"""A form as it was typed, with what is wrong beside each field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import make_response, render_template, request
from werkzeug.wrappers import Response

from ivr.console.errors import Sentence

#: what is never shown again
_PRIVATE = frozenset({"csrf_token", "revision", "password", "password_now", "code"})
_SHOWN_LETTERS = 300_000


@dataclass(frozen=True)
class Form:
    """Values by field name, and problems by field name ("" for the form as a whole)."""

    values: Mapping[str, Any] = field(default_factory=dict)
    problems: Mapping[str, Sentence | str] = field(default_factory=dict)

    def value(self, name: str) -> Any:
        """What stands in a field; nothing: ""."""
        return self.values.get(name, "")

    def problem(self, name: str) -> Sentence | str | None:
        """What is wrong with a field."""
        return self.problems.get(name)

    def __getitem__(self, name: str) -> str:
        """A posted field without the space around it; missing: ""."""
        return str(self.values.get(name, "")).strip()

    def wrong(self, problems: Mapping[str, Sentence | str]) -> "Form":
        """The same, with what is wrong."""
        return Form(self.values, problems)


def posted() -> Form:
    """The request's form: the first value of each field, without zero bytes, which the database has no place for.

    A field that comes several times: `request.form.getlist`.
    """
    return Form({name: value.replace("\0", "") for name, value in request.form.items()})


def typed() -> list[tuple[str, str]]:
    """What the request's form held, field by field, to be shown again and copied; never a password or a code."""
    return [
        (name, value[:_SHOWN_LETTERS])
        for name, value in request.form.items(multi=True)
        if name not in _PRIVATE and value.strip()
    ]


def kept(status: int) -> Response:
    """The page for a form that could not be taken because its session is over: shows what was typed, to be copied."""
    return make_response(render_template("console/kept.html", typed=typed()), status)
