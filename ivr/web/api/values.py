"""What requests and answers are made of."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ivr.console.errors import Wrong, sentence

_NO_ZERO = r"^[^\x00]*$"  # the database has no place for zero characters
LARGEST_ID = 2_147_483_647

Words = Annotated[str, Field(pattern=_NO_ZERO, max_length=20_000)]
Line = Annotated[str, Field(pattern=_NO_ZERO, max_length=300)]
Why = Annotated[
    str,
    Field(pattern=_NO_ZERO, max_length=300, description="the reason; it stands in the audit log and may not be empty"),
]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
_MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$"
Moment = Annotated[str, Field(pattern=_MOMENT, description="a time as RFC 3339 has it, with its zone")]


def _digits(given: Any) -> Any:
    if isinstance(given, str) and not re.fullmatch(r"-?[0-9]{1,20}", given):
        raise ValueError("a whole number is needed")
    return given


def _whole(given: Any) -> Any:
    """5.0 is a whole number, as JSON Schema has it."""
    return int(given) if isinstance(given, float) and given.is_integer() else given


Whole = BeforeValidator(_whole)
Id = Annotated[int, Field(ge=1, le=LARGEST_ID), Whole]
Limit = Annotated[int, Field(ge=1, le=200, description="how many at most"), BeforeValidator(_digits)]
Cursor = Annotated[
    int,
    Field(ge=0, le=2**62, description="`next` of the page before; left out: the first page"),
    BeforeValidator(_digits),
]

Place = Annotated[
    str,
    Field(pattern=_NO_ZERO, max_length=400, description="`next` of the page before; left out: the first page"),
]


class Given(BaseModel):
    """What a program sends: exactly this and nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Told(BaseModel):
    """What a program is told, made from the objects the console's pages are made from."""

    model_config = ConfigDict(from_attributes=True)


class Reason(Given):
    """Why something is done."""

    why: Why


class Page(Given):
    """Which part of a list."""

    model_config = ConfigDict(extra="forbid", strict=False)

    limit: Limit = 50
    after: Cursor | None = None


class Places(Given):
    """Which part of a list that is not by number."""

    model_config = ConfigDict(extra="forbid", strict=False)

    limit: Limit = 50
    after: Place | None = None


One = TypeVar("One")


class Paged(BaseModel, Generic[One]):
    """A part of a list."""

    items: list[One]
    next: int | None = Field(None, description="`after` of the next page; null: this is the last one")


class Placed(BaseModel, Generic[One]):
    """A part of a list that is not by number."""

    items: list[One]
    next: str | None = Field(None, description="`after` of the next page; null: this is the last one")


class All(BaseModel, Generic[One]):
    """A whole list."""

    items: list[One]


class Done(BaseModel):
    """It is done."""

    done: bool = True


def moment(field: str, given: str) -> datetime:
    """A `Moment` as a time. Raises Wrong for one that is on no calendar."""
    try:
        return datetime.fromisoformat(given).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Wrong({field: sentence("There is no such time.")}) from None


def place(number: object, name: str) -> str:
    """Where the next page begins: after this line."""
    return f"{number}~{name}"


def numbered(after: str) -> tuple[int, str]:
    """A `place` by a whole number and a name. Raises Wrong for one that was never told."""
    number, sign, name = after.partition("~")
    if not (sign and name and re.fullmatch(r"[0-9]{1,9}", number)):
        raise _no_place()
    return int(number), name


def timed(after: str) -> tuple[datetime, str]:
    """A `place` by a time and a name. Raises Wrong for one that was never told."""
    at, sign, name = after.partition("~")
    if not (sign and name and re.fullmatch(_MOMENT, at)):
        raise _no_place()
    return moment("after", at), name


def _no_place() -> Wrong:
    """What is said of an `after` that no page told."""
    return Wrong({"after": sentence("This is no `next` of a page before.")})
