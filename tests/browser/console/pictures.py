"""`python -m tests.browser.console.pictures`: makes the pictures of docs/console.md again, of a console in use."""

import tempfile
from pathlib import Path

from playwright.sync_api import Page, ViewportSize

from tests.browser.chromium import chromium, person
from tests.browser.console.people import joins, setup_link
from tests.browser.console.stock import stocked, wired
from tests.browser.phone import PATIENCE_MS
from tests.browser.pictures import take
from tests.browser.service import release, running

DESK: ViewportSize = {"width": 1200, "height": 900}
MOBILE: ViewportSize = {"width": 390, "height": 844}
SAID = "my phone does not work abroad since we landed"


def pages(page: Page, console: str, sample: dict[str, object]) -> None:
    """One after another, as an administrator sees them."""
    draft = f"/menus/draft/{sample['draft_id']}"
    sound = f"/menus/draft/{sample['sound_draft_id']}"
    for name, path, top in (
        ("today", "/today", ""),
        ("menus", "/menus", "#tree"),
        ("draft", draft, ""),
        ("rehearsal", f"{sound}/rehearsals/{sample['study_id']}", ""),
        ("mapping", "/mapping", ""),
        ("articles", "/articles", ""),
        ("review", "/reviews", ""),
        ("call", f"/calls/{sample['call_sid']}", ""),
        ("audit", "/audit", ""),
    ):
        page.goto(console + path)
        if top:
            page.locator(top).evaluate("element => element.scrollIntoView()")
        take(page, f"console-{name}")
    page.goto(f"{console}/try")
    page.fill("#field-words", SAID)
    page.select_option("#field-leaf", value="mobile-roaming")
    page.get_by_role("button", name="Look for it").click()
    page.locator("#found").evaluate("element => element.scrollIntoView()")
    take(page, "console-try")
    page.set_viewport_size(MOBILE)
    page.goto(f"{console}/menus")
    page.locator("#tree").evaluate("element => element.scrollIntoView()")
    take(page, "console-menus-mobile")


def main() -> None:
    """Take them on a service of their own, which leaves nothing behind."""
    with tempfile.TemporaryDirectory(prefix="offhold-pictures-") as folder:
        data_dir = Path(folder) / "var"
        release(data_dir)
        with running(data_dir) as service, chromium() as browser:
            with wired(data_dir) as wiring:
                sample = stocked(wiring, "Which router light?")
            context = person(browser, viewport=DESK)
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            joins(page, setup_link(data_dir, service.url), "Maria Ruiz", "maria@lumora.example")
            pages(page, f"{service.url}/console", dict(sample))
            context.close()


if __name__ == "__main__":
    main()
