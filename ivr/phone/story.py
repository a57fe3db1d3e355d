"""A story: one caller's dealings with us, from a YAML file. Unknown words are refused with their line."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

DEFAULT_CALLER = "+12025550143"
TURNS: dict[str, frozenset[str] | None] = {
    "starts": frozenset({"from", "to", "arm"}),
    "rings_back": frozenset({"from", "to", "arm"}),
    "hears": None,
    "hears_not": None,
    "presses": frozenset({"keys", "after_ms", "of"}),
    "says": frozenset({"words", "confidence", "after_ms", "of"}),
    "silent": frozenset(),
    "waits": frozenset({"s", "position"}),
    "agent": None,
    "leaves": frozenset(),
    "gets_text": frozenset({"contains", "lacks", "segments", "to"}),
    "replies": frozenset({"text", "from"}),
    "opens_link": frozenset({"as"}),
    "taps": None,
    "rest": frozenset({"days", "hours", "s"}),
    "webhook": frozenset({"path", "form", "signed", "twice", "status", "contains", "call", "method"}),
    "posts_queue_result": frozenset({"result", "form", "twice", "contains"}),
    "redirects": frozenset({"twiml", "url"}),
    "ends_by_rest": frozenset(),
    "flushall": frozenset(),
    "expects": None,
    "meanwhile": None,
}
"""The turns and, where a turn takes a map, its keys."""
_TOP = frozenset(
    {"title", "caller", "number", "arm", "queue", "receipts", "overflow", "given", "turns", "shows", "ends"}
)
_CALLER = frozenset({"from", "withheld", "sip", "landline", "type", "stir"})
_QUEUE = frozenset({"ahead", "every_s"})
_RECEIPTS = frozenset(
    {"delivered_after_s", "undelivered", "failed", "none", "before_answer", "duplicated", "reordered"}
)
_ARMS = frozenset({"treat", "draw", "holdout", ""})
_ENUM = {
    "agent": frozenset({"answers", "hangs_up"}),
    "taps": frozenset({"solved", "help", "community", "source"}),
}
_AS = frozenset({"person", "scanner", "preview"})
_KEYS = re.compile(r"[0-9*#]+")


class StoryError(Exception):
    """The file is not a story; `problems` are lines of the form `file:line: what is wrong`."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


@dataclass(frozen=True)
class Turn:
    """One thing done or expected; `value` is a text, a list of texts or a map."""

    kind: str
    value: Any
    line: int

    def get(self, name: str, default: Any = None) -> Any:
        """A key of the turn's map."""
        return self.value.get(name, default) if isinstance(self.value, Mapping) else default


@dataclass(frozen=True)
class Caller:
    """Who calls: `number` is what the carrier shows as From."""

    number: str = DEFAULT_CALLER
    line_type: str = "mobile"
    stir: str = "TN-Validation-Passed-A"


@dataclass(frozen=True)
class Story:
    """A whole file."""

    title: str
    turns: tuple[Turn, ...]
    caller: Caller = Caller()
    number: str = ""
    arm: str = "treat"
    ahead: int = 0
    every_s: float | None = None
    receipts: Mapping[str, Any] = field(default_factory=dict)
    overflow: str = "answers"
    given: Mapping[str, Any] = field(default_factory=dict)
    """Facts of the world the test sets up before the call; the phone does not read them."""
    shows: tuple[str, ...] = ()
    """Branches of the call that the story is about; only the tests count them."""
    ends: Mapping[str, Any] = field(default_factory=dict)
    """What must be on record at the end; only the tests can look."""
    source: str = ""


def read(path: Path) -> Story:
    """A story from a file. Raises StoryError, OSError."""
    return parse(path.read_text("utf-8"), path.name)


def parse(text: str, source: str = "story") -> Story:
    """A story from its text. Raises StoryError with every problem at once."""
    yaml = YAML(typ="rt")
    try:
        top = yaml.load(text)
    except MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        raise StoryError([f"{source}:{line}: {problem.problem}"]) from problem
    return _Reader(source).story(top)


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source
        self.problems: list[str] = []

    def wrong(self, line: int, text: str) -> None:
        self.problems.append(f"{self.source}:{line}: {text}")

    def known(self, value: Any, allowed: frozenset[str], what: str, line: int) -> dict[str, Any]:
        """The map's plain content; whatever is not allowed is a problem."""
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.wrong(line, f"{what}: expected a map with {', '.join(sorted(allowed)) or 'nothing in it'}")
            return {}
        for key in value:
            if key not in allowed:
                self.wrong(_line(value, key, line), f"{what} knows no {key!r}; it knows {', '.join(sorted(allowed))}")
        return {str(key): _plain(item) for key, item in value.items()}

    def story(self, top: Any) -> Story:
        if not isinstance(top, Mapping):
            raise StoryError([f"{self.source}:1: expected a map with title and turns"])
        fields = self.known(top, _TOP, "a story", 1)
        caller = self.known(top.get("caller"), _CALLER, "caller", _line(top, "caller", 1))
        queue = self.known(top.get("queue"), _QUEUE, "queue", _line(top, "queue", 1))
        receipts = top.get("receipts")
        named = {str(receipts): True} if isinstance(receipts, str) else receipts
        wishes = self.known(named, _RECEIPTS, "receipts", _line(top, "receipts", 1))
        if str(fields.get("arm", "treat")) not in _ARMS:
            self.wrong(_line(top, "arm", 1), f"arm: expected one of {', '.join(sorted(_ARMS - {''}))}")
        turns = self.turns(top.get("turns"), _line(top, "turns", 1))
        if not fields.get("title"):
            self.wrong(1, "title: expected a sentence")
        if self.problems:
            raise StoryError(self.problems)
        return Story(
            str(fields["title"]),
            turns,
            _caller(caller),
            str(fields.get("number", "")),
            str(fields.get("arm", "treat")),
            int(queue.get("ahead", 0)),
            queue.get("every_s"),
            wishes,
            str(fields.get("overflow", "answers")),
            fields.get("given", {}),
            tuple(str(one) for one in fields.get("shows", ())),
            fields.get("ends", {}),
            self.source,
        )

    def turns(self, items: Any, line: int) -> tuple[Turn, ...]:
        if not isinstance(items, list) or not items:
            self.wrong(line, "turns: expected a list")
            return ()
        read = []
        for place, item in enumerate(items):
            at = items.lc.item(place)[0] + 1 if hasattr(items, "lc") else line
            if not isinstance(item, Mapping) or len(item) != 1:
                self.wrong(at, 'a turn is a map of one key, for example `- presses: "1"`')
                continue
            ((kind, value),) = item.items()
            read.append(self.turn(str(kind), value, at))
        return tuple(turn for turn in read if turn is not None)

    def turn(self, kind: str, value: Any, line: int) -> Turn | None:
        if kind not in TURNS:
            self.wrong(line, f"no turn is called {kind!r}; there are {', '.join(TURNS)}")
            return None
        value = self.shorthand(kind, value)
        allowed = TURNS[kind]
        if allowed is not None:
            plain: Any = self.known(value, allowed, kind, line)
        elif kind in ("hears", "hears_not"):
            plain = [str(value)] if isinstance(value, str) else _plain(value)
            if not isinstance(plain, list):
                self.wrong(line, f"{kind}: expected a text or a list of texts")
        else:
            plain = _plain(value)
        if kind in _ENUM and plain not in _ENUM[kind]:
            self.wrong(line, f"{kind}: expected one of {', '.join(sorted(_ENUM[kind]))}")
        turn = Turn(kind, plain, line)
        self.check(turn)
        return turn

    @staticmethod
    def shorthand(kind: str, value: Any) -> Any:
        """`presses: "1"` for `presses: {keys: "1"}`, and the like."""
        short = {
            "presses": "keys",
            "says": "words",
            "waits": "s",
            "replies": "text",
            "opens_link": "as",
            "posts_queue_result": "result",
            "gets_text": "contains",
        }
        if kind in short and value is not None and not isinstance(value, Mapping):
            return {short[kind]: value}
        return value

    def check(self, turn: Turn) -> None:
        needed = {
            "presses": "keys",
            "says": "words",
            "replies": "text",
            "webhook": "path",
            "posts_queue_result": "result",
        }.get(turn.kind)
        if needed and turn.get(needed) is None:
            self.wrong(turn.line, f"{turn.kind}: {needed} is missing")
        if turn.kind == "presses" and turn.get("keys") is not None and not _KEYS.fullmatch(str(turn.get("keys"))):
            self.wrong(turn.line, "presses: keys are 0-9, * and #, in quotes")
        if turn.kind == "opens_link" and turn.get("as", "person") not in _AS:
            self.wrong(turn.line, f"opens_link: as is one of {', '.join(sorted(_AS))}")


def _caller(fields: Mapping[str, Any]) -> Caller:
    number = str(fields.get("from", DEFAULT_CALLER))
    if fields.get("withheld"):
        number = "+266696687"
    if fields.get("sip"):
        number = str(fields["sip"]) if isinstance(fields["sip"], str) else "sip:desk@pbx.example"
    line_type = "landline" if fields.get("landline") else str(fields.get("type", "mobile"))
    return Caller(number, line_type, str(fields.get("stir", "TN-Validation-Passed-A")))


def _line(mapping: Any, key: str, default: int) -> int:
    try:
        return int(mapping.lc.key(key)[0]) + 1
    except (AttributeError, KeyError, TypeError):
        return default


def _plain(value: Any) -> Any:
    """ruamel's containers and scalars as Python's own."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value
