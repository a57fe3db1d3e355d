"""Real menus typed in through the page, published and walked: MENUS=menus.jsonl pytest tests/typed_menus.py

Not part of `make test`: the file of menus is not ours to keep. Of each we keep the tree; prompts become labels by
rule, a step that asks for a typed number is left out, and a menu of more than five choices is split by "more options".
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from models import plans
from tests.ivr.web.conftest import *  # noqa: F403 - the same service as under the pages' own tests
from tests.ivr.web.conftest import Carrier
from tests.ivr.web.console.conftest import *  # noqa: F403
from tests.ivr.web.console.conftest import SignedIn
from tests.ivr.web.console.test_menus import told
from tests.ivr.web.console.typing import Spoken, ends, type_in, walk

MOST = 5
#: the menu's id, and the way to where the questions a caller answers by key begin
REAL = {"rogers": ("1", "*"), "satellite-tv": ()}


def read(menu_id: str, way: tuple[str, ...]) -> tuple[Spoken, ...]:
    lines = Path(os.environ["MENUS"]).read_text("utf-8").splitlines()
    node: Any = next(menu for menu in map(json.loads, lines) if menu["id"] == menu_id)["menu"]
    for key in way:
        node = next(one for one in node["options"] if one["key"] == key)
    return choices(node)


def choices(node: Any) -> tuple[Spoken, ...]:
    found = tuple(
        Spoken(label(one["label"]), choices(one)) for one in node.get("options") or () if one["key"].isdigit()
    )
    return split(found)


def split(found: tuple[Spoken, ...]) -> tuple[Spoken, ...]:
    if len(found) <= MOST:
        return found
    return (*found[: MOST - 1], Spoken("further choices", split(found[MOST - 1 :])))


def label(prompt: str) -> str:
    words = re.sub(
        r"^(for|to|if you're|if you would like to)\s+", "", prompt.strip(" .?!").replace(",", ""), flags=re.IGNORECASE
    )
    return " ".join(words.split()[:8])


@pytest.mark.parametrize("menu_id", REAL)
def test_a_real_menu_is_typed_in_published_and_walked(
    menu_id: str, signed_in: SignedIn, carrier: Carrier, db: Connection
) -> None:
    menu = read(menu_id, REAL[menu_id])
    editor = signed_in("editor")
    draft, revision = type_in(editor, menu_id, menu)
    page = told(editor.get(f"/console/menus/draft/{draft}"))
    sent = editor.post_form(f"/console/menus/draft/{draft}/publish", revision=revision, why="A real menu")
    assert sent.status_code == 303, (page, told(sent))
    version = plans.live_version(db)
    walked = walk(carrier, db, menu)
    deepest = max(len(keys) for keys, _ in ends(menu))
    print(f"\n{menu_id}: {revision - 1} forms, version {version} live, {walked} leaves walked, {deepest} keys at most")
