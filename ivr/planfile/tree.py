"""YAML text to a tree that knows the line and column of everything in it.

Built from the parser's events, so nothing of the file is ever constructed as an object, and the limits hold
before anything is kept. Values stay the text that was written; `fields` says what they mean.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from ivr.planfile.problems import Place, Problem, Problems, shown

MOST_BYTES = 256 * 1024
MOST_DEPTH = 24


@dataclass(slots=True)
class Node:
    """A value of the file. `kind`: "text", "list" or "map"; `quoted` tells `"1"` from `1`.

    `start` and `end` are where it stands in the text, in characters; `flow` tells `{a: 1}` from a block of lines.
    """

    kind: str
    place: Place
    text: str = ""
    quoted: bool = False
    start: int = 0
    end: int = 0
    flow: bool = False
    items: list["Node"] = field(default_factory=list)
    pairs: list[tuple["Node", "Node"]] = field(default_factory=list)


class _Unreadable(Exception):
    """The rest of the file cannot be read; the problem is noted."""


def read_tree(raw: bytes, problems: Problems) -> Node | None:
    """The file's one document; None (and problems) when it is not YAML that we take."""
    text = _decoded(raw, problems)
    if text is None:
        return None
    root, found = parsed(text)
    problems.add(found)
    return root


@lru_cache(maxsize=16)
def parsed(text: str) -> tuple[Node | None, tuple[Problem, ...]]:
    """The tree of a text, and what is wrong with it as YAML. Kept: a draft is read for its plan, for its page and for
    the next change, and a parse takes longer than all of these. Nobody changes a tree."""
    problems = Problems()
    try:
        return _built(_events(text, problems), text, problems), problems.all()
    except _Unreadable:
        return None, problems.all()


def _decoded(raw: bytes, problems: Problems) -> str | None:
    top = Place(1, 1)
    if len(raw) > MOST_BYTES:
        problems.error(
            top, f"the file has more than {MOST_BYTES // 1024} KiB", f"Keep it under {MOST_BYTES // 1024} KiB"
        )
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = Place(raw.count(b"\n", 0, error.start) + 1, error.start - raw.rfind(b"\n", 0, error.start))
        problems.error(place, "this is not UTF-8 text", "Save the file as UTF-8")
        return None


def _events(text: str, problems: Problems) -> Iterator[Event]:
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        said = " ".join(str(part) for part in (error.context, error.problem) if part)
        problems.error(place, f"the YAML cannot be read here: {said}", _hint(said))
        raise _Unreadable from None
    except YAMLError as error:
        position = getattr(error, "position", 0)
        place = Place(text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position))
        problems.error(place, "a character that no text file may have", "Delete it and type the word again")
        raise _Unreadable from None
    except Exception:  # the scanner raises anything on text such as "\UFFFFFFFF"; it is the file's fault
        problems.error(Place(1, 1), "the YAML cannot be read", "Look for a backslash inside double quotes")
        raise _Unreadable from None


def _hint(said: str) -> str:
    if "\\t" in said or "tab" in said:
        return "Indent with spaces, never with tabs"
    if "mapping values are not allowed" in said:
        return 'Put the words in double quotes when they hold ": "'
    if "quoted scalar" in said:
        return 'Close the quotation mark; inside double quotes write \\" for a quotation mark'
    return "Compare the indentation and the quotation marks with the lines above"


def _place(event: Event) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


def _refuse_extras(event: NodeEvent, problems: Problems) -> None:
    if isinstance(event, AliasEvent) or event.anchor:
        problems.error(_place(event), "anchors (&name) and aliases (*name) are not taken", "Write the value out")
    if tag := getattr(event, "tag", None):
        problems.error(_place(event), f"the tag {shown(str(tag))} is not taken", "Delete it")


def _built(events: Iterator[Event], text: str, problems: Problems) -> Node | None:
    root: Node | None = None
    open_nodes: list[Node] = []
    keys: list[Node | None] = []
    for event in events:
        if isinstance(event, DocumentStartEvent) and root is not None:
            problems.error(_place(event), "a second document begins here", "Keep one document per file")
            break
        if isinstance(event, (MappingEndEvent, SequenceEndEvent)):
            keys.pop()
            _end(open_nodes.pop(), event)
        elif isinstance(event, NodeEvent):
            _refuse_extras(event, problems)
            node = _node(event, text)
            if not open_nodes:
                root = node
            else:
                _attach(open_nodes[-1], keys, node)
            if node.kind != "text":
                open_nodes.append(node)
                keys.append(None)
            if len(open_nodes) > MOST_DEPTH:
                problems.error(node.place, "this is nested too deeply", f"Stay under {MOST_DEPTH} levels")
                raise _Unreadable
    if root is None:
        problems.error(Place(1, 1), "the file is empty", "Start from `flask menu export` or the starter file")
    return root


def _node(event: NodeEvent, text: str) -> Node:
    start, end = event.start_mark.index, event.end_mark.index
    if isinstance(event, MappingStartEvent):
        return Node("map", _place(event), start=start, end=end, flow=bool(event.flow_style))
    if isinstance(event, SequenceStartEvent):
        return Node("list", _place(event), start=start, end=end, flow=bool(event.flow_style))
    if isinstance(event, ScalarEvent):
        end = max(start, start + len(text[start:end].rstrip()))  # a block of text takes the blank lines below it
        return Node("text", _place(event), str(event.value), event.style is not None, start, end)
    return Node("text", _place(event), start=start, end=end)


def _end(node: Node, event: Event) -> None:
    """Where a list or a map ends: a block has no sign for it and ends with the last of what is in it."""
    if node.flow:
        node.end = event.end_mark.index
    elif node.items:
        node.end = node.items[-1].end
    elif node.pairs:
        node.end = node.pairs[-1][1].end


def _attach(parent: Node, keys: list[Node | None], node: Node) -> None:
    if parent.kind == "list":
        parent.items.append(node)
        return
    key = keys[-1]
    if key is None:
        keys[-1] = node
        return
    if node.kind == "text" and not node.text and not node.quoted:
        node.start = node.end = key.end  # the parser finds nothing only where the next key begins
    parent.pairs.append((key, node))
    keys[-1] = None
