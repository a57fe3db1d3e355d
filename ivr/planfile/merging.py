"""Two editors changed one draft: their changes together, and what only a person can decide.

By meaning, not by lines: keys by their name, choices and leaves by their id, lists of words word by word.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from ivr.planfile.document import Block, Changes, NotThere, Path, Unreadable, find, name_of, values_of
from ivr.planfile.written import Value

#: lists whose order means something: they are merged as a whole
_ORDERED = frozenset({"pinned"})


@dataclass(frozen=True, slots=True)
class Conflict:
    """One place that both changed, each in another way. None: it was taken away, or was not there yet."""

    path: Path
    base: Value | None
    theirs: Value | None
    mine: Value | None


@dataclass(frozen=True, slots=True)
class Merged:
    """`text`: theirs with all of mine that does not contradict it, and with what `take` decided."""

    text: str
    conflicts: tuple[Conflict, ...]


def merge(base: str, theirs: str, mine: str, take: Mapping[Path, bool] | None = None) -> Merged:
    """Three texts of one draft: where mine began, what came first, mine. `take`: conflicts already decided, True for
    mine. Raises Unreadable when one of them is no menu file."""
    work = _Work(Changes(theirs), take or {})
    try:
        work.block((), values_of(base), values_of(theirs), values_of(mine))
        text = work.into.text()
    except NotThere:  # two choices of one name: nobody can tell which is meant
        whole = () in (take or {})
        return Merged(
            mine if whole and (take or {})[()] else theirs, () if whole else (Conflict((), base, theirs, mine),)
        )
    if not work.conflicts and not take:
        text = _by_lines(base, theirs, mine, work.into.data) or text
    return Merged(text, tuple(work.conflicts))


@dataclass(slots=True)
class _Work:
    into: Changes
    take: Mapping[Path, bool]
    conflicts: list[Conflict] = field(default_factory=list)

    def block(self, path: Path, base: Block, theirs: Block, mine: Block) -> None:
        for key in dict.fromkeys([*mine, *base]):
            self._key(path, key, base, theirs, mine)

    def _key(self, path: Path, key: str, base: Block, theirs: Block, mine: Block) -> None:
        was, their, my = base.get(key), theirs.get(key), mine.get(key)
        if my in (was, their):
            return
        decided = self.take.get((*path, key))
        if their == was or decided:
            self._take(path, key, my)
        elif isinstance(their, dict) and isinstance(my, dict):
            self.block((*path, key), _block(was), their, my)
        elif _named(was) and _named(their) and _named(my):
            self._items((*path, key), _by_name(was), _by_name(their), _by_name(my))
        elif _words(was) and _words(their) and _words(my) and not _ORDERED & {key, *path[-1:]}:
            self.into.put(path, key, _together(was, their, my))
        elif decided is None:
            self.conflicts.append(Conflict((*path, key), was, their, my))

    def _take(self, path: Path, key: str, value: Value | None) -> None:
        if value is None:
            self.into.drop(path, key)
        else:
            self.into.put(path, key, value, before=("menu", "leaf", "choices"))

    def _items(self, path: Path, base: Block, theirs: Block, mine: Block) -> None:
        for name in base:
            if name not in mine and name in theirs:
                self._gone(path, name, base, theirs)
        last: str | None = None
        for name, my in mine.items():
            if name in theirs:
                self.block((*path, name), _block(base.get(name)), _block(theirs[name]), _block(my))
                last = name
            elif name not in base or self._still_wanted(path, name, base, my):
                self.into.insert(path, _block(my), after=last)
                last = name
        self._order(path, [*base], [*theirs], [*mine])

    def _gone(self, path: Path, name: str, base: Block, theirs: Block) -> None:
        """I took away what they kept."""
        decided = self.take.get((*path, name))
        if theirs[name] == base[name] or decided:
            self.into.remove(path, name)
        elif decided is None:
            self.conflicts.append(Conflict((*path, name), base[name], theirs[name], None))

    def _still_wanted(self, path: Path, name: str, base: Block, my: Value) -> bool:
        """They took away what I kept."""
        decided = self.take.get((*path, name))
        if my != base[name] and decided is None:
            self.conflicts.append(Conflict((*path, name), base[name], None, my))
        return bool(decided)

    def _order(self, path: Path, base: list[str], theirs: list[str], mine: list[str]) -> None:
        common = set(base) & set(theirs) & set(mine)
        was, their, my = ([name for name in names if name in common] for names in (base, theirs, mine))
        if my in (was, their):
            return
        decided = self.take.get((*path, "order"))
        if their == was or decided:
            items = find(self.into.data, path)
            assert isinstance(items, list)
            kept = {name_of(one): one for one in items}
            order = iter(my)
            items[:] = [kept[next(order)] if name in common else kept[name] for name in kept]
            self.into.rewrite()
        elif decided is None:
            self.conflicts.append(Conflict((*path, "order"), list(was), list(their), list(my)))


def _block(value: Value | None) -> Block:
    return value if isinstance(value, dict) else {}


def _named(value: Value | None) -> bool:
    """Whether this is a list of items each with a name of its own."""
    if not isinstance(value, list):
        return False
    names = [name_of(one) for one in value]
    return all(names) and len({*names}) == len(names)


def _by_name(value: Value | None) -> Block:
    assert isinstance(value, list)
    return {name_of(one): one for one in value}


def _words(value: Value | None) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(one, str) for one in value))


def _together(base: Value | None, theirs: Value | None, mine: Value | None) -> Value:
    """Theirs, without what I took out and with what I put in."""
    was, their, my = (one if isinstance(one, list) else [] for one in (base, theirs, mine))
    return [one for one in their if one in my or one not in was] + [
        one for one in my if one not in was and one not in their
    ]


def _by_lines(base: str, theirs: str, mine: str, wanted: Block) -> str | None:
    """Both changes line by line, which keeps the comments of both; None where they touch or mean something else."""
    lines = base.splitlines(keepends=True)
    changes = sorted([*_changed(lines, theirs), *_changed(lines, mine)], key=lambda change: change[:2])
    merged, at = [], 0
    for start, end, new in changes:
        if start < at or (start == at and at and start == end):
            return None
        merged += [*lines[at:start], *new]
        at = end
    text = "".join([*merged, *lines[at:]])
    try:
        return text if values_of(text) == wanted else None
    except Unreadable:
        return None


def _changed(lines: list[str], other: str) -> list[tuple[int, int, list[str]]]:
    others = other.splitlines(keepends=True)
    matcher = SequenceMatcher(None, lines, others, autojunk=False)
    return [(a, b, others[c:d]) for kind, a, b, c, d in matcher.get_opcodes() if kind != "equal"]
