"""What stands in the cells of every file, and text that no spreadsheet takes for a formula."""

from collections.abc import Iterator
from typing import Any

from ivr.statements import Document

#: what begins a formula, in the shapes that some programs fold into these (fullwidth forms)
BEGINNINGS = ("=", "+", "-", "@", "|", "%", "＝", "＋", "－", "＠")
INVISIBLE = "\t\r\n\0 \u00a0\u200b\ufeff"


def guarded(text: str) -> str:
    """Text that may have come from outside: an apostrophe before what a spreadsheet would run."""
    bare = text.lstrip(INVISIBLE)
    return f"'{text}" if bare.startswith(BEGINNINGS) or text[:1] in ("\t", "\r", "\0") else text


def number_of(cell: Any) -> str | None:
    """The figure of a cell as -1234.50; None for text."""
    return str(cell["number"]) if isinstance(cell, dict) else None


def shown(cell: Any) -> str:
    """A cell as people read it."""
    number = number_of(cell)
    if number is None:
        return str(cell)
    whole, point, rest = number.lstrip("-").partition(".")
    return ("-" if number.startswith("-") else "") + f"{int(whole):,}" + point + rest


def signature_words(document: Document) -> Iterator[str]:
    """How to know that a file is the one that was signed."""
    by = document.signature
    if by is None:
        yield "This is a draft: nothing is signed."
        return
    yield f"Signed at {by['signed_at']} ({by['algorithm']} over the canonical JSON of this statement)."
    yield f"Public key: {by['key']}"
    yield f"Signature: {by['value']}"
