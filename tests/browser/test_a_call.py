"""Two calls on the real service in a real browser: one ends with "This solved it", the other with an agent."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import Complaints, person, too_wide
from tests.browser.phone import PATIENCE_MS, Phone
from tests.browser.service import Service

MOBILE, SECOND_MOBILE, LANDLINE = "+12025550143", "+12125550187", "+13105550112"
SENTENCE = "the router light blinks white but nothing is online"
READS_MS = 3500  # who is quicker than 3 s after the text was sent is taken for a machine
TOLD_AGAIN = {"announced"}  # as often as the position falls while the test looks


def names(service: Service, call_sid: str) -> list[str]:
    return [fact.name for fact in service.facts(call_sid) if fact.name not in TOLD_AGAIN]


def wait_for_fact(page: Page, service: Service, call_sid: str, name: str) -> None:
    for _ in range(PATIENCE_MS // 100):
        if name in names(service, call_sid):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"no {name} among {names(service, call_sid)}")


def test_a_caller_takes_the_text_reads_it_and_says_it_solved_it(
    phone: Phone, service: Service, browser: Browser
) -> None:
    phone.call(MOBILE)
    phone.hears("Welcome to Lumora.")
    phone.press("3")
    phone.hears("For a red light on the router, press 1.")
    phone.as_people_speak().press("2")
    phone.hears("In a sentence, what is going on?")
    phone.says(SENTENCE)
    phone.fast()
    phone.hears("You are now in line for technical support.")
    offer = phone.hears("While you hold:").inner_text()
    assert re.search(r"fixed '.+'.+To get the steps by text, press 1\.", offer), offer
    assert len(offer.split()) <= 40, offer
    phone.takes_the_offer()
    text = phone.gets(1)
    expect(text).to_contain_text(re.compile(r"^Lumora: .+ Reply 1 solved, 2 not\. STOP to end, HELP for help"))
    assert too_wide(phone.page) == []

    phone.page.wait_for_timeout(READS_MS)
    article = phone.opens(text.locator("a"))
    expect(article.locator("h1")).to_have_text("Router says not online in the app")
    expect(article.locator("main")).to_contain_text("Restart the router from its own power switch")
    assert too_wide(article) == []
    article.get_by_role("button", name="This solved it").click()
    expect(article.locator("main")).to_contain_text("Thank you for telling us.")
    assert too_wide(article) == []

    link = text.locator("a").get_attribute("href") or ""
    read_without_scripts(browser, link)
    phone.hangs_up()
    wait_for_fact(phone.page, service, phone.call_sid, "call_ended")
    assert names(service, phone.call_sid) == [
        *("call_started", "menu_chosen", "menu_chosen", "described", "match_found", "held"),
        *("eligible", "assigned", "offered", "accepted", "text_queued", "sent", "delivered"),
        *("clicked", "said_solved", "said_not", "hung_up_in_queue", "call_ended"),
    ]


def read_without_scripts(browser: Browser, link: str) -> None:
    """The same link on a telephone that runs no script: the page is whole and its buttons work."""
    context = person(browser, java_script_enabled=False, viewport={"width": 360, "height": 740})
    complaints = Complaints(context)
    requests: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: requests.append(request.url))
    page.goto(link)
    assert requests == [link]
    expect(page.locator("h1")).to_have_text("Router says not online in the app")
    page.get_by_role("button", name="I still need help").click()
    expect(page.locator("main")).to_contain_text("Call +1 500-555-0006 and press 1 to go straight to a person")
    assert page.locator("a[href^='tel:']").get_attribute("href") == "tel:+15005550006"
    context.close()
    assert complaints == []


def test_an_agent_reads_in_one_sentence_what_the_caller_did(phone: Phone, service: Service) -> None:
    phone.as_people_speak().call(SECOND_MOBILE)
    phone.hears("Welcome to Lumora.")
    phone.says("my internet is down")
    phone.hears("For a red light on the router, press 1.")
    phone.press("2")
    phone.hears("In a sentence, what is going on?")
    phone.says(SENTENCE)
    phone.fast()
    phone.takes_the_offer()
    phone.gets(1)
    phone.replies("2")
    expect(phone.gets(2)).to_contain_text("+15005550006")
    agent = phone.is_answered()
    expect(agent.locator(".card .words")).to_have_text(
        "Chose Internet, then a router that is not online; said “the router light blinks white but nothing is online”;"
        " was offered “Router says not online in the app”, asked for it by text (says that it did not help)."
    )
    assert too_wide(agent) == []
    phone.hears("Connecting you now.")
    expect(phone.page.locator("#status")).to_have_text("Talking")
    assert too_wide(phone.page) == []
    phone.hangs_up()
    wait_for_fact(phone.page, service, phone.call_sid, "call_ended")
    expect(agent.locator("#live")).to_contain_text("This call is over.", timeout=PATIENCE_MS)
    assert names(service, phone.call_sid)[-5:] == [
        *("said_not", "replied", "agent_connected", "agent_ended", "call_ended"),
    ]


def test_a_call_ends_with_the_page_it_was_made_on(phone: Phone, service: Service) -> None:
    """Else it would stand at the front of the queue, and the next "An agent answers" would take it."""
    phone.call(LANDLINE)
    phone.hears("Welcome to Lumora.")
    phone.press("0")
    phone.hears("You are now in line")
    phone.page.goto("about:blank")
    wait_for_fact(phone.page, service, phone.call_sid, "hung_up_in_queue")
