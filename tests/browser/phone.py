"""The test phone's page in the hands of a person who has a keyboard only."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.chromium import tab_to
from tests.browser.service import Service

PATIENCE_MS = 60_000
TYPED_AHEAD_MS = 2000
"""A key within 1.5 s of the offer counts as typed before it was heard: by the service's clock, which the page's speed
does not quicken."""


class Phone:
    """One call after another on the page."""

    def __init__(self, page: Page, service: Service) -> None:
        self.page, self.call_sid = page, ""
        page.goto(service.phone_url)

    def fast(self) -> "Phone":
        """Five times as fast, for this service."""
        return self._speed("true")

    def as_people_speak(self) -> "Phone":
        """For a sentence: the five seconds in which it must begin are one at five times the speed."""
        return self._speed("false")

    def _speed(self, pressed: str) -> "Phone":
        button = self.page.locator("#speed")
        if button.get_attribute("aria-pressed") != pressed:
            button.click()
        expect(button).to_have_attribute("aria-pressed", pressed)
        return self

    def call(self, number: str) -> None:
        """Call from `number`, by the keyboard."""
        self.page.select_option("#from", number)
        tab_to(self.page, "#call")
        with self.page.expect_response("**/desk/call") as answer:
            self.page.keyboard.press("Enter")
        self.call_sid = answer.value.json()["call"]

    def hears(self, words: str | re.Pattern[str]) -> Locator:
        """Wait until this was said."""
        said = self.page.locator("#log .say .words", has_text=words).last
        expect(said).to_be_visible(timeout=PATIENCE_MS)
        return said

    def press(self, key: str) -> None:
        """One key of the keyboard, wherever the focus is but in a field."""
        tab_to(self.page, "#hangup")
        self.page.keyboard.press(key)
        expect(self.page.locator("#log .dtmf .words").last).to_have_text(key, timeout=PATIENCE_MS)

    def says(self, words: str) -> None:
        """One sentence, typed."""
        tab_to(self.page, "#words")
        self.page.keyboard.insert_text(words)
        self.page.keyboard.press("Enter")
        expect(self.page.locator("#log .speech .words").last).to_have_text(words, timeout=PATIENCE_MS)

    def takes_the_offer(self) -> None:
        """Hear the offer and press 1."""
        self.hears("While you hold:")
        self.page.wait_for_timeout(TYPED_AHEAD_MS)
        self.press("1")
        self.hears("It has arrived")

    def replies(self, words: str) -> None:
        """Answer the last text."""
        tab_to(self.page, "#body")
        self.page.keyboard.type(words)
        self.page.keyboard.press("Enter")

    def gets(self, count: int) -> Locator:
        """Wait for the handset's received texts to be so many; gives the last one."""
        texts = self.page.locator("#texts li:not(.mine)")
        expect(texts).to_have_count(count, timeout=PATIENCE_MS)
        return texts.last

    def opens(self, link: Locator) -> Page:
        """Follow a link that opens a page of its own."""
        with self.page.context.expect_page() as opened:
            link.click()
        opened.value.wait_for_load_state()
        return opened.value

    def is_answered(self) -> Page:
        """An agent answers; gives the page the agent has before them."""
        self.page.get_by_role("button", name="An agent answers").click()
        link = self.page.locator("#agentpage")
        expect(link).to_be_visible(timeout=PATIENCE_MS)
        return self.opens(link)

    def hangs_up(self) -> None:
        """The end of the call."""
        self.page.locator("#hangup").click()
        expect(self.page.locator("#call")).to_be_visible(timeout=PATIENCE_MS)
