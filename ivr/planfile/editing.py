"""What a manager changes in a menu, one thing at a time: each function takes the file's text and gives the new one.

Comments and order survive. A function refuses (NotThere) what is not in the file; whether callers could be led with
the new text is the reader's business: a draft may have errors.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

from ivr.planfile.document import Block, Changes, NotThere, Path, find, name_of
from ivr.planfile.written import Value

Languages = Mapping[str, str]
_AFTER_WORDS = ("menu", "leaf", "choices")
_QUEUE_OPTIONS = ("max_hold_s", "max_size", "overflow_number", "workflow_sid")


@dataclass(frozen=True, slots=True)
class LeafFields:
    """A leaf as a form has it. `discreet` None: as its queue and tags say."""

    id: str
    queue: str
    topic: Languages = field(default_factory=dict)
    ask: bool = False
    pinned: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    allowed_tags: tuple[str, ...] = ()
    never_offer: bool = False
    discreet: bool | None = None


@dataclass(frozen=True, slots=True)
class MenuFields:
    """A menu below a choice, without its choices."""

    id: str
    intro: Languages = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChoiceFields:
    """A choice as a form has it, with where it leads."""

    id: str
    key: str
    label: Languages
    synonyms: Mapping[str, tuple[str, ...]]
    leads_to: LeafFields | MenuFields


@dataclass(frozen=True, slots=True)
class QueueFields:
    """A queue as a form has it; empty: not given."""

    name: str
    spoken: Languages = field(default_factory=dict)
    hours: str = ""
    max_hold_s: str = ""
    max_size: str = ""
    overflow_number: str = ""
    workflow_sid: str = ""


@dataclass(frozen=True, slots=True)
class HoursFields:
    """Opening hours as a form has them. `weekly`: as written, "monday-friday" to ("08:00-20:00",)."""

    name: str
    zone: str = ""
    weekly: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    holidays: tuple[str, ...] = ()
    spoken: Languages = field(default_factory=dict)


def menu_at(path: Path) -> Path:
    """Where a menu stands in the file; `path`: the ids of the choices that lead to it."""
    return ("menu",) if not path else (*choice_at(path), "menu")


def choice_at(path: Path) -> Path:
    """Where a choice stands in the file."""
    return (*menu_at(path[:-1]), "choices", path[-1])


def leaf_at(data: Block, leaf_id: str) -> Path:
    """Where a leaf stands in the file. Raises NotThere."""
    found = [(*place, "leaf") for place, choice in _choices(data) if name_of(choice.get("leaf", "")) == leaf_id]
    if len(found) != 1:
        raise NotThere(f"there is no leaf '{leaf_id}', or more than one")
    return found[0]


def _choices(data: Block) -> list[tuple[Path, Block]]:
    found: list[tuple[Path, Block]] = []

    def visit(menu: Value, place: Path) -> None:
        for choice in _items(menu, "choices"):
            if isinstance(choice, dict):
                here = (*place, "choices", name_of(choice))
                found.append((here, choice))
                visit(choice.get("menu", ""), (*here, "menu"))

    visit(data.get("menu", ""), ("menu",))
    return found


def _items(value: Value, key: str) -> list[Value]:
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, list) else []


# ---- choices


def add_choice(text: str, menu: Path, choice: ChoiceFields, *, after: str | None = None) -> str:
    """A new choice in the menu that the choices of `menu` lead to, behind the choice `after` or as the last one."""
    changes = Changes(text)
    place = menu_at(menu)
    block: Block = {"id": choice.id, "key": choice.key, "label": dict(choice.label)}
    if synonyms := _given(choice.synonyms):
        block["synonyms"] = synonyms
    match choice.leads_to:
        case LeafFields() as leaf:
            block["leaf"] = _leaf_block(leaf)
        case MenuFields() as below:
            block["menu"] = {"id": below.id, **({"intro": dict(below.intro)} if any(below.intro.values()) else {})}
    target = find(changes.data, place)
    if not _items(target, "choices"):
        changes.put(place, "choices", [block])
    else:
        if after is None:
            after = name_of(_items(target, "choices")[-1])
        changes.insert((*place, "choices"), block, after=after)
    return changes.text()


def _leaf_block(leaf: LeafFields) -> Block:
    whole: Block = {"id": leaf.id, "queue": leaf.queue, "topic": dict(leaf.topic)}
    return whole | {key: value for key, value in _leaf_options(leaf).items() if value is not None}


def _leaf_options(leaf: LeafFields) -> dict[str, Value | None]:
    return {
        "ask": "true" if leaf.ask else None,
        "pinned": _given(leaf.pinned) or None,
        "allowed_tags": list(leaf.allowed_tags) or None,
        "never_offer": "true" if leaf.never_offer else None,
        "discreet": None if leaf.discreet is None else "true" if leaf.discreet else "false",
    }


def _given(words: Mapping[str, tuple[str, ...]]) -> Block:
    return {code: cast(Value, list(found)) for code, found in words.items() if found}


def change_choice(text: str, path: Path, choice: ChoiceFields) -> str:
    """The choice at `path` with other words, another key, another id, or leading elsewhere."""
    changes = Changes(text)
    place = choice_at(path)
    _put_words(changes, place, "label", choice.label)
    _put_lists(changes, place, "synonyms", choice.synonyms)
    _put_text(changes, place, "key", choice.key)
    match choice.leads_to:
        case LeafFields() as leaf:
            _lead_to_leaf(changes, place, leaf)
        case MenuFields() as menu:
            _lead_to_menu(changes, place, menu)
    _put_text(changes, place, "id", choice.id)  # last: the places above go by the old one
    return changes.text()


def _lead_to_leaf(changes: Changes, place: Path, leaf: LeafFields) -> None:
    choice = find(changes.data, place)
    assert isinstance(choice, dict)
    if not isinstance(choice.get("leaf"), dict):
        if _items(choice.get("menu", ""), "choices"):
            raise NotThere("this choice leads to a menu with choices; take them away first")
        changes.drop(place, "menu")
        changes.put(place, "leaf", _leaf_block(leaf))
        return
    here = (*place, "leaf")
    _put_text(changes, here, "queue", leaf.queue)
    _put_words(changes, here, "topic", leaf.topic)
    for key, value in _leaf_options(leaf).items():
        _put_or_drop(changes, here, key, value)
    _put_text(changes, here, "id", leaf.id)


def _lead_to_menu(changes: Changes, place: Path, menu: MenuFields) -> None:
    choice = find(changes.data, place)
    assert isinstance(choice, dict)
    if not isinstance(choice.get("menu"), dict):
        changes.drop(place, "leaf")
        changes.put(place, "menu", {"id": menu.id})
    _put_words(changes, (*place, "menu"), "intro", menu.intro, optional=True)
    _put_text(changes, (*place, "menu"), "id", menu.id)


def change_leaf(text: str, leaf_id: str, keys: Mapping[str, Value | None]) -> str:
    """Keys of one leaf: `{"never_offer": "true", "pinned": None}`; None takes a key away."""
    changes = Changes(text)
    place = leaf_at(changes.data, leaf_id)
    for key, value in keys.items():
        _put_or_drop(changes, place, key, value)
    return changes.text()


def remove_choice(text: str, path: Path) -> str:
    """Without the choice at `path` and all below it."""
    changes = Changes(text)
    place = choice_at(path)
    changes.remove(place[:-1], place[-1])
    return changes.text()


def move_choice(text: str, path: Path, how: str) -> str:
    """`up` or `down` among its neighbours (the two swap their keys, so that the keys stay in order), `in` to the end
    of the menu the choice above it leads to, or `out` behind the choice it is below of."""
    changes = Changes(text)
    place = choice_at(path)
    names = [name_of(one) for one in _items(find(changes.data, place[:-2]), "choices")]
    here = names.index(path[-1]) if path[-1] in names else -1
    if how in ("up", "down"):
        there = here + (1 if how == "down" else -1)
        if here < 0 or not 0 <= there < len(names):
            raise NotThere(f"'{path[-1]}' cannot go further {how}")
        _swap(changes, place[:-1], names, min(here, there))
        return changes.text()
    if how == "out" and len(path) > 1:
        return move_to(text, path, path[:-2], after=path[-2])
    if how == "in" and here > 0:
        return move_to(text, path, (*path[:-1], names[here - 1]))
    raise NotThere(f"'{path[-1]}' cannot go {how}")


def _swap(changes: Changes, place: Path, names: list[str], first: int) -> None:
    """The item at `first` and the one below it change places and keys."""
    upper, lower = (find(changes.data, (*place, name)) for name in names[first : first + 2])
    assert isinstance(upper, dict)
    assert isinstance(lower, dict)
    keys = upper.get("key"), lower.get("key")
    for name, key in zip(names[first : first + 2], reversed(keys), strict=True):
        if key is not None and None not in keys:
            changes.put((*place, name), "key", key)
    before = names[first - 1] if first else None
    changes.move(place, names[first + 1], place, after=before)


def move_to(text: str, path: Path, menu: Path, *, after: str | None = None, first: bool = False) -> str:
    """The choice at `path` goes into the menu that the choices of `menu` lead to: behind `after`, `first`, or last.
    It takes the lowest free key where its own is taken there."""
    if menu[: len(path)] == path:
        raise NotThere("a choice cannot go below itself")
    changes = Changes(text)
    place, target = choice_at(path), menu_at(menu)
    others = _items(find(changes.data, target), "choices")
    choice = find(changes.data, place)
    assert isinstance(choice, dict)
    names = [name_of(one) for one in others]
    if place[:-1] != (*target, "choices"):
        if path[-1] in names:
            raise NotThere(f"there is another '{path[-1]}' in that menu")
        key = _free_key(changes.data, others, choice.get("key", ""), main=not menu)
        changes.put(place, "key", key)
    if not others:
        changes.remove(place[:-1], place[-1])
        changes.put(target, "choices", [choice])
        return changes.text()
    behind = None if first else after or next(name for name in reversed(names) if name != path[-1])
    changes.move(place[:-1], path[-1], (*target, "choices"), after=behind)
    return changes.text()


def _free_key(data: Block, others: list[Value], key: Value, *, main: bool) -> Value:
    taken = [one.get("key") for one in others if isinstance(one, dict)]
    if main:
        taken += [one.get("key") for one in _items(data, "languages") if isinstance(one, dict)]
    return key if key not in taken else next((one for one in "123456789" if one not in taken), key)


# ---- wording, queues, hours, the top


def set_wording(text: str, sentences: Mapping[tuple[str, str], str]) -> str:
    """Sentences by (key, language)."""
    changes = Changes(text)
    if not isinstance(changes.data.get("wording"), dict):
        changes.put((), "wording", {})
    for (key, code), words in sentences.items():
        wording = find(changes.data, ("wording",))
        if isinstance(wording, dict) and isinstance(wording.get(key), dict):
            _put_text(changes, ("wording", key), code, words)
        else:
            changes.put(("wording",), key, {code: words})
    return changes.text()


def set_queue(text: str, queue: QueueFields) -> str:
    """A queue's settings; a name that is not there yet adds a queue."""
    changes = Changes(text)
    options = {key: getattr(queue, key) or None for key in _QUEUE_OPTIONS}
    whole: Block = {"spoken": dict(queue.spoken), "hours": queue.hours}
    if _begun(changes, "queues", queue.name, whole | {key: value for key, value in options.items() if value}):
        return changes.text()
    here = ("queues", queue.name)
    _put_words(changes, here, "spoken", queue.spoken)
    _put_text(changes, here, "hours", queue.hours)
    for key, value in options.items():
        _put_or_drop(changes, here, key, value)
    return changes.text()


def set_hours(text: str, hours: HoursFields) -> str:
    """Opening hours; a name that is not there yet adds some."""
    changes = Changes(text)
    weekly: Block = {day: spans[0] if len(spans) == 1 else list(spans) for day, spans in hours.weekly.items()}
    holidays: Block = {"holidays": list(hours.holidays)} if hours.holidays else {}
    whole: Block = {"zone": hours.zone, "weekly": weekly, **holidays, "spoken": dict(hours.spoken)}
    if _begun(changes, "hours", hours.name, whole):
        return changes.text()
    here = ("hours", hours.name)
    _put_text(changes, here, "zone", hours.zone)
    changes.put(here, "weekly", weekly)
    _put_or_drop(changes, here, "holidays", holidays.get("holidays"))
    _put_words(changes, here, "spoken", hours.spoken)
    return changes.text()


def set_holidays(text: str, name: str, days: Iterable[str]) -> str:
    """The days on which queues of these opening hours are closed, as written. Raises NotThere."""
    changes = Changes(text)
    find(changes.data, ("hours", name))
    _put_or_drop(changes, ("hours", name), "holidays", list(days) or None)
    return changes.text()


def _begun(changes: Changes, group: str, name: str, whole: Block) -> bool:
    """Puts in a queue or hours that are not there yet; False where they are."""
    blocks = changes.data.get(group)
    if not isinstance(blocks, dict):
        changes.put((), group, {name: whole})
    elif not isinstance(blocks.get(name), dict):
        changes.put((group,), name, whole)
    else:
        return False
    return True


def remove_queue(text: str, name: str) -> str:
    """Without a queue. Leaves that still name it become errors of the draft."""
    return _without(text, "queues", name)


def remove_hours(text: str, name: str) -> str:
    """Without opening hours of that name."""
    return _without(text, "hours", name)


def _without(text: str, group: str, name: str) -> str:
    changes = Changes(text)
    find(changes.data, (group, name))
    changes.drop((group,), name)
    return changes.text()


def set_top(text: str, keys: Mapping[str, str]) -> str:
    """`brand`, `community_url`, `callback_number`, `default_queue`; an empty one that may be left out is."""
    changes = Changes(text)
    for key, value in keys.items():
        if value or key in ("brand", "default_queue"):
            changes.put((), key, value.strip(), before=("languages", "hours"))
        else:
            changes.drop((), key)
    return changes.text()


def set_offers(text: str, rules: Mapping[str, str]) -> str:
    """Offer rules, as they are written in the file; those that are not named stay."""
    changes = Changes(text)
    if not isinstance(changes.data.get("offers"), dict):
        changes.put((), "offers", dict(rules), before=("wording",))
    else:
        for key, value in rules.items():
            changes.put(("offers",), key, value)
    return changes.text()


def _put_text(changes: Changes, place: Path, key: str, words: str) -> None:
    changes.put(place, key, words.strip(), before=_AFTER_WORDS)


def _put_words(changes: Changes, place: Path, key: str, words: Languages, *, optional: bool = False) -> None:
    """Words by language, each in its place."""
    block = find(changes.data, place)
    old = block.get(key) if isinstance(block, dict) else None
    if optional and not any(words.values()):
        changes.drop(place, key)
    elif not isinstance(old, dict):
        changes.put(place, key, {code: said.strip() for code, said in words.items()}, before=_AFTER_WORDS)
    else:
        for code, said in words.items():
            _put_text(changes, (*place, key), code, said)


def _put_lists(changes: Changes, place: Path, key: str, lists: Mapping[str, tuple[str, ...]]) -> None:
    block = find(changes.data, place)
    old = block.get(key) if isinstance(block, dict) else None
    if not any(lists.values()):
        changes.drop(place, key)
    elif not isinstance(old, dict):
        changes.put(place, key, _given(lists), before=_AFTER_WORDS)
    else:
        for code, words in lists.items():
            if words or old.get(code):
                changes.put((*place, key), code, list(words))


def _put_or_drop(changes: Changes, place: Path, key: str, value: Value | None) -> None:
    """A list of one may be written as a single word; yes and no as true and false."""
    block = find(changes.data, place)
    old = block.get(key) if isinstance(block, dict) else None
    if value is None:
        if old not in ("false", ""):  # says already what leaving it out says
            changes.drop(place, key)
    elif value != old and not (isinstance(value, list) and [old] == value):
        changes.put(place, key, value)


# ---- reading back, for forms


def choice_fields(data: Block, path: Path) -> ChoiceFields:
    """The choice at `path` as a form shows it, whatever is wrong with it. Raises NotThere."""
    choice = find(data, choice_at(path))
    assert isinstance(choice, dict)
    below = choice.get("menu")
    leads_to: LeafFields | MenuFields
    if isinstance(below, dict):
        leads_to = MenuFields(_text(below, "id"), _words(below, "intro"))
    else:
        leads_to = _leaf_fields(choice.get("leaf", ""))
    return ChoiceFields(
        _text(choice, "id"), _text(choice, "key"), _words(choice, "label"), _lists(choice, "synonyms"), leads_to
    )


def _leaf_fields(leaf: Value) -> LeafFields:
    said = leaf if isinstance(leaf, dict) else {}
    return LeafFields(
        id=_text(said, "id"),
        queue=_text(said, "queue"),
        topic=_words(said, "topic"),
        ask=said.get("ask") == "true",
        pinned=_lists(said, "pinned"),
        allowed_tags=_list(said.get("allowed_tags", [])),
        never_offer=said.get("never_offer") == "true",
        discreet=said["discreet"] == "true" if "discreet" in said else None,
    )


def queue_fields(data: Block, name: str) -> QueueFields:
    """A queue as a form shows it. Raises NotThere."""
    queue = find(data, ("queues", name))
    said = queue if isinstance(queue, dict) else {}
    rest = {key: _text(said, key) for key in ("hours", *_QUEUE_OPTIONS)}
    return QueueFields(name, _words(said, "spoken"), **rest)


def hours_fields(data: Block, name: str) -> HoursFields:
    """Opening hours as a form shows them. Raises NotThere."""
    hours = find(data, ("hours", name))
    said = hours if isinstance(hours, dict) else {}
    return HoursFields(
        name, _text(said, "zone"), _lists(said, "weekly"), _list(said.get("holidays", [])), _words(said, "spoken")
    )


def language_codes(data: Block) -> tuple[str, ...]:
    """The codes of the languages, the first one first."""
    return tuple(code for one in _items(data, "languages") if isinstance(one, dict) and (code := _text(one, "code")))


def _text(block: Block, key: str) -> str:
    value = block.get(key, "")
    return value if isinstance(value, str) else ""


def _words(block: Block, key: str) -> dict[str, str]:
    value = block.get(key)
    return {code: said for code, said in value.items() if isinstance(said, str)} if isinstance(value, dict) else {}


def _lists(block: Block, key: str) -> dict[str, tuple[str, ...]]:
    value = block.get(key)
    return {code: _list(said) for code, said in value.items()} if isinstance(value, dict) else {}


def _list(value: Value) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
