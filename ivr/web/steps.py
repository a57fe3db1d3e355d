"""Plain text of an answer as paragraphs and lists. Pure."""

import re
from dataclasses import dataclass

from markupsafe import escape

_NUMBERED = re.compile(r"\s*(?:step\s+|paso\s+)?\d{1,2}\s?[.):]\s+", re.IGNORECASE)
_BULLET = re.compile(r"\s*[-*•–]\s+")


@dataclass(frozen=True)
class Block:
    """A paragraph ("p"), or a list with ("ol") or without ("ul") numbers; one line each."""

    kind: str
    lines: tuple[str, ...]


def _read(line: str) -> tuple[str, str]:
    for kind, mark in (("ol", _NUMBERED), ("ul", _BULLET)):
        found = mark.match(line)
        if found and line[found.end() :].strip():
            return kind, line[found.end() :].strip()
    return "p", line.strip()


def blocks(text: str, largest: int) -> tuple[Block, ...]:
    """The text in order, as much of it as takes `largest` bytes on the page. Lines that stand together are
    one paragraph of several lines; a blank line begins a new one.
    """
    made: list[Block] = []
    begin_new, room = True, largest
    for line in text.splitlines():
        kind, words = _read(line)
        if not words:
            begin_new = True
            continue
        size = len(str(escape(words)).encode("utf-8", "replace")) + 20
        if size > room:
            made.append(Block("p", ("…",)))
            break
        room -= size
        if made and made[-1].kind == kind and (kind != "p" or not begin_new):
            made[-1] = Block(kind, (*made[-1].lines, words))
        else:
            made.append(Block(kind, (words,)))
        begin_new = False
    return tuple(made)
