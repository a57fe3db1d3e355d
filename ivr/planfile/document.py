"""Changes to a menu file's text that touch nothing else in it: comments, order and blank lines stay as they are.

A change is made twice, to the text and to the values read from it; at the end the new text is read and must say just
these values. Where it does not, the part of the file that was changed is written anew (and loses its comments).
"""

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from ivr.planfile.problems import Problem, Problems
from ivr.planfile.tree import MOST_BYTES, Node, read_tree
from ivr.planfile.written import Value, after_key, block, flow, item, scalar

#: keys from the top of the file; an item of a list goes by its `id` (a language by its `code`)
Path = tuple[str, ...]
Block = dict[str, Value]


class Unreadable(ValueError):
    """A text that is no menu file at all: no YAML that we take, too big, or with a key given twice."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(one) for one in self.problems))


class NotThere(LookupError):
    """The file has nothing of that name, or more than one."""


def clean(text: str) -> str:
    """The text with line ends as we keep them. A browser sends "\\r\\n", a file may begin with a mark of its coding."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return text if text.endswith("\n") else text + "\n"


def values_of(text: str) -> Block:
    """What a text says, as plain values. Raises Unreadable."""
    return _values(_root(text))


def _root(text: str) -> Node:
    problems = Problems()
    raw = text.encode("utf-8", "surrogatepass")
    root = read_tree(raw, problems)
    if root is not None and root.kind != "map":
        problems.error(root.place, "the file is no block of keys", "Begin with 'brand: YOUR NAME'")
    if root is not None:
        _note_twice(root, problems)
    if root is None or len(problems):
        raise Unreadable(problems.all())
    return root


def _note_twice(node: Node, problems: Problems) -> None:
    seen: set[str] = set()
    for key, value in node.pairs:
        if key.kind != "text":
            problems.error(key.place, "a key is not a word", "Write 'key: value'")
        elif key.text in seen:
            problems.error(key.place, f"'{key.text[:60]}' is given twice", "Keep one of the two")
        seen.add(key.text)
        _note_twice(value, problems)
    for one in node.items:
        _note_twice(one, problems)


def _values(node: Node) -> Block:
    return {key.text: _value(value) for key, value in node.pairs}


def _value(node: Node) -> Value:
    if node.kind == "map":
        return cast(Value, _values(node))
    return [_value(one) for one in node.items] if node.kind == "list" else node.text


def name_of(value: Value) -> str:
    """What an item of a list goes by, '' for one that has no name."""
    if not isinstance(value, dict):
        return ""
    name = value.get("id", value.get("code", ""))
    return name if isinstance(name, str) else ""


def find(data: Value, path: Path) -> Value:
    """The value at a path. Raises NotThere."""
    for step in path:
        if isinstance(data, dict) and step in data:
            data = data[step]
        else:
            data = _named(data, step) if isinstance(data, list) else _missing(step)
    return data


def _named(items: list[Value], name: str) -> Value:
    found = [one for one in items if name_of(one) == name]
    return found[0] if len(found) == 1 else _missing(name)


def _missing(name: str) -> Value:
    raise NotThere(f"there is no '{name}' here, or more than one")


@dataclass(slots=True)
class _Splice:
    """Text to put in the place of what stands from start to end."""

    start: int
    end: int
    new: str


@dataclass(slots=True)
class _Move:
    """Whole lines that go to another place, deeper in or further out by so many blanks."""

    start: int
    end: int
    to: int
    deeper: int
    lead: str


class Changes:
    """Changes to one text, all named by what stood there before the first of them."""

    def __init__(self, text: str) -> None:
        self._text = clean(text)
        self._root = _root(self._text)
        self._before = _values(self._root)
        self.data: Block = copy.deepcopy(self._before)
        self._splices: list[_Splice] = []
        self._moves: list[_Move] = []
        self._new: dict[tuple[Path, str], int] = {}  # where the items stand that were put in
        self._plain = True  # whether the text can be changed in place

    # ---- the four changes

    def put(self, path: Path, key: str, value: Value, *, before: tuple[str, ...] = ()) -> None:
        """Give a key of the block at `path` a value. A key that is not there comes ahead of those in `before`."""
        target = find(self.data, path)
        if not isinstance(target, dict):
            raise NotThere(f"'{path[-1]}' is no block of keys")
        if target.get(key) == value:
            return
        target[key] = copy.deepcopy(value)
        node = self._node(path)
        if node is None or node.kind != "map":
            self._plain = False
        elif any(one.text == key for one, _ in node.pairs):
            self._replace(node, key, value)
        else:
            self._add(node, key, value, before)

    def drop(self, path: Path, key: str) -> None:
        """Take a key away with its value and the comment above it; nothing happens where it is not."""
        target = find(self.data, path)
        if not isinstance(target, dict) or key not in target:
            return
        del target[key]
        node = self._node(path)
        position = next((n for n, (one, _) in enumerate(node.pairs) if one.text == key), None) if node else None
        if node is None or position is None or node.flow or not target:
            self._plain = False
            return
        named, value = node.pairs[position]
        start = self._line(named.start)
        if self._text[start : named.start].strip():  # it shares its line with a dash
            self._plain = False
            return
        self._splices.append(_Splice(self._with_comments(start) if position else start, self._line_end(value.end), ""))

    def insert(self, path: Path, value: Block, *, after: str | None = None) -> None:
        """Put an item into the list at `path`, first where `after` is None."""
        items = self._list(path)
        items.insert(_place_after(items, after), copy.deepcopy(value))
        node = self._node(path)
        spot = self._new.get((path, after or "")) or (self._spot(node, after) if node is not None else None)
        if node is None or spot is None:
            self._plain = False
            return
        self._new[path, name_of(value)] = spot
        lead, end = self._spacing(node, first=after is None)
        self._splices.append(_Splice(spot, spot, lead + item(value, node.place.column - 1) + "\n" + end))

    def remove(self, path: Path, name: str) -> None:
        """Take an item out of the list at `path`."""
        items = self._list(path)
        items.remove(_named(items, name))
        span = self._span(self._node(path), name)
        if span is None or not items:
            self._plain = False
            return
        self._splices.append(_Splice(*self._with_blank_line(span), ""))

    def move(self, path: Path, name: str, to: Path, *, after: str | None = None) -> None:
        """Take an item from the list at `path` to the list at `to`, behind `after` (first where that is None)."""
        items, target = self._list(path), self._list(to)
        moved = _named(items, name)
        items.remove(moved)
        target.insert(_place_after(target, after), moved)
        here, there = self._node(path), self._node(to)
        span = self._span(here, name)
        spot = self._spot(there, after) if there is not None else None
        if here is None or there is None or span is None or spot is None or not items:
            self._plain = False
            return
        lead, end = self._spacing(there, first=after is None)
        self._splices.append(_Splice(self._with_blank_line(span)[0], span[0], ""))
        self._moves.append(_Move(*span, spot, there.place.column - here.place.column, lead + "\0" + end))

    def rewrite(self) -> None:
        """`data` was changed by hand: what differs is written anew."""
        self._plain = False

    def text(self) -> str:
        """The text with all changes. Raises Unreadable when it grew beyond what a file may be."""
        if self.data == self._before:
            return self._text
        if self._plain:
            changed = self._applied()
            try:
                if values_of(changed) == self.data:
                    return changed
            except Unreadable:
                if len(changed.encode("utf-8", "surrogatepass")) > MOST_BYTES:
                    raise
        rewritten = self._rewritten()
        if values_of(rewritten) != self.data:  # nothing may be saved that does not say what was asked for
            raise NotThere("this cannot be written into the file; change it in the text")
        return rewritten

    # ---- in the text

    def _node(self, path: Path) -> Node | None:
        """The node a path named before all changes; None for what came with one of them."""
        node = self._root
        for step in path:
            if node.kind == "map":
                found = [value for key, value in node.pairs if key.text == step]
            else:
                found = [one for one in node.items if name_of(_value(one)) == step]
            if len(found) != 1:
                return None
            node = found[0]
        return node

    def _list(self, path: Path) -> list[Value]:
        found = find(self.data, path)
        if not isinstance(found, list):
            raise NotThere(f"'{path[-1]}' is no list")
        return found

    def _line(self, at: int) -> int:
        return self._text.rfind("\n", 0, at) + 1

    def _line_end(self, at: int) -> int:
        """Behind the end of the line, a comment at its end included."""
        return self._text.index("\n", at) + 1

    def _with_comments(self, start: int) -> int:
        """The beginning of the comment lines right above a line, as deep in as that line."""
        indent = len(self._text[start:]) - len(self._text[start:].lstrip(" "))
        while start:
            above = self._line(start - 1)
            if not self._text.startswith(" " * indent + "#", above):
                return start
            start = above
        return start

    def _with_blank_line(self, span: tuple[int, int]) -> tuple[int, int]:
        """Lines to take away, with the blank line above where there is one below as well."""
        start, end = span
        above = self._line(start - 1) if start else 0
        blank = start > 0 and not self._text[above:start].strip()
        below = self._text[end : self._text.find("\n", end)] if self._text.find("\n", end) >= 0 else ""
        return (above, end) if blank and not below.strip() else (start, end)

    def _span(self, node: Node | None, name: str) -> tuple[int, int] | None:
        """The lines of an item. A comment above the first item of a list is taken for one about the list."""
        if node is None or node.flow:
            return None
        n = next((n for n, one in enumerate(node.items) if name_of(_value(one)) == name), None)
        if n is None:
            return None
        start = self._line(node.items[n].start)
        if self._text[start : node.items[n].start].strip() != "-":
            return None
        return self._with_comments(start) if n else start, self._line_end(node.items[n].end)

    def _spot(self, node: Node, after: str | None) -> int | None:
        """Where the line of a new item begins."""
        if node.flow or node.kind != "list" or not node.items:
            return None
        first = name_of(_value(node.items[0]))
        span = self._span(node, first if after is None else after)
        return None if span is None else span[0] if after is None else span[1]

    def _spacing(self, node: Node, *, first: bool) -> tuple[str, str]:
        """Blank lines to put above and below a new item where items have such between them."""
        spaced = any("\n\n" in self._text[a.end : b.start] for a, b in zip(node.items, node.items[1:], strict=False))
        return ("", "\n") if spaced and first else ("\n", "") if spaced else ("", "")

    def _replace(self, node: Node, key: str, value: Value) -> None:
        named, old = next((one, found) for one, found in node.pairs if one.text == key)
        if node.flow:
            self._splices.append(_Splice(old.start, old.end, flow(value)))
            return
        if isinstance(value, list) and self._relist(old, value):
            return
        colon = self._text.index(":", named.end) + 1
        column = colon - self._line(colon)
        new = after_key(value, named.place.column - 1, column)
        in_place = old.end > colon and (old.kind == "text" or old.flow) and not new.startswith("\n")
        self._splices.append(
            _Splice(old.start, old.end, new[1:]) if in_place else _Splice(colon, max(old.end, colon), new)
        )

    def _relist(self, node: Node, value: list[Value]) -> bool:
        """Change a list of words that stands line by line, so that the comments beside them stay; False where the new
        one has another order."""
        before = [one.text for one in node.items]
        kept = [one for one in before if one in value]
        added = value[len(kept) :]
        if node.kind != "list" or node.flow or not kept or len({*before}) < len(before) or value != kept + added:
            return False
        for one in node.items:
            if one.kind != "text":
                return False
            if one.text not in value:
                self._splices.append(_Splice(self._line(one.start), self._line_end(one.end), ""))
        end = self._line_end(node.end)
        lines = "".join(item(one, node.place.column - 1) + "\n" for one in added)
        self._splices.append(_Splice(end, end, lines))
        return True

    def _add(self, node: Node, key: str, value: Value, before: tuple[str, ...]) -> None:
        if node.flow or not node.pairs:
            if not node.pairs:
                self._plain = False
            self._splices.append(_Splice(node.end - 1, node.end - 1, f", {scalar(key)}: {flow(value)}"))
            return
        indent = node.place.column - 1
        line = block({key: value}, indent) + "\n"
        behind = next((one for n, (one, _) in enumerate(node.pairs) if n and one.text in before), None)
        if behind is not None:
            spot = self._with_comments(self._line(behind.start))
        else:
            spot = self._line_end(node.pairs[-1][1].end)
        self._splices.append(_Splice(spot, spot, line))

    def _applied(self) -> str:
        """The text with all splices and moves."""
        inside = [one for one in self._splices if any(_within(one, move) for move in self._moves)]
        moved = [_Splice(move.to, move.to, self._carried(move)) for move in self._moves]
        taken = [_Splice(move.start, move.end, "") for move in self._moves]
        kept = [one for one in self._splices if one not in inside]
        return _spliced(self._text, 0, len(self._text), [*kept, *moved, *taken])

    def _carried(self, move: _Move) -> str:
        """The lines of a move with the changes made in them, as deep in as their new place is."""
        inside = [one for one in self._splices if _within(one, move)]
        lines = _spliced(self._text, move.start, move.end, inside).split("\n")
        if move.deeper > 0:
            lines = [" " * move.deeper + line if line else line for line in lines]
        elif move.deeper < 0:
            lines = [line[min(-move.deeper, len(line) - len(line.lstrip(" "))) :] for line in lines]
        return move.lead.replace("\0", "\n".join(lines))

    def _rewritten(self) -> str:
        """The text with everything at the top that changed written anew."""
        pairs = {key.text: (key, value) for key, value in self._root.pairs}
        if self._root.flow or pairs.keys() - self.data.keys():
            return block(self.data, 0) + "\n"
        splices = []
        for key, value in self.data.items():
            if key not in pairs:
                splices.append(_Splice(len(self._text), len(self._text), block({key: value}, 0) + "\n"))
            elif value != self._before[key]:
                colon = self._text.index(":", pairs[key][0].end) + 1
                splices.append(_Splice(colon, max(pairs[key][1].end, colon), after_key(value, 0, len(key) + 1)))
        return _spliced(self._text, 0, len(self._text), splices)


def _within(splice: _Splice, move: _Move) -> bool:
    return (
        move.start <= splice.start and splice.end <= move.end and (splice.start, splice.end) != (move.start, move.start)
    )


def _place_after(items: list[Value], after: str | None) -> int:
    return 0 if after is None else items.index(_named(items, after)) + 1


def _spliced(text: str, start: int, end: int, splices: list[_Splice]) -> str:
    """`text` from start to end with the splices put in; of those at one spot the first comes first."""
    pieces, at = [], start
    for one in sorted(splices, key=lambda splice: (splice.start, splice.end)):
        pieces += [text[at : max(at, one.start)], one.new]
        at = max(at, one.end)
    return "".join((*pieces, text[at:end]))
