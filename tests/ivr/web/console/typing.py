"""A whole menu typed in through the forms of the page, and the stories of callers who walk it to each of its ends."""

import json
from collections.abc import Iterator
from typing import NamedTuple

from psycopg import Connection

from ivr.call.plan import Menu, Plan
from tests.ivr.web.console.conftest import ConsoleClient

STARTERS = ("mobile", "billing", "internet", "email-tv", "other")


class Spoken(NamedTuple):
    """A choice by its label, and those below it; none: a leaf."""

    label: str
    below: tuple["Spoken", ...] = ()


def ends(
    menu: tuple[Spoken, ...], keys: str = "", labels: tuple[str, ...] = ()
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The keys to each leaf, and the labels on the way."""
    for n, choice in enumerate(menu, 1):
        here, said = keys + str(n), (*labels, choice.label)
        yield from ends(choice.below, here, said) if choice.below else [(here, said)]


def type_in(editor: ConsoleClient, name: str, menu: tuple[Spoken, ...]) -> tuple[int, int]:
    """A draft in which the starter's choices are taken away and these put in; (its id, its revision)."""
    begun = editor.post_form("/console/menus/drafts", name=name)
    draft = int(begun.headers["Location"].rsplit("/", 1)[1])
    revision = 1

    def send(what: str, **fields: str) -> None:
        nonlocal revision
        sent = editor.post_form(f"/console/menus/draft/{draft}/{what}", revision=revision, **fields)
        assert sent.status_code == 303, (fields, sent.get_data(as_text=True))
        revision += 1

    def add(choices: tuple[Spoken, ...], path: tuple[str, ...]) -> None:
        for n, choice in enumerate(choices, 1):
            here = (*path, f"c{n}")
            fields = {"at": ".".join(path), "id": here[-1], "key": str(n), "below_id": "-".join(here)}
            fields |= {"label-en": choice.label, "label-es": choice.label}
            if choice.below:
                send("add", leads_to="menu", **fields)
            else:
                send(
                    "add",
                    leads_to="leaf",
                    queue="general",
                    **fields | {"topic-en": choice.label, "topic-es": choice.label},
                )
            add(choice.below, here)

    for starter in STARTERS:
        send("remove", at=starter)
    add(menu, ())
    return draft, revision


def stories(plan: Plan) -> dict[str, str]:
    """Leaf -> the story of a caller, another number each, who goes there by keys, waits in its queue and hangs up."""
    told = {}
    for number, (path, leaf) in enumerate(plan.leaves().values()):
        turns: list[dict[str, object]] = [{"starts": {}}]
        menu: Menu | None = plan.main
        for step in path:
            assert menu is not None
            choice = next(one for one in menu.choices if one.id == step)
            line = plan.wording["en"]["menu_choice"].format(label=choice.label["en"], key=choice.key)
            turns += [{"hears": [line]}, {"presses": choice.key}]
            menu = choice.menu
        turns += [{"silent": {}}] if leaf.ask else []
        spoken = plan.queues[leaf.queue].spoken["en"]
        turns += [{"hears": [spoken]}, {"waits": {"s": 5, "position": 1}}, {"leaves": {}}]
        story = {
            "title": f"A caller goes to {' > '.join(plan.labels(path, 'en'))}",
            "caller": {"from": f"+1202555{100 + number:04}"},
            "turns": turns,
        }
        told[leaf.id] = json.dumps(story)
    return told


def visited(conn: Connection, version: int) -> list[str]:
    """The leaves where calls of a plan joined a queue, one for each call."""
    rows = conn.execute(
        "SELECT data->>'leaf' FROM facts WHERE name = 'held' AND plan_version = %s ORDER BY 1", (version,)
    )
    return [leaf for (leaf,) in rows]
