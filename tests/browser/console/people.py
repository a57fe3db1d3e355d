"""A member of staff with an authenticator, in a browser."""

from dataclasses import dataclass
from pathlib import Path

import psycopg
import pyotp
from playwright.sync_api import Page, expect

from config import folders
from ivr.console import links
from models import site
from tests.browser.phone import PATIENCE_MS

expect.set_options(timeout=PATIENCE_MS)

PASSWORD = "lentil harbour 41 xylem"


@dataclass(frozen=True)
class Member:
    """What a person knows and holds. `secret` is what the authenticator was given."""

    name: str
    email: str
    secret: str

    def code(self) -> str:
        """What the authenticator shows now."""
        return pyotp.TOTP(self.secret).now()


def setup_link(data_dir: Path, url: str) -> str:
    """A link as `flask staff setup-link` prints it."""
    with psycopg.connect(folders.postgres_url(data_dir, 5432), autocommit=True) as connection:
        return links.address(url, links.setup_link(connection, site.now(connection)))


def joins(page: Page, link: str, name: str, email: str) -> Member:
    """Open a set-up link and make an administrator's account, by keyboard alone; signed in afterwards."""
    page.goto(link)
    member = Member(name, email, page.locator("p.mono").inner_text().replace(" ", ""))
    page.locator("#field-email").focus()
    for typed in (email, name, PASSWORD, member.code()):
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".codes li")).to_have_count(10)
    page.get_by_role("link", name="I have kept them").press("Enter")
    expect(page.locator("h1")).to_have_text("Today")
    return member
