"""A month in Chromium: rates entered, the month settled, then closed and signed by somebody else, its files opened, and
one figure followed to the call that it came from."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from playwright.sync_api import BrowserContext, Locator, Page, expect
from pypdf import PdfReader

from tests.browser.chromium import Complaints, person, too_wide
from tests.browser.console.month import Month, filled
from tests.browser.console.people import joins, setup_link
from tests.browser.phone import PATIENCE_MS
from tests.browser.service import ROOT, Service, running

STORIES = ("text-solves-it", "agent-answers-after-the-key", "replies-two-and-comes-back")
BULK = 2500
REASON = "The feeds are in, and the figures were looked at"
CARD = """\
spans:
  - from: {first}
    currency: USD
    agents:
      billing: {{cost: 6.40, minutes: 6.5, owner: Ann, source: budget}}
      others: {{cost: 8.01, owner: Ann, source: budget}}
    prices:
      message: {{value: 0.0083, owner: Ann, source: carrier's invoice}}
      carrier_fee: {{value: 0.003, owner: Ann, source: carrier's invoice}}
      speech: {{value: 0.02, owner: Ann, source: carrier's invoice}}
      voice_minute: {{value: 0.0085, owner: Ann, source: carrier's invoice}}
    monthly:
      hosting: {{value: 40, owner: Ann, source: invoice}}
    cashable: {{value: 0.25, owner: Ann, source: agreed with planning}}
    gave_up: {{value: 0.1, owner: Ann, source: last year}}
"""


@pytest.fixture(scope="module")
def month(released: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Month, Path]:
    """A DATA_DIR that holds a month, and the month."""
    data_dir = tmp_path_factory.mktemp("month") / "var"
    subprocess.run(["cp", "-Rp", released, data_dir], check=True)
    return filled(data_dir, STORIES, BULK), data_dir


@pytest.fixture(scope="module")
def office(month: tuple[Month, Path]) -> Iterator[Service]:
    """The service, on that DATA_DIR."""
    with running(month[1]) as started:
        yield started


@pytest.fixture
def other(context: BrowserContext) -> Iterator[BrowserContext]:
    """The browser of a second person."""
    assert context.browser is not None
    opened = person(context.browser, viewport={"width": 1440, "height": 900}, accept_downloads=True)
    opened.set_default_timeout(PATIENCE_MS)
    complaints = Complaints(opened)
    yield opened
    opened.close()
    assert complaints == []


def test_a_month_is_closed_signed_opened_and_followed_to_a_call(
    context: BrowserContext, other: BrowserContext, office: Service, month: tuple[Month, Path]
) -> None:
    name, played = month[0].name, month[0].played
    ann, ben = context.new_page(), other.new_page()
    joins(ann, setup_link(office.data_dir, office.url), "Ann Lovelace", "ann@lumora.example")
    enters_the_rates(ann, office, CARD.format(first=month[0].first))
    assert "entries written" in flask(office, "settle", "--month", name)
    may_not_close_it(ann, office, name)
    joins(ben, setup_link(office.data_dir, office.url), "Ben Hopper", "ben@lumora.example")
    closes_it(ben, office, name)
    signed = json.loads(flask(office, "statement", name, "--format", "json"))
    the_signature_fits(ben, office, signed)
    the_page_shows(ben, signed["statement"])
    the_pdf_holds(downloaded(ben, "PDF"), signed)
    the_workbook_holds(downloaded(ben, "XLSX"), signed["statement"])
    assert json.loads(downloaded(ben, "JSON")) == signed
    leads_to_its_call(ben, "Confirmed: the caller said it is solved", "technical", played["text-solves-it"])
    the_story_is_told(ben)
    ben.goto(f"{office.url}/console/statements/{name}")
    the_headline_leads_to_callers(ben)


def flask(office: Service, *command: str) -> str:
    """What a command prints, at the installation of the running service."""
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATA_DIR": str(office.data_dir)}
    given = [sys.executable, "-m", "flask", "--app", "ivr.app", *command]
    done = subprocess.run(given, env=environ, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def enters_the_rates(page: Page, office: Service, card: str) -> None:
    """On the page; they stand."""
    page.goto(f"{office.url}/console/rates")
    page.fill("#field-yaml", card)
    page.fill("#field-why", "Budget of the year")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".flash", has_text="Rate card 1 stands.")).to_be_visible()
    expect(page.get_by_role("row", name="A contact in billing")).to_contain_text("6.4")


def may_not_close_it(page: Page, office: Service, month: str) -> None:
    """Who entered the rates finds no button."""
    page.goto(f"{office.url}/console/statements/{month}")
    expect(page.locator(".card.warn")).to_contain_text("Who published the rate card does not close the month")
    expect(page.get_by_text("Close for good")).to_have_count(0)
    expect(page.locator("h1")).to_have_text(f"Statement for {month} (draft, not closed)")


def closes_it(page: Page, office: Service, month: str) -> None:
    """Somebody else, with a reason."""
    page.goto(f"{office.url}/console/statements")
    page.get_by_role("link", name=month, exact=True).click()
    page.locator("summary", has_text="Close for good").click()
    page.locator(".confirm[open] input[name=why]").fill(REASON)
    page.locator(".confirm[open] button").click()
    expect(page.locator(".flash", has_text="The month is closed and signed.")).to_be_visible()
    expect(page.locator("h1")).to_have_text(f"Statement for {month}")
    expect(page.locator("section", has_text="What this statement could see")).to_contain_text(
        f"by Ben Hopper (staff:2): {REASON}"
    )
    expect(page.get_by_text("Close for good")).to_have_count(0)
    assert too_wide(page) == []


def the_signature_fits(page: Page, office: Service, signed: dict[str, Any]) -> None:
    """By the key that is published, without any code of ours; and `flask statement verify` knows the books."""
    key = base64.b64decode(page.request.get(f"{office.url}/console/finance/key").text())
    content = json.dumps(signed["statement"], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    Ed25519PublicKey.from_public_bytes(key).verify(base64.b64decode(signed["signature"]["value"]), content)
    file = office.data_dir / "signed.json"
    file.write_text(json.dumps(signed), "utf-8")
    assert "are those that were signed" in flask(office, "statement", "verify", str(file))


def people_read(cell: Any) -> str:
    """A cell of the signed statement as it is shown."""
    return f"{float(cell['number']):,.{len(cell['number'].partition('.')[2])}f}" if isinstance(cell, dict) else cell


def the_page_shows(page: Page, statement: dict[str, Any]) -> None:
    """Every table cell by cell, every sentence."""
    for part in statement["sections"]:
        section = page.locator(f"section[aria-labelledby='part-{part['key']}']")
        rows = [[cell.strip() for cell in row.locator("th, td").all_inner_texts()] for row in in_table(section)]
        assert rows == [[people_read(cell) for cell in row] for row in part["rows"]], part["key"]
        assert section.locator("p").all_inner_texts() == part["words"]


def in_table(section: Locator) -> list[Locator]:
    """The rows under its headings."""
    return section.locator("tbody tr").all()


def downloaded(page: Page, form: str) -> bytes:
    """The file behind a button of the page."""
    with page.expect_download() as download:
        page.locator(".acts").get_by_role("link", name=form, exact=True).click()
    return Path(download.value.path()).read_bytes()


def the_pdf_holds(raw: bytes, signed: dict[str, Any]) -> None:
    """Each sentence and figure; its pages are numbered."""
    pages = [page.extract_text() for page in PdfReader(BytesIO(raw)).pages]
    text = "".join("".join(pages).split())
    for part in signed["statement"]["sections"]:
        cells = [people_read(cell) for row in part["rows"] for cell in row]
        for one in (part["title"], *part["words"], *part["headings"], *cells):
            assert "".join(one.split()) in text, one
    assert signed["signature"]["value"] in text
    assert "DRAFT" not in text
    assert all(f"\n{n}" in page for n, page in enumerate(pages, 1))


def the_workbook_holds(raw: bytes, statement: dict[str, Any]) -> None:
    """Each table row by row, numbers as numbers."""
    sheet = openpyxl.load_workbook(BytesIO(raw))["Statement"]
    rows = [[cell for cell in row if cell not in (None, "")] for row in sheet.iter_rows(values_only=True)]
    for part in statement["sections"]:
        for row in part["rows"]:
            wanted = [float(cell["number"]) if isinstance(cell, dict) else cell for cell in row]
            assert [cell for cell in wanted if cell != ""] in rows, row


def leads_to_its_call(page: Page, line: str, queue: str, call_sid: str) -> None:
    """From a line of the books: its formula, its versions, its entries, and a fact that one of them rests on."""
    row = page.locator("section[aria-labelledby='part-lines-USD'] tr", has_text=line).filter(has_text=queue)
    entries = int(row.locator("td").nth(1).inner_text().replace(",", ""))
    row.get_by_role("link", name=line).click()
    expect(page.locator("h1")).to_contain_text(line)
    expect(page.locator("dl.pairs").first).to_contain_text("one less the haircut")
    found, rows = page.get_by_role("link", name=call_sid, exact=True), page.locator("tbody tr").count()
    while not found.count():
        page.get_by_role("link", name="More", exact=True).click()
        rows += page.locator("tbody tr").count()
    assert 0 < rows <= entries
    entry = page.locator("tbody tr").filter(has=found)
    expect(entry).to_contain_text("card 1, rules 1")
    expect(entry).to_contain_text("haircut")
    expect(found).to_have_attribute("href", f"/console/calls/{call_sid}")
    fact = entry.locator("a[href*='#fact-']").first
    number = fact.inner_text()
    fact.click()
    expect(page.locator(f"#fact-{number}:target")).to_contain_text(number)


def the_story_is_told(page: Page) -> None:
    """Turn by turn, and what it came to."""
    expect(page.locator("h1")).to_contain_text("The call of")
    for words in ("Router light stays red", "hung_up_in_queue", "said_solved"):
        expect(page.locator("ol.plain")).to_contain_text(words)


def the_headline_leads_to_callers(page: Page) -> None:
    """From the incremental figure: its formula, callers alike, and the call of one."""
    page.get_by_role("link", name="Incremental: contacts with agents avoided").click()
    expect(page.locator("dl.pairs").first).to_contain_text("The estimate of matured exposures")
    alike = page.locator("tbody tr").first.get_by_role("link")
    callers = int(alike.inner_text().replace(",", ""))
    alike.click()
    calls = page.locator("main ul.plain a")
    expect(calls).to_have_count(min(callers, 50))
    calls.first.click()
    expect(page.locator("ol.plain")).to_contain_text("The experiment drew a side")
