"""`python -m tests.browser.console.pictures`: makes the pictures of every page of a console in use, and
docs/console-pages.md, which shows them."""

import base64
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from bench import bulk
from ivr.call.plan import Leaf
from ivr.console import finance, menus
from ivr.jobs.settle_ledger import settle_ledger
from ivr.jobs.summarize import rebuild
from ivr.planfile.read import read_plan
from ivr.planfile.store import STARTER
from ivr.wiring import Wiring
from models import erase
from tests.browser.chromium import chromium, person
from tests.browser.console.people import joins, setup_link
from tests.browser.console.stock import WHO, stocked, wired
from tests.browser.console.test_every_page import address
from tests.browser.phone import PATIENCE_MS
from tests.browser.pictures import FOLDER
from tests.browser.service import ROOT, release, running

PAGE_OF_DOCS = ROOT / "docs" / "console-pages.md"
DESK: ViewportSize = {"width": 1200, "height": 900}
MOBILE: ViewportSize = {"width": 390, "height": 844}
TALLEST = 1300  # pixels of a page that a picture shows
QUALITY = 82
LARGEST = 150_000  # bytes
SAID = "my phone does not work abroad since we landed"
CALLS = 1200
BOOKED = 1500  # calls of the test phone's account, which the books of this installation hold
RATES = """\
window_days: 7
spans:
  - from: 2026-01-01
    currency: USD
    agents:
      others: {cost: 6.40, minutes: 6.5, owner: Ann Field, source: budget 2026}
    prices:
      message: {value: 0.0083, owner: Ann Field, source: the carrier's invoice}
      reply: {value: 0.0083, owner: Ann Field, source: the carrier's invoice}
    monthly:
      hosting: {value: 40, owner: Ann Field, source: invoice}
    cashable: {value: 0, owner: Ann Field, source: not agreed yet}
    gave_up: {value: 0.1, owner: Ann Field, source: last year}
"""


class Shown(NamedTuple):
    """A picture of a page: its name, and what it shows."""

    name: str
    words: str


#: by the rule of the page's address, in the order of docs/console-pages.md
PICTURES: Mapping[str, Shown] = {
    "/join/<token>": Shown("join", "Setting the console up with the one-time link"),
    "/sign-in": Shown("sign-in", "Signing in: address, password and code"),
    "/today": Shown("today", "Today: an incident, the switches, queues, what callers did, the health of each part"),
    "/today/incidents": Shown("incidents", "All incidents"),
    "/today/incidents/new": Shown("incident", "Reporting an incident: a message per language, the leaves, until when"),
    "/menus": Shown("menus", "Menus: the live menu as a tree, with what callers chose and what came of it"),
    "/menus/draft/<int:draft_id>": Shown("draft", "A draft: languages side by side, a problem at its place"),
    "/menus/draft/<int:draft_id>/choice": Shown("choice", "A choice of a draft"),
    "/menus/draft/<int:draft_id>/add": Shown("add", "A new choice"),
    "/menus/draft/<int:draft_id>/queues": Shown("queues", "Queues and hours of a draft"),
    "/menus/draft/<int:draft_id>/queue": Shown("queue", "A queue"),
    "/menus/draft/<int:draft_id>/hours": Shown("hours", "Opening hours"),
    "/menus/draft/<int:draft_id>/wording": Shown("wording", "The wording, languages side by side"),
    "/menus/draft/<int:draft_id>/text": Shown("text", "The same draft as text"),
    "/menus/draft/<int:draft_id>/rehearsals": Shown("rehearse", "Rehearsals of a draft"),
    "/menus/draft/<int:draft_id>/rehearsals/<int:study_id>": Shown("rehearsal", "What a rehearsal found"),
    "/menus/draft/<int:draft_id>/publish": Shown("publish", "Publishing a draft: what it changes"),
    "/menus/draft/<int:draft_id>/merge": Shown("merge", "Two texts of one draft put together"),
    "/menus/plans": Shown("versions", "All versions, each to go back to"),
    "/menus/plans/<int:version>": Shown("version", "A version: what it changed, and its text"),
    "/mapping": Shown("mapping", "Mapping: each leaf with the articles its callers get"),
    "/mapping/<leaf_id>": Shown("leaf", "A leaf: candidates with their chance and why"),
    "/try": Shown("try", "Try it: an article found, piece of evidence by piece"),
    "/articles": Shown("articles", "Articles, with what callers did with each"),
    "/articles/<article_id>": Shown("article", "An article: its source, its figures, its spoken short version"),
    "/sources": Shown("sources", "Sources, with the last error in words"),
    "/sources/new": Shown("source", "Adding a source"),
    "/reviews": Shown("review", "The review queue"),
    "/reviews/<article_id>": Shown("thread", "A thread that waits"),
    "/reviews/decided": Shown("decided", "What was decided lately"),
    "/calls": Shown("calls", "Calls"),
    "/calls/<call_sid>": Shown("call", "A call turn by turn"),
    "/calls/<call_sid>/replay": Shown("replay", "The same call on another menu"),
    "/savings": Shown("savings", "Savings: three numbers of a month, and its money"),
    "/funnel": Shown("funnel", "How far callers came, treated beside held out"),
    "/statements": Shown("statements", "Statements"),
    "/statements/<month>": Shown("statement", "A month's statement"),
    "/evidence/<month>/<figure>": Shown("evidence", "What a figure rests on"),
    "/rates": Shown("rates", "The rate card"),
    "/contacts": Shown("contacts", "Other channels"),
    "/metrics": Shown("metrics", "The metric dictionary"),
    "/voice": Shown("voice", "Voice: each sentence, by the voice or recorded"),
    "/voice/prompt": Shown("prompt", "A sentence and its recording"),
    "/voice/music": Shown("music", "Hold music"),
    "/voice/holidays": Shown("holidays", "Holidays"),
    "/settings": Shown("settings", "Settings: the checklist, the text for registration, webhooks, erasing a number"),
    "/settings/offers": Shown("offers", "Offer rules: the gate, the share without an offer, caps, quiet hours"),
    "/staff": Shown("staff", "Staff"),
    "/tokens": Shown("tokens", "API tokens"),
    "/audit": Shown("audit", "The audit log"),
    "/account": Shown("account", "One's own account"),
}
NOBODY = frozenset({"/join/<token>", "/sign-in"})
AFTER = frozenset({"/menus/plans", "/menus/draft/<int:draft_id>/merge", "/audit"})  # once something was published
SOUND = "/menus/draft/<int:draft_id>/publish"
MORE = (
    Shown("menus-mobile", "The tree on a telephone"),
    Shown("today-mobile", "Today on a telephone"),
    Shown("draft-es", "A draft with an error, in Spanish"),
)


def lifelike() -> list[bulk.Place]:
    """The ends of the starter menu, with articles of its community, and their questions as what callers say."""
    plan = read_plan(STARTER.read_bytes()).plan
    assert plan is not None
    lines = (STARTER.parent / "articles.jsonl").read_text("utf-8").splitlines()
    articles = [one for one in map(json.loads, lines) if one["language"] == "en"]
    return [_place(path, leaf, articles) for path, leaf in plan.leaves().values()]


def _place(path: tuple[str, ...], leaf: Leaf, articles: list[dict[str, Any]]) -> bulk.Place:
    words = set(leaf.id.split("-"))
    fitting = [one for one in articles if leaf.allowed_tags & {*one["tags"]}]
    best = sorted(fitting, key=lambda one: -len(words & {*one["id"].split("-")}))[:4]
    ids, titles = tuple(one["id"] for one in best), tuple(one["title"].lower() for one in best)
    return bulk.Place(leaf.id, path, leaf.queue, ids, titles)


def booked(wiring: Wiring) -> None:
    """Calls in the books, with a rate card."""
    with wiring.pool.connection() as conn, erase.unhurried(conn):
        bulk.fill(conn, BOOKED, seed=2, until=wiring.clock(), where=lifelike(), test=True, seal=wiring.numbers.seal)
        finance.publish(wiring, conn, WHO, RATES, "the first one")
    rebuild(wiring)
    settle_ledger(wiring)


def take(page: Page, name: str) -> None:
    """One picture, of the page's height but not above `TALLEST`. Fails when it is too heavy."""
    page.evaluate("document.activeElement.blur()")
    size = page.viewport_size
    assert size is not None
    height = page.evaluate("Math.round(document.documentElement.scrollHeight - scrollY)")
    page.set_viewport_size({"width": size["width"], "height": max(size["height"], min(height, TALLEST))})
    answer = page.context.new_cdp_session(page).send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    page.set_viewport_size(size)
    picture = base64.b64decode(answer["data"])
    assert len(picture) < LARGEST, f"{name} has {len(picture)} bytes"
    (FOLDER / f"console-{name}.webp").write_bytes(picture)
    print(f"docs/images/console-{name}.webp  {len(picture) // 1000} kB", flush=True)


def shows(page: Page, console: str, rule: str, sample: Mapping[str, object]) -> None:
    """Go to a page, and take its picture."""
    if rule == SOUND:
        sample = {**sample, "draft_id": sample["sound_draft_id"]}
    page.goto(console + address(rule, sample))
    if rule == "/try":
        page.fill("#field-words", SAID)
        page.select_option("#field-leaf", value="mobile-roaming")
        page.get_by_role("button", name="Look for it").click()
        page.locator("#found").evaluate("element => element.scrollIntoView()")
    take(page, PICTURES[rule].name)


def others(page: Page, console: str, sample: Mapping[str, object]) -> None:
    """On a telephone, and in Spanish."""
    page.set_viewport_size(MOBILE)
    page.goto(f"{console}/menus")
    page.locator("#tree").evaluate("element => element.scrollIntoView()")
    take(page, "menus-mobile")
    page.goto(f"{console}/today")
    take(page, "today-mobile")
    page.set_viewport_size(DESK)
    page.goto(f"{console}/menus/draft/{sample['draft_id']}")
    page.get_by_role("button", name="Español").click()
    take(page, "draft-es")


def told() -> Iterator[str]:
    """docs/console-pages.md, line by line."""
    yield "# The pages of the console"
    yield ""
    yield "Every page, with made-up calls of a company that does not exist; [console.md](console.md) explains them."
    yield "`python -m tests.browser.console.pictures` makes the pictures and this page again."
    for shown in (*PICTURES.values(), *MORE):
        yield ""
        yield f"## {shown.words}"
        yield f"![{shown.words}](images/console-{shown.name}.webp)"


def opened(browser: Browser) -> BrowserContext:
    context = person(browser, viewport=DESK)
    context.set_default_timeout(PATIENCE_MS)
    return context


def main() -> None:
    """Take them on a service of their own, which leaves nothing behind."""
    PAGE_OF_DOCS.write_text("\n".join(told()) + "\n", "utf-8")
    with tempfile.TemporaryDirectory(prefix="offhold-pictures-") as folder:
        data_dir = Path(folder) / "var"
        release(data_dir)
        with running(data_dir) as service, chromium() as browser, wired(data_dir) as wiring:
            booked(wiring)
            sample: dict[str, object] = {**stocked(wiring, "Which router light?", lifelike(), CALLS)}
            console, page = f"{service.url}/console", opened(browser).new_page()
            joins(page, setup_link(data_dir, service.url), "Maria Ruiz", "maria@lumora.example")
            sample["token"] = setup_link(data_dir, service.url).rpartition("/")[2]
            nobody = opened(browser).new_page()
            for rule in PICTURES:
                if rule not in AFTER:
                    shows(nobody if rule in NOBODY else page, console, rule, sample)
            others(page, console, sample)
            page.get_by_role("button", name="English").click()
            with wiring.pool.connection() as conn:
                sound = menus.draft(conn, int(str(sample["sound_draft_id"]))).draft
                menus.publish(conn, wiring, WHO, sound.id, sound.revision, "callers abroad want a person")
            for rule in AFTER:
                shows(page, console, rule, sample)
            browser.contexts[0].close()


if __name__ == "__main__":
    main()
