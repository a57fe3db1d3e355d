"""A menu file as a tree that can be read aloud, each problem at the branch it is about."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ivr.call.wording import fill
from ivr.planfile.document import Block, name_of
from ivr.planfile.editing import ChoiceFields, LeafFields, MenuFields, choice_fields, language_codes
from ivr.planfile.problems import Place, Problem
from ivr.planfile.tree import Node, parsed
from ivr.planfile.written import Value
from models.counts import NONE, Calls

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spot:
    """A part of the menu that has a form of its own. `kind`: choice, menu, queue, hours, wording, top; `name`: the
    path of a choice with dots, else the name; empty for the main menu."""

    kind: str
    name: str = ""

    @property
    def anchor(self) -> str:
        """Its id on the page."""
        return f"{self.kind}-{self.name.replace('.', '-')}" if self.name else self.kind


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem and where its form is."""

    problem: Problem
    spot: Spot


@dataclass(frozen=True, slots=True)
class Branch:
    """A choice with all below it. `said`: what callers hear, by language. `numbers`: of the last 28 days; `share`
    0..1: of the calls that heard its menu."""

    path: Path
    fields: ChoiceFields
    said: Mapping[str, str]
    children: tuple["Branch", ...]
    first: bool
    last: bool
    numbers: Calls
    share: float
    findings: tuple[Finding, ...]

    @property
    def spot(self) -> Spot:
        """Where its form is."""
        return Spot("choice", ".".join(self.path))

    @property
    def leaf(self) -> LeafFields | None:
        """The leaf it leads to, None where it leads to a menu."""
        return self.fields.leads_to if isinstance(self.fields.leads_to, LeafFields) else None

    @property
    def menu(self) -> MenuFields | None:
        """The menu it leads to, None where it leads to a leaf."""
        return self.fields.leads_to if isinstance(self.fields.leads_to, MenuFields) else None


@dataclass(frozen=True, slots=True)
class Tree:
    """The whole menu."""

    languages: tuple[str, ...]
    greeting: Mapping[str, str]
    branches: tuple[Branch, ...]
    numbers: Calls
    findings: tuple[Finding, ...]
    nameless: int  # choices without an id, or with one that its menu has twice: only the text can change these


def tree(text: str, data: Block, problems: Iterable[Problem] = (), counts: Mapping[Path, Calls] | None = None) -> Tree:
    """The menu of a text, whatever is wrong with it."""
    findings = tuple(Finding(one, spot(text, data, one.place)) for one in problems)
    codes = language_codes(data)
    work = _Work(data, codes, findings, counts or {})
    branches = work.branches(data.get("menu", ""), ())
    brand = data.get("brand", "")
    greeting = {code: fill(_wording(data, "greeting", code), {"brand": str(brand)}) for code in codes}
    return Tree(codes, greeting, branches, work.counts.get((), NONE), findings, work.nameless)


def walked(branches: Iterable[Branch]) -> Iterator[Branch]:
    """All branches in the order they are read aloud."""
    for branch in branches:
        yield branch
        yield from walked(branch.children)


@dataclass(slots=True)
class _Work:
    data: Block
    codes: tuple[str, ...]
    findings: tuple[Finding, ...]
    counts: Mapping[Path, Calls]
    nameless: int = 0

    def branches(self, menu: Value, path: Path) -> tuple[Branch, ...]:
        inner = menu.get("choices") if isinstance(menu, dict) else None
        choices = inner if isinstance(inner, list) else []
        names = [name_of(one) for one in choices]
        usable = [name for name in names if name and names.count(name) == 1]
        self.nameless += len(names) - len(usable)
        found = []
        for n, name in enumerate(usable):
            choice = choices[names.index(name)]
            found.append(self._branch(choice, (*path, name), first=n == 0, last=n + 1 == len(usable)))
        return tuple(found)

    def _branch(self, choice: Value, path: Path, *, first: bool, last: bool) -> Branch:
        fields = choice_fields(self.data, path)
        here = ".".join(path)
        numbers, above = self.counts.get(path, NONE), self.counts.get(path[:-1], NONE)
        return Branch(
            path=path,
            fields=fields,
            said={
                code: fill(
                    _wording(self.data, "menu_choice", code) or "{label}: {key}.",
                    {"label": fields.label.get(code, "…"), "key": fields.key},
                )
                for code in self.codes
            },
            children=self.branches(choice.get("menu", "") if isinstance(choice, dict) else "", path),
            first=first,
            last=last,
            numbers=numbers,
            share=numbers.calls / above.calls if above.calls else 0.0,
            findings=tuple(one for one in self.findings if one.spot == Spot("choice", here)),
        )


def _wording(data: Block, key: str, code: str) -> str:
    wording = data.get("wording")
    sentence = wording.get(key) if isinstance(wording, dict) else None
    said = sentence.get(code) if isinstance(sentence, dict) else None
    return said if isinstance(said, str) else ""


# ---- from a place in the text to the form that changes it


def spot(text: str, data: Block, place: Place) -> Spot:
    """The form in which what stands at a place can be changed."""
    root, _ = parsed(text)
    path = _path(root, place) if root is not None else []
    match path:
        case ["menu", *steps]:
            return _in_menu(data, steps)
        case [("queues" | "hours" | "wording") as group, str(name), *_]:
            return Spot({"queues": "queue"}.get(group, group), name)
        case [("queues" | "hours" | "wording") as group]:
            return Spot(group)
        case ["languages" | "offers", *_]:
            return Spot("text")
    return Spot("top")


def _path(node: Node, place: Place) -> list[str | int]:
    """Keys and positions down to the value that stands at a place."""
    if place <= node.place:
        return []
    steps: list[tuple[Place, str | int, Node]]
    if node.kind == "map":
        steps = [(key.place, key.text, value) for key, value in node.pairs]
    else:
        steps = [(one.place, n, one) for n, one in enumerate(node.items)]
    here = [step for step in steps if step[0] <= place]
    return [here[-1][1], *_path(here[-1][2], place)] if here else []


def _in_menu(data: Block, steps: list[str | int]) -> Spot:
    path: list[str] = []
    value: Value = data.get("menu", "")
    for step in steps:
        inner: Value | None = None
        if isinstance(value, dict) and isinstance(step, str):
            inner = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            inner = value[step]
        if inner is None:
            break
        value = inner
        if isinstance(step, int):
            path.append(name_of(value))
    return Spot("choice", ".".join(path)) if path and all(path) else Spot("menu")
