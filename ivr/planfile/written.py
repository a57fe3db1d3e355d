"""Values as YAML text, the way the starter menu is written: short things on one line, the tree in blocks."""

import json
import re
from typing import TypeAlias

#: what a menu file is made of: words, lists and blocks of keys. Numbers and true or false are words here too.
Value: TypeAlias = str | list["Value"] | dict[str, "Value"]

WIDTH = 120
_PLAIN = re.compile(
    r"[^\W_](?:[^\x00-\x1f\x7f-\xa0\ufeff\u2028\u2029\ud800-\udfff\ufffe\uffff,\[\]{}#&*!|>%@`\"':]|'(?=\w)|:(?=\w))*"
)
_NO_TEXT = {"null", "~", "yes", "no", "on", "off", "y", "n"}  # to some readers these are no words
_ESCAPED = re.compile(r"[\x7f-\xa0\ufeff\u2028\u2029\ud800-\udfff\ufffe\uffff]")


def scalar(text: str) -> str:
    """A word or a sentence, in quotation marks where it needs them."""
    if _PLAIN.fullmatch(text) and not text.endswith(" ") and text.casefold() not in _NO_TEXT:
        return text
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def flow(value: Value) -> str:
    """Any value on one line."""
    match value:
        case str():
            return scalar(value)
        case list():
            return f"[{', '.join(flow(one) for one in value)}]"
        case dict():
            return f"{{{', '.join(f'{scalar(key)}: {flow(one)}' for key, one in value.items())}}}"


def after_key(value: Value, indent: int, column: int) -> str:
    """What stands after `key:`; the key begins at `indent` and its colon ends at `column`."""
    one_line = " " + flow(value)
    if isinstance(value, str) or not value or (_is_short(value) and column + len(one_line) <= WIDTH):
        return one_line
    if isinstance(value, dict):
        return "\n" + block(value, indent + 2)
    if all(isinstance(one, str) for one in value):
        return " " + _wrapped([flow(one) for one in value], column + 2)
    return "\n" + items(value, indent + 2)


def _is_short(value: Value) -> bool:
    inside = value.values() if isinstance(value, dict) else value
    return all(isinstance(one, str) for one in inside)


def _wrapped(words: list[str], column: int) -> str:
    lines, room = [""], WIDTH - column - 2
    for n, word in enumerate(words):
        piece = word + ("," if n + 1 < len(words) else "")
        if lines[-1] and len(lines[-1]) + 1 + len(piece) > room:
            lines.append(piece)
        else:
            lines[-1] += (" " if lines[-1] else "") + piece
    return "[" + ("\n" + " " * column).join(lines) + "]"


def block(keys: dict[str, Value], indent: int) -> str:
    """Keys below each other, without a line end after the last."""
    lines = []
    for key, value in keys.items():
        begin = f"{' ' * indent}{scalar(key)}:"
        lines.append(begin + after_key(value, indent, len(begin)))
    return "\n".join(lines)


def items(values: list[Value], indent: int) -> str:
    """A list in which each item begins with a dash at `indent`."""
    return "\n".join(item(one, indent) for one in values)


def item(value: Value, indent: int) -> str:
    """One item of a list, its dash at `indent`."""
    if not isinstance(value, dict) or not value:
        return f"{' ' * indent}- {flow(value)}"
    return f"{' ' * indent}- {block(value, indent + 2).lstrip(' ')}"
