"""`python -m tests.browser.pictures`: makes the pictures of README.md and docs/a-call.md again, by taking the call."""

import tempfile
from pathlib import Path

from playwright.sync_api import Page, ViewportSize

from tests.browser.chromium import chromium, person
from tests.browser.phone import Phone
from tests.browser.service import ROOT, release, running

FOLDER = ROOT / "docs" / "images"
LINKS = "http://lumora.example"
"""The host in the text's link; the browser of the pictures finds the service there."""
DESK: ViewportSize = {"width": 1200, "height": 800}
MOBILE: ViewportSize = {"width": 390, "height": 800}
LARGEST = 300_000  # bytes
MUSIC_MS = 2500


def take(page: Page, name: str) -> None:
    """One picture. Fails when it is too heavy for a page of documentation."""
    page.evaluate("document.activeElement.blur()")
    size = len(page.screenshot(path=FOLDER / f"{name}.png"))
    assert size < LARGEST, f"{name}.png has {size} bytes"
    print(f"docs/images/{name}.png  {size // 1000} kB")


def call(phone: Phone) -> None:
    """The call of docs/a-call.md: menu, sentence, hold, offer, text, page, agent."""
    phone.call("+12025550143")
    phone.hears("For your mobile phone, press 1.")
    take(phone.page, "menu")
    phone.press("3")
    phone.hears("For a red light on the router, press 1.")
    phone.as_people_speak().press("2")
    phone.hears("In a sentence, what is going on?")
    phone.says("The router light blinks white but nothing is online")
    phone.fast()
    phone.hears("You are number 7 in line.")
    phone.page.wait_for_timeout(MUSIC_MS)
    take(phone.page, "hold")
    phone.takes_the_offer()
    phone.page.wait_for_timeout(MUSIC_MS)
    take(phone.page, "offer")
    article = phone.opens(phone.gets(1).locator("a"))
    article.set_viewport_size(MOBILE)
    take(article, "article")
    article.close()
    agent = phone.is_answered()
    agent.set_viewport_size({"width": 900, "height": 480})
    take(agent, "agent")
    phone.hangs_up()


def main() -> None:
    """Take the pictures on a service of their own, which leaves nothing behind."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="offhold-pictures-") as folder:
        data_dir = Path(folder) / "var"
        release(data_dir)
        with running(data_dir, LINK_BASE_URL=LINKS) as service:
            host = service.url.removeprefix("http://")
            with chromium(f"--host-resolver-rules=MAP lumora.example:80 {host}") as browser:
                context = person(browser, viewport=DESK)
                call(Phone(context.new_page(), service).fast())
                context.close()


if __name__ == "__main__":
    main()
