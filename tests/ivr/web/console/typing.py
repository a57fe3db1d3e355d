"""A whole menu typed in through the forms of the page, published, and walked by a call to each of its ends."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from psycopg import Connection

from tests.ivr.web.conftest import CALLED, CALLER, Carrier
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


def walk(carrier: Carrier, db: Connection, menu: tuple[Spoken, ...]) -> int:
    """A call to each leaf by its keys: every menu says its labels, and the queue is joined. How many there were."""
    walked = 0
    for walked, (keys, labels) in enumerate(ends(menu), 1):
        sid = f"CA{walked:032x}"
        caller = {"CallSid": sid, "From": CALLER, "To": CALLED}
        heard = carrier.post("/voice/incoming", caller).get_data(as_text=True)
        for key, label in zip(keys, labels, strict=True):
            assert f"For {label}, press {key}." in heard, (label, heard)
            action = re.search(r'action="[^"]*(/voice/[^"]+)"', heard)
            assert action is not None, heard
            heard = carrier.post(action[1].replace("&amp;", "&"), {**caller, "Digits": key}).get_data(as_text=True)
        assert ">general</Enqueue>" in heard, (keys, heard)
        (path,) = db.execute(
            "SELECT data->'path' FROM facts WHERE call_sid = %s AND name = 'menu_chosen' ORDER BY id DESC LIMIT 1",
            (sid,),
        ).fetchall()
        assert path[0] == [f"c{key}" for key in keys]
    return walked
