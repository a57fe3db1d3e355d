"""Reads the keys of one map of the file by type, noting what is missing, wrong, twice or unknown."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

from ivr.planfile.problems import Place, Problems, shown
from ivr.planfile.tree import Node

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_CALLED = {"text": "text", "list": "a list", "map": "a block of keys"}


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Advice on a name that is none: the nearest one, else all of them."""
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"Did you mean '{near[0]}'?" if near else f"Known here: {', '.join(sorted(known)) or 'none yet'}"


class Fields:
    """One map. Ask for each key once, then `close()`: what nobody asked for is unknown.

    `name` is how messages call it ("queue 'billing'"). A method that finds nothing usable notes it and gives
    the default, so that reading goes on and finds the rest.
    """

    def __init__(self, node: Node | None, name: str, problems: Problems) -> None:
        self.name = name
        self.problems = problems
        self.place = node.place if node else Place(1, 1)
        self._is_block = node is None or node.kind == "map"
        self._asked: list[str] = []
        self._nodes: dict[str, tuple[Place, Node]] = {}
        if node is None:
            return
        if not self._is_block:
            self.error(node.place, f"{name} must be a block of keys", "Write 'key: value' lines below it")
            return
        for key, value in node.pairs:
            if key.kind != "text":
                self.error(key.place, f"a key in {name} is not a word", "Write 'key: value'")
            elif key.text in self._nodes:
                first = self._nodes[key.text][0].line
                self.error(
                    key.place,
                    f"'{shown(key.text)}' is given twice in {name}",
                    f"The first is in line {first}",
                )
            else:
                self._nodes[key.text] = (key.place, value)

    def error(self, place: Place, what: str, do: str) -> None:
        """Note an error."""
        self.problems.error(place, what, do)

    def entries(self) -> list[tuple[str, Place, Node]]:
        """All keys, for a map whose keys are names of the manager's own."""
        self._asked.extend(self._nodes)
        return [(key, place, node) for key, (place, node) in self._nodes.items()]

    def optional(self, key: str) -> Node | None:
        """The value of a key, None when it is missing or left empty."""
        self._asked.append(key)
        node = self._nodes.get(key, (None, None))[1]
        return None if node is None or (node.kind == "text" and not node.text and not node.quoted) else node

    def needed(self, key: str) -> Node | None:
        """The value of a key that must be there."""
        node = self.optional(key)
        if node is not None and node.kind == "text" and not node.text.strip():  # key: ""
            node = None
        if node is None and self._is_block:
            place = self._nodes[key][0] if key in self._nodes else self.place
            self.error(place, f"{self.name} lacks '{key}'", f"Add '{key}:' with a value")
        return node

    def place_of(self, key: str) -> Place:
        """Where a key stands, the map's own place when it is missing."""
        return self._nodes[key][1].place if key in self._nodes else self.place

    def text(self, key: str, default: str | None = None) -> str:
        """Text without surrounding blanks. Default None: it must be there."""
        node = self.needed(key) if default is None else self.optional(key)
        if node is None or node.kind != "text":
            if node is not None:
                self._wrong(node, key, "text", _CALLED[node.kind])
            return default or ""
        return node.text.strip()

    def name_of(self, key: str) -> str:
        """An id of ours: letters, digits, '-' and '_', at most 64."""
        node = self.needed(key)
        if node is None:
            return ""
        return self.check_name(node, f"'{key}' of {self.name}")

    def check_name(self, node: Node, called: str) -> str:
        """The text of a node that must be an id; '' and a problem when it is not."""
        if node.kind == "text" and NAME.fullmatch(node.text):
            return node.text
        self.error(node.place, f"{called} is no id", "Use letters, digits, '-' and '_', at most 64 of them")
        return ""

    def number(self, key: str, default: float, low: float, high: float, *, whole: bool = True) -> float:
        """A number from low to high."""
        node = self.optional(key)
        if node is None:
            return default
        wanted = f"{'a whole' if whole else 'a'} number from {low:g} to {high:g}"
        pattern = r"-?\d{1,9}" if whole else r"-?\d{1,9}(\.\d{1,9})?"
        if node.kind != "text" or not re.fullmatch(pattern, node.text, re.ASCII):
            self._wrong(node, key, wanted, shown(node.text) or _CALLED[node.kind])
            return default
        value = float(node.text)
        if not low <= value <= high:
            self._wrong(node, key, wanted, node.text)
            return default
        return value

    def integer(self, key: str, default: int, low: int, high: int) -> int:
        """A whole number from low to high."""
        return int(self.number(key, default, low, high))

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""
        node = self.optional(key)
        if node is None:
            return default
        if node.kind != "text" or node.text not in ("true", "false"):
            self._wrong(node, key, "true or false", shown(node.text) or _CALLED[node.kind])
            return default
        return node.text == "true"

    def items(self, key: str) -> list[Node]:
        """The items of a list; a single text counts as a list of one."""
        node = self.optional(key)
        if node is None:
            return []
        return self.as_items(node, key)

    def as_items(self, node: Node, called: str) -> list[Node]:
        """The items of a node that must be a list."""
        if node.kind == "map":
            self._wrong(node, called, "a list", _CALLED["map"])
            return []
        return node.items if node.kind == "list" else [node]

    def texts(self, key: str) -> list[Node]:
        """The items of a list of texts."""
        return self.only_texts(self.items(key), key)

    def only_texts(self, nodes: list[Node], called: str) -> list[Node]:
        """Those nodes that are text and not empty; the others are noted."""
        for node in nodes:
            if node.kind != "text" or not node.text.strip():
                self._wrong(node, called, "texts only", _CALLED[node.kind])
        return [node for node in nodes if node.kind == "text" and node.text.strip()]

    def close(self) -> None:
        """Note every key that nobody asked for."""
        for key, (place, _) in self._nodes.items():
            if key not in self._asked:
                self.error(
                    place,
                    f"'{shown(key)}' is unknown in {self.name}",
                    did_you_mean(key, list(dict.fromkeys(self._asked))),
                )

    def _wrong(self, node: Node, key: str, wanted: str, found: str) -> None:
        self.error(node.place, f"'{key}' of {self.name} is {found}", f"It must be {wanted}")
