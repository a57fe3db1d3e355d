"""What the forms of the menu pages hold, to and from the values that `editing` takes."""

import re
import unicodedata
from dataclasses import replace
from typing import Any

from ivr.call.wording import WORDING
from ivr.console.menu_tree import walked
from ivr.planfile.document import Block, NotThere, Path, find
from ivr.planfile.editing import (
    ChoiceFields,
    HoursFields,
    LeafFields,
    MenuFields,
    QueueFields,
    menu_at,
)
from ivr.planfile.merging import Conflict
from ivr.planfile.written import Value, block
from ivr.web.console.forms import Form

__all__ = ["TOP", "walked"]

TOP = ("brand", "community_url", "callback_number", "default_queue")
_SPLIT = re.compile(r"[,\n]")


def _words(form: Form, name: str, languages: tuple[str, ...]) -> dict[str, str]:
    return {code: " ".join(form[f"{name}-{code}"].split()) for code in languages}


def _list(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for one in _SPLIT.split(text) if (word := " ".join(one.split()))))


def _lists(form: Form, name: str, languages: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {code: _list(form[f"{name}-{code}"]) for code in languages}


# ---- a choice


def choice(form: Form, languages: tuple[str, ...]) -> ChoiceFields:
    """The choice as it was typed."""
    leads_to: LeafFields | MenuFields
    if form["leads_to"] == "menu":
        leads_to = MenuFields(form["below_id"], _words(form, "intro", languages))
    else:
        leads_to = LeafFields(
            id=form["below_id"],
            queue=form["queue"],
            topic=_words(form, "topic", languages),
            ask=bool(form["ask"]),
            pinned=_lists(form, "pinned", languages),
            allowed_tags=_list(form["allowed_tags"]),
            never_offer=bool(form["never_offer"]),
            discreet={"yes": True, "no": False}.get(form["discreet"]),
        )
    return ChoiceFields(
        form["id"], form["key"], _words(form, "label", languages), _lists(form, "synonyms", languages), leads_to
    )


def of_choice(fields: ChoiceFields, languages: tuple[str, ...]) -> dict[str, Any]:
    """A choice as the form shows it."""
    values: dict[str, Any] = {"id": fields.id, "key": fields.key}
    for code in languages:
        values[f"label-{code}"] = fields.label.get(code, "")
        values[f"synonyms-{code}"] = "\n".join(fields.synonyms.get(code, ()))
    below = fields.leads_to
    values["below_id"] = below.id
    if isinstance(below, MenuFields):
        values |= {"leads_to": "menu", **{f"intro-{code}": said for code, said in below.intro.items()}}
        return values
    values |= {
        "leads_to": "leaf",
        "queue": below.queue,
        "ask": below.ask,
        "allowed_tags": ", ".join(below.allowed_tags),
        "never_offer": below.never_offer,
        "discreet": {None: "", True: "yes", False: "no"}[below.discreet],
        **{f"topic-{code}": said for code, said in below.topic.items()},
        **{f"pinned-{code}": "\n".join(ids) for code, ids in below.pinned.items()},
    }
    return values


def with_ids(fields: ChoiceFields, data: Block, menu: Path) -> ChoiceFields:
    """Ids made from the label where none were typed."""
    name = fields.id or _free(_slug(next(iter(fields.label.values()), "")), _ids_beside(data, menu))
    below = fields.leads_to
    if not below.id:
        below = replace(below, id=_free("-".join((*menu[-1:], name)), _ids_below(data)))
    return replace(fields, id=name, leads_to=below)


def _slug(words: str) -> str:
    plain = unicodedata.normalize("NFKD", words.casefold()).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", plain)[:4])[:40] or "choice"


def _free(name: str, taken: set[str]) -> str:
    return name if name not in taken else next(one for n in range(2, 9999) if (one := f"{name}-{n}") not in taken)


def _beside(data: Block, menu: Path) -> list[Value]:
    try:
        found = find(data, (*menu_at(menu), "choices"))
    except NotThere:
        return []
    return found if isinstance(found, list) else []


def _ids_beside(data: Block, menu: Path) -> set[str]:
    return {str(one.get("id")) for one in _beside(data, menu) if isinstance(one, dict)}


def _ids_below(value: Value) -> set[str]:
    """Every id of a menu or leaf in the file."""
    if isinstance(value, list):
        return {name for one in value for name in _ids_below(one)}
    if not isinstance(value, dict):
        return set()
    return {str(value.get("id"))} | {name for one in value.values() for name in _ids_below(one)}


def free_key(data: Block, menu: Path) -> str:
    """The lowest key nobody has in a menu."""
    languages = data.get("languages") if not menu else []
    others = [*_beside(data, menu), *(languages if isinstance(languages, list) else [])]
    taken = {one.get("key") for one in others if isinstance(one, dict)}
    return next((key for key in "123456789" if key not in taken), "")


# ---- queues, hours, wording


def queue(form: Form, languages: tuple[str, ...]) -> QueueFields:
    """The queue as it was typed. Raises NotThere without a name."""
    rest = {key: form[key] for key in ("hours", "max_hold_s", "max_size", "overflow_number", "workflow_sid")}
    return QueueFields(_name(form), _words(form, "spoken", languages), **rest)


def _name(form: Form) -> str:
    if not form["name"]:
        raise NotThere("Give it a name")
    return form["name"]


def of_queue(fields: QueueFields) -> dict[str, Any]:
    """A queue as the form shows it."""
    keys = ("name", "hours", "max_hold_s", "max_size", "overflow_number", "workflow_sid")
    spoken = {f"spoken-{code}": said for code, said in fields.spoken.items()}
    return {key: getattr(fields, key) for key in keys} | spoken


def hours(form: Form, languages: tuple[str, ...]) -> HoursFields:
    """Opening hours as they were typed: a line a day, "monday-friday: 08:00-20:00". Raises NotThere without a name."""
    weekly = {}
    for line in form["weekly"].splitlines():
        day, _, spans = line.partition(":")
        if day.strip():
            weekly[day.strip()] = _list(spans)
    return HoursFields(_name(form), form["zone"], weekly, _list(form["holidays"]), _words(form, "spoken", languages))


def of_hours(fields: HoursFields) -> dict[str, Any]:
    """Opening hours as the form shows them."""
    return {
        "name": fields.name,
        "zone": fields.zone,
        "weekly": "\n".join(f"{day}: {', '.join(spans)}" for day, spans in fields.weekly.items()),
        "holidays": "\n".join(fields.holidays),
        **{f"spoken-{code}": said for code, said in fields.spoken.items()},
    }


def names(data: Block, group: str) -> list[str]:
    """The names of all queues, or of all hours."""
    found = data.get(group)
    return list(found) if isinstance(found, dict) else []


def of_top(data: Block) -> dict[str, Any]:
    """What stands at the top of the file, as the form shows it."""
    return {key: value if isinstance(value := data.get(key, ""), str) else "" for key in TOP}


def sentences() -> list[tuple[str, list[tuple[str, str]]]]:
    """The sentences in groups: (what they are, [(key, the placeholders it may use)])."""
    groups: dict[str, list[tuple[str, str]]] = {"said": [], "closed": [], "text": [], "reply": [], "page": []}
    for key, allowed in WORDING.items():
        group = key.partition("_")[0]
        may = " ".join(f"{{{one}}}" for one in sorted(allowed))
        groups[group if group in groups else "said"].append((key, may))
    return list(groups.items())


def of_wording(data: Block, languages: tuple[str, ...]) -> dict[str, Any]:
    """Every sentence as the form shows it."""
    return {f"{key}-{code}": _sentence(data, key, code) for key in WORDING for code in languages}


def _sentence(data: Block, key: str, code: str) -> str:
    try:
        said = find(data, ("wording", key, code))
    except NotThere:
        return ""
    return said if isinstance(said, str) else ""


def reworded(form: Form, data: Block, languages: tuple[str, ...]) -> dict[tuple[str, str], str]:
    """The sentences that were changed."""
    return {
        (key, code): words
        for key in WORDING
        for code in languages
        if f"{key}-{code}" in form.values
        and (words := " ".join(form[f"{key}-{code}"].split())) != _sentence(data, key, code).strip()
    }


# ---- two texts of one draft


def dotted(path: Path) -> str:
    """A place in the file as one word."""
    return "/".join(step.replace("~", "~0").replace("/", "~1") for step in path)


def undotted(word: str) -> Path:
    """The place that `dotted` made a word of."""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in word.split("/")) if word else ()


def in_words(conflict: Conflict) -> tuple[str, str, str]:
    """What stood there, what the draft has now, what the other text has: as the file would have it."""
    found = [_shown(value) for value in (conflict.base, conflict.theirs, conflict.mine)]
    return found[0], found[1], found[2]


def _shown(value: Value | None) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case list():
            return "\n".join(_shown(one) for one in value)
        case dict():
            return block(value, 0)
