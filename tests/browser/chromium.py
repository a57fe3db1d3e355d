"""Chromium, and what is wrong with a page it shows."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDTHS = (360, 768, 1440)
REPORT_BREACHES = """
document.addEventListener("securitypolicyviolation", (breach) =>
  console.error(`policy: ${breach.violatedDirective} refused ${breach.blockedURI}`));
"""


def executable() -> str:
    """The setting CHROMIUM, or one on PATH."""
    names = (os.environ.get("CHROMIUM", ""), *NAMES)
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    assert found, "No Chromium: set CHROMIUM to the path of one (tests/chromium.sh finds or installs it)."
    return found


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """One browser without a window, with `more` arguments."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=[*QUIET, *more])
        try:
            yield browser
        finally:
            browser.close()


def person(browser: Browser, **more: Any) -> BrowserContext:
    """A context that does not call itself a machine: the service would count its visits as a scanner's."""
    name = (
        f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{browser.version} Safari/537.36"
    )
    return browser.new_context(user_agent=name, **more)


class Complaints(list[str]):
    """What the pages of a context complained of: errors of scripts, of their policy, of what they fetched."""

    def __init__(self, context: BrowserContext) -> None:
        super().__init__()
        context.add_init_script(REPORT_BREACHES)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.append(f"script: {error.error}"))
        context.on("response", lambda got: self.append(f"{got.status}: {got.url}") if got.status >= 400 else None)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.append(f"{message.type}: {message.text}")


def too_wide(page: Page, widths: Sequence[int] = WIDTHS) -> list[str]:
    """Where the page would have to be scrolled sideways. Leaves it as wide as it was."""
    before = page.viewport_size
    assert before is not None
    found = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        needed = page.evaluate("document.documentElement.scrollWidth")
        if needed > width:
            found.append(f"{page.url} needs {needed} pixels of {width}")
    page.set_viewport_size(before)
    return found


def tab_to(page: Page, selector: str, most: int = 80) -> None:
    """Go there with the Tab key alone; fails for what the keyboard cannot reach."""
    here = f"document.activeElement === document.querySelector({selector!r})"
    for _ in range(most):
        if page.evaluate(here):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the Tab key does not reach {selector}")
