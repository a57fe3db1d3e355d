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


One = TypeVar("One")


class Paged(BaseModel, Generic[One]):
    """A part of a list."""

    items: list[One]
    next: int | None = Field(None, description="`after` of the next page; null: this is the last one")


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
