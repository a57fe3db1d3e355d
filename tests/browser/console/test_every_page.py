"""Every page there is, as its own application lists them: for a screen reader, on any screen, with and without
scripts."""

import itertools
import re
from collections.abc import Mapping
from typing import NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, TimeoutError

from ivr.web.console import create_console
from tests.browser.chromium import Complaints, person, too_wide
from tests.browser.console.people import joins, setup_link
from tests.browser.console.stock import stocked, wired
from tests.browser.phone import PATIENCE_MS
from tests.browser.service import Service

# What an address needs to show something: the rest of it, or other values for its arguments.
ASKING = {
    "/menus/draft/<int:draft_id>/choice": "?at=internet",
    "/menus/draft/<int:draft_id>/add": "?at=internet",
    "/menus/draft/<int:draft_id>/queue": "?name=billing",
    "/menus/draft/<int:draft_id>/hours": "?name=office",
    "/voice/prompt": "?wording=greeting&language=en",
    "/calls/<call_sid>/replay": "?draft=",
}
OTHERS = {"/reviews/<article_id>": "review_id"} | {
    f"/menus/draft/<int:draft_id>/rehearsals{rest}": "sound_draft_id" for rest in ("", "/<int:study_id>")
}
NO_PAGES = {
    "/": "leads on",
    "/oidc": "leads to the issuer",
    "/oidc/back": "leads on",
    "/static/<path:filename>": "files",
    "/menus/plans/<int:version>/menu.yaml": "a file",
    "/menus/draft/<int:draft_id>/menu.yaml": "a file",
    "/voice/recordings/<int:recording_id>.wav": "a file",
    "/statements/<month>/file.<form>": "a file",
    "/finance/key": "a file",
    "/today/now": "a part of Today",
    "/today/controls": "a part of Today",
    "/sources/state": "a part of Sources",
    "/menus/draft/<int:draft_id>/rehearsals/<int:study_id>/now": "a part of a rehearsal",
}
NOBODY = {"/sign-in", "/join/<token>"}  # the pages of those who are not signed in
FILLED = {
    "email": "x@lumora.example",
    "url": "https://forum.invalid/",
    "datetime-local": "2026-12-24T12:00",
    "date": "2026-12-24",
    "month": "2026-12",
    "number": "1",
    "tel": "+12025550143",
}  # what a field is filled in with, by its kind


class Place(NamedTuple):
    """One page: its rule, and an address of it that shows something."""

    rule: str
    address: str


class Office(NamedTuple):
    """A console in use, all of its pages, and how its administrator's browser is known to it."""

    places: tuple[Place, ...]
    known: str


@pytest.fixture(scope="module")
def office(fresh: Service, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Of a service of its own: each form that is sent here changes something."""
    with wired(fresh.data_dir) as wiring:
        sample = stocked(wiring)
        rules = [one.rule for one in create_console(wiring).url_map.iter_rules() if "GET" in (one.methods or ())]
    known = str(tmp_path_factory.mktemp("known") / "state.json")
    context = person(browser)
    context.set_default_timeout(PATIENCE_MS)
    joins(context.new_page(), setup_link(fresh.data_dir, fresh.url), "Maria Ruiz", "maria.pages@lumora.example")
    context.storage_state(path=known)
    context.close()
    # Whoever joins ends the links of before.
    sample = {**sample, "token": setup_link(fresh.data_dir, fresh.url).rpartition("/")[2]}
    places = (Place(rule, fresh.url + "/console" + address(rule, sample)) for rule in rules if rule not in NO_PAGES)
    return Office(tuple(places), known)


def address(rule: str, sample: Mapping[str, object]) -> str:
    """A rule's address with something in each place that is there."""
    named = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: "{" + found[1] + "}", rule)
    if rule in OTHERS:
        named = re.sub(r"\{(draft_id|article_id)\}", "{" + OTHERS[rule] + "}", named)
    return named.format_map(sample) + ASKING.get(rule, "")


def opened(browser: Browser, office: Office, **more: object) -> tuple[BrowserContext, BrowserContext]:
    """The browser of the administrator, and that of somebody who is not signed in."""
    signed_in, nobody = person(browser, storage_state=office.known, **more), person(browser, **more)
    for context in (signed_in, nobody):
        context.set_default_timeout(PATIENCE_MS)
    return signed_in, nobody


def test_every_page_can_be_read_by_anyone_on_any_screen(browser: Browser, office: Office) -> None:
    """By axe-core, at 360, 768 and 1440 pixels, with nothing that the browser complains of."""
    contexts = opened(browser, office, viewport={"width": 1440, "height": 900})
    complaints = [Complaints(context) for context in contexts]
    signed_in, nobody = (context.new_page() for context in contexts)
    found: list[str] = []
    for place in office.places:
        page = nobody if place.rule in NOBODY else signed_in
        found += [*shown(page, place), *too_wide(page), *violations(page, place)]
    for context in contexts:
        context.close()
    assert [*found, *itertools.chain(*complaints)] == []


def shown(page: Page, place: Place) -> list[str]:
    """Go there; what of it is not there."""
    answer = page.goto(place.address)
    if answer is None or answer.status != 200 or page.url != place.address:
        return [f"{place.rule}: {answer and answer.status} at {page.url}"]
    return [] if page.locator("h1").count() == 1 else [f"{place.rule} has no heading, or many"]


def violations(page: Page, place: Place) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{place.rule}: {one['id']} {node['html'][:200]}" for one in found for node in one["nodes"][:3]]


def test_every_page_works_without_scripts(browser: Browser, office: Office) -> None:
    """It says what it has to say, and the first form on it is taken or told what is wrong with it.

    What the first form of a waiting thread does takes it from the list: the other test looks at another thread.
    """
    contexts = opened(browser, office, java_script_enabled=False)
    signed_in, nobody = (context.new_page() for context in contexts)
    found, sent = [], 0
    for place in office.places:
        page = nobody if place.rule in NOBODY else signed_in
        place = place._replace(address=place.address.replace("/town:1", "/town:2"))
        found += shown(page, place)
        button = filled_in(page)
        if button:
            found += pressed(page, place, button)
            sent += 1
    for context in contexts:
        context.close()
    assert found == []
    assert sent > 20


def pressed(page: Page, place: Place, button: Locator) -> list[str]:
    """Press the button; whether it was neither taken nor told what is wrong."""
    try:
        with page.expect_navigation() as answer:
            button.click()
    except TimeoutError:
        return [f"{place.rule}: its form goes nowhere"]
    status = answer.value.status
    if status not in (200, 422) or page.locator("h1").count() != 1:
        return [f"{place.rule}: its form is answered with {status}"]
    told = status == 200 or page.locator(".problem, .card.wrong").count()
    return [] if told else [f"{place.rule} does not say what is wrong with its form"]


def filled_in(page: Page) -> Locator | None:
    """Fill in the first form of the page that is not behind a question; its button."""
    forms = page.locator("main form:not(.confirm form):not([hidden])").filter(has=page.locator("button:enabled"))
    if not forms.count():
        return None
    form = forms.first
    for field in form.locator("input[required], textarea[required]").all():
        if field.get_attribute("type") == "file":
            field.set_input_files({"name": "menu.yaml", "mimeType": "text/yaml", "buffer": b"brand: [\n"})
        elif not field.input_value():
            field.fill(FILLED.get(field.get_attribute("type") or "", "Just so"))
    return form.locator("button:enabled").first
