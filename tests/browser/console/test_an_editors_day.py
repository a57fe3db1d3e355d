"""From the set-up link to the audit log, in a real browser: what an editor does on a first day."""

import re

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.chromium import tab_to, too_wide
from tests.browser.console.people import joins
from tests.browser.console.stock import calls, wired
from tests.browser.phone import PATIENCE_MS, Phone
from tests.browser.service import Service

MOBILE = "+12025550143"
BEFORE, AFTER = "For Internet, press 3.", "For Internet at home, press 3."
PUBLISHED, TAKEN_BACK = "Callers ask which Internet is meant", "It confused those who call from work"


def printed_link(service: Service) -> str:
    """The set-up link as the first start prints it."""
    found = re.search(r"http\S+/console/join/\S+", (service.data_dir / "log.txt").read_text())
    assert found, "no set-up link was printed"
    return found[0]


def go(page: Page, name: str) -> None:
    """To another page by the list of pages."""
    page.locator("nav.side").get_by_role("link", name=name, exact=True).click()
    expect(page.locator("h1")).to_have_text(name)
    assert too_wide(page) == []


def test_an_editor_changes_the_menu_and_takes_it_back(context: BrowserContext, fresh: Service) -> None:
    with wired(fresh.data_dir) as wiring:
        calls(wiring)
    page = context.new_page()
    joins(page, printed_link(fresh), "Ada Byron", "ada@lumora.example")
    go(page, "Menus")
    is_told_of_a_file_that_is_too_large(page)
    begins_a_draft(page, "Which Internet")
    makes_an_error(page)
    mends_it(page)
    rehearses(page)
    publishes(page)
    hears(context, fresh, AFTER)
    goes_back(page)
    hears(context, fresh, BEFORE)
    reads_the_audit_log(page)


def is_told_of_a_file_that_is_too_large(page: Page) -> None:
    """Before it is sent, beside the field, and what was typed stays."""
    field = page.locator("input[type=file]")
    field.set_input_files({"name": "menu.yaml", "mimeType": "text/yaml", "buffer": bytes(16_000_001)})
    assert field.evaluate("field => field.validationMessage") == "This file is too large: an upload takes 16 MB."
    page.get_by_role("button", name="Import the file").click()
    expect(page.locator("h1")).to_have_text("Menus")
    field.set_input_files([])


def begins_a_draft(page: Page, name: str) -> None:
    """By keyboard."""
    tab_to(page, "#field-name")
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(name)


def edits(page: Page, at: str) -> None:
    """To the form of one choice."""
    page.locator(f"a.button[href$='choice?at={at}']").press("Enter")
    expect(page.locator("h1")).to_contain_text("Choice ")


def makes_an_error(page: Page) -> None:
    """A key that is taken already."""
    edits(page, "internet")
    page.locator("#field-label-en").fill("Internet at home")
    page.get_by_role("button", name="Save the choice").press("Enter")
    edits(page, "email-tv")
    page.locator("#field-key").fill("3")
    page.get_by_role("button", name="Save the choice").press("Enter")
    expect(page.locator("h1")).to_have_text("Which Internet")


def mends_it(page: Page) -> None:
    """It stands at its place and in the list, and nothing can be published meanwhile."""
    expect(page.locator("li .finding.bad", has_text="key 3 already belongs to choice")).to_be_visible()
    expect(page.locator("#problems")).to_contain_text("this draft from being published")
    assert too_wide(page) == []
    page.locator(".sections").get_by_role("link", name="Publish").click()
    expect(page.get_by_role("button", name="Publish this draft")).to_have_count(0)
    page.locator(".findings").get_by_role("link", name="Mend it").first.click()
    page.locator("#field-key").fill("4")
    page.get_by_role("button", name="Save the choice").press("Enter")
    expect(page.locator(".flash", has_text="Nothing is wrong with this draft.")).to_be_visible()
    edits(page, "mobile.voicemail")
    page.locator("#field-never_offer").press("Space")
    page.get_by_role("button", name="Save the choice").press("Enter")
    expect(page.locator("li[data-at='mobile.voicemail']")).to_contain_text("no offers here")


def rehearses(page: Page) -> None:
    """Over the calls of the last weeks; the page goes on by itself."""
    page.locator(".sections").get_by_role("link", name="Rehearse").click()
    page.get_by_role("button", name="Rehearse").press("Enter")
    told = page.locator("#now .lead")
    expect(told).to_contain_text("calls would be found something else", timeout=2 * PATIENCE_MS)
    assert not told.inner_text().startswith("0 of"), told.inner_text()
    expect(page.get_by_role("group", name="By leaf")).to_contain_text("voicemail")
    assert too_wide(page) == []
    page.get_by_role("link", name="Go on to publish").press("Enter")


def publishes(page: Page) -> None:
    """With a reason."""
    expect(page.locator("h1")).to_have_text("Publish")
    tab_to(page, "#field-why")
    page.keyboard.type(PUBLISHED)
    page.keyboard.press("Enter")
    expect(page.locator(".flash", has_text="Version 2 is live")).to_be_visible()


def hears(context: BrowserContext, service: Service, words: str) -> None:
    """The next call does."""
    page = context.new_page()
    phone = Phone(page, service).fast()
    phone.call(MOBILE)
    phone.hears(words)
    phone.hangs_up()
    page.close()


def goes_back(page: Page) -> None:
    """One click, and why; Escape takes the question back."""
    page.get_by_role("link", name="All versions").click()
    question, why = page.locator("summary", has_text="Go back to version 1"), page.locator(".confirm[open] [name=why]")
    question.press("Enter")
    why.press("Escape")
    expect(why).to_have_count(0)
    expect(question).to_be_focused()
    question.press("Enter")
    why.fill(TAKEN_BACK)
    page.locator(".confirm[open] button").press("Enter")
    expect(page.locator(".flash", has_text="Version 1 is live again, as version 3.")).to_be_visible()


def reads_the_audit_log(page: Page) -> None:
    """All of the day, the latest first, each with who and why."""
    go(page, "Audit log")
    told = page.locator("article.card").all_inner_texts()
    kinds = [one.partition(" · ")[0] for one in told]
    assert kinds[0] == "Went back to an earlier menu", kinds
    assert TAKEN_BACK in told[0]
    assert "Ada Byron" in told[0]
    (published,) = [one for one in told if PUBLISHED in one]
    assert published.startswith("Published a menu")
    assert "Ada Byron" in published
