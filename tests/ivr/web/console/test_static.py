"""What the pages are made of: vendored files as they came, templates that escape, the API's door."""

import hashlib
import re
import shutil
from pathlib import Path

import pytest
from flask import Flask

from ivr.console import tokens
from ivr.console.roles import Staff
from ivr.web.api import guards
from ivr.web.api.guards import token
from ivr.wiring import Wiring
from tests.ivr.web.console.conftest import ConsoleClient, SignedIn
from tests.ivr.web.console.test_words import ROOT

STATIC = ROOT / "ivr" / "web" / "console" / "static"
TEMPLATES = ROOT / "ivr" / "web" / "console" / "templates"


def unlike_noted(static: Path) -> set[str]:
    """The vendored files that are not as `vendor.sha256` has them, missing and unknown ones among them."""
    lines = (static / "vendor.sha256").read_text("utf-8").splitlines()
    noted = {name: digest for digest, name in (line.split("  ") for line in lines)}
    found = {
        str(file.relative_to(static)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in (static / "vendor").iterdir()
    }
    return {name for name in noted | found if noted.get(name) != found.get(name)}


def test_vendored_files_are_as_they_came() -> None:
    assert unlike_noted(STATIC) == set()


def test_one_byte_of_a_vendored_file_that_was_changed_is_found(tmp_path: Path) -> None:
    shutil.copytree(STATIC, tmp_path / "static")
    (script,) = (tmp_path / "static" / "vendor").glob("htmx-*.js")
    content = bytearray(script.read_bytes())
    content[len(content) // 2] ^= 1
    script.write_bytes(content)
    (script.parent / "more.js").write_text("fetch('/')")
    assert unlike_noted(tmp_path / "static") == {f"vendor/{script.name}", "vendor/more.js"}


def test_no_template_lets_markup_through_or_holds_script_or_style() -> None:
    bad = re.compile(r"\|\s*safe\b|autoescape\s+false|<style|style=|<script(?![^>]*\bsrc=)|\son\w+=|javascript:")
    found = [
        f"{file.relative_to(TEMPLATES)}: {match[0]}"
        for file in TEMPLATES.rglob("*.html")
        for match in bad.finditer(file.read_text("utf-8"))
    ]
    assert found == []


def test_every_form_of_a_template_that_changes_something_holds_the_token() -> None:
    found = [
        str(file.relative_to(TEMPLATES))
        for file in TEMPLATES.rglob("*.html")
        for form in re.findall(
            r"<form[^>]*method=\"post\".*?</form>", file.read_text("utf-8"), re.DOTALL | re.IGNORECASE
        )
        if "csrf" not in form
    ]
    assert found == []


def test_style_and_script_are_served(nobody: ConsoleClient) -> None:
    page = nobody.get("/console/sign-in").text
    for address in re.findall(r'(?:href|src)="(/console/static/[^"]+)"', page):
        with nobody.get(address) as answer:
            assert answer.status_code == 200


@pytest.fixture
def api(app: Flask) -> Flask:
    """The API with one more view for each kind of door."""
    found: Flask = app.extensions["mounted"]["/api"]

    @token("menus")
    def menus() -> str:
        return guards.caller().who

    found.add_url_rule("/v1/doors/menus", view_func=menus)
    found.add_url_rule("/v1/doors/forgotten", "forgotten", lambda: "open")
    found.add_url_rule("/v1/doors/everybody", "everybody", guards.public(lambda: "hello"))
    return found


def test_a_token_opens_what_it_is_for_and_nothing_else(
    api: Flask, nobody: ConsoleClient, signed_in: SignedIn, wiring: Wiring
) -> None:
    admin = signed_in("admin")
    by = Staff(admin.staff_id or 0, "Admin 1", "admin", "en")

    def status(path: str, *scopes: str) -> int:
        headers = {}
        if scopes:
            with wiring.pool.connection() as conn:
                made = tokens.make(conn, wiring, by, name="door", scopes=scopes, why="a test")
            headers = {"Authorization": f"Bearer {made}"}
        return nobody.get(f"/api/v1/doors/{path}", headers=headers).status_code

    assert (status("menus"), status("menus", "menus"), status("menus", "admin")) == (401, 200, 200)
    assert (status("menus", "read", "calls"), status("forgotten", "admin"), status("everybody")) == (403, 403, 200)
    refused = nobody.get("/api/v1/doors/menus", headers={"Authorization": "Bearer offhold_wrong"})
    assert (refused.status_code, refused.mimetype) == (401, "application/problem+json")
    assert refused.json is not None
    assert refused.json["id"] == "token_wrong"


def test_a_cookie_of_the_console_opens_nothing_of_the_api(api: Flask, signed_in: SignedIn) -> None:
    answer = signed_in("admin").get("/api/v1/doors/menus")
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers
