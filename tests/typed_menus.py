"""Real menus typed in through the page, published and walked: MENUS=menus.jsonl pytest -s tests/typed_menus.py

They are typed into the running service, and a story leads a caller of its test phone to each of their leaves. Not part
of `make test`: the file of menus is not ours to keep. Of each we keep the tree; prompts become labels by rule, a step
that asks for a typed number is left out, and a menu of more than five choices is split by "further choices".
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from config.settings import Settings, load
from ivr import wiring as wirings
from ivr.phone.desk import MARK
from ivr.phone.terminal import call_with_story
from ivr.wiring import Wiring
from tests.browser.service import Service, running
from tests.ivr.web.conftest import *  # noqa: F403 - the pages as under their own tests
from tests.ivr.web.console.conftest import *  # noqa: F403
from tests.ivr.web.console.conftest import SignedIn
from tests.ivr.web.console.test_menus import told
from tests.ivr.web.console.typing import Spoken, stories, type_in, visited

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


@pytest.fixture
def service(released: Path, tmp_path: Path) -> Iterator[Service]:
    """One for each menu: it begins with the starter menu, and with callers it never heard."""
    subprocess.run(["cp", "-Rp", released, tmp_path / "var"], check=True)  # PostgreSQL's own files stay its own
    with running(tmp_path / "var") as started:
        yield started


@pytest.fixture
def settings(service: Service) -> Settings:
    """Those of the running service: what is typed in here is published there."""
    ports = {name: str(urlsplit(url).port) for name, url in (("PORT", service.url), ("PHONE_PORT", service.phone_url))}
    return load({"DATA_DIR": str(service.data_dir), **ports}, dotenv=None)


@pytest.fixture(name="wiring")
def _wiring(settings: Settings) -> Iterator[Wiring]:
    built = wirings.build(settings, pool_size=4)
    yield built
    built.close()


@pytest.mark.parametrize("menu_id", REAL)
def test_a_real_menu_is_typed_in_published_and_walked_by_a_story_to_each_leaf(
    menu_id: str, signed_in: SignedIn, wiring: Wiring, settings: Settings, service: Service, tmp_path: Path
) -> None:
    editor = signed_in("editor")
    draft, revision = type_in(editor, menu_id, read(menu_id, REAL[menu_id]))
    page = told(editor.get(f"/console/menus/draft/{draft}"))
    sent = editor.post_form(f"/console/menus/draft/{draft}/publish", revision=revision, why="A real menu")
    assert sent.status_code == 303, (page, told(sent))
    with wiring.pool.connection() as conn:
        plan = wiring.plans.live(conn)
    quick = requests.post(f"{service.phone_url}desk/speed", json={"speed": 5}, headers={MARK: "1"}, timeout=5)
    quick.raise_for_status()
    written, wrong = stories(plan), []
    for leaf, story in written.items():
        file = tmp_path / f"{leaf}.yaml"
        file.write_text(story, "utf-8")
        if call_with_story(settings, file) != 0:
            wrong.append(leaf)
    assert wrong == []
    with wiring.pool.connection() as conn:
        assert visited(conn, plan.version) == sorted(written)
    deepest = max(len(path) for path, _ in plan.leaves().values())
    print(f"\n{menu_id}: {revision - 1} forms, version {plan.version} live,", end=" ")
    print(f"{len(written)} stories as written, each leaf visited once, {deepest} keys at most")
