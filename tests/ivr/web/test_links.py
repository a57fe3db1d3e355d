"""The article's page: small, quiet about the caller, and counting people only."""

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient

from ivr.web.links import MISSES_A_MINUTE, web_address
from ivr.wiring import Wiring
from models import articles, facts
from search.article import Answer, Article
from tests.ivr.web.conftest import CALL, CALLED, RED_LIGHT, Clock

SCANNERS = (
    "facebookexternalhit/1.1 Facebot Twitterbot/1.0",
    "WhatsApp/2.24",
    "Googlebot/2.1",
    "python-requests/2.32",
)


def happened(wiring: Wiring) -> list[tuple[str, object]]:
    """(fact, its `how`, `why` or `to`) of the call."""
    with wiring.pool.connection() as conn:
        return [
            (fact.name, fact.data.get("how") or fact.data.get("why") or fact.data.get("to"))
            for fact in facts.of_call(conn, CALL)
            if fact.name != "text_queued"
        ]


class Links(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action")]


def test_the_page_has_title_author_steps_and_ways_on_in_one_small_request(browser: FlaskClient, token: str) -> None:
    answer = browser.get(f"/r/{token}")
    page = answer.text
    assert answer.status_code == 200
    assert len(answer.data) < 30_000
    assert "<h1>Router light stays red</h1>" in page
    assert "Mei-Ling Chow" in page
    assert "<p>Pull the power cord for one full minute, then plug it in again.</p>" in page
    assert "<ol><li>Wait until the light blinks white.</li><li>Leave it alone for five minutes.</li></ol>" in page
    assert "Still red? &lt;b&gt;Check&lt;/b&gt; the white plug." in page
    here = f"/r/{token}"
    assert Links(page).addresses == [
        "data:,",
        f"{here}/solved",
        f"{here}/help",
        f"{here}/community",
        "https://community.lumora.example/t/router-light-red",
    ]
    assert page.index("This solved it") < page.index("I still need help") < page.rindex("router-light-red")
    assert not {"img", "link rel=stylesheet", "iframe"} & set(Links(page).tags)


def test_the_page_is_kept_nowhere_and_runs_only_what_is_ours(browser: FlaskClient, token: str) -> None:
    headers = browser.get(f"/r/{token}").headers
    policy = headers["Content-Security-Policy"]
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-\S+'; script-src 'sha256-\S+'; connect-src 'self'; img-src data:;"
        r" form-action 'self' https://community\.lumora\.example; base-uri 'none'; frame-ancestors 'none'",
        policy,
    )
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Robots-Tag"] == "noindex, nofollow"
    assert "Set-Cookie" not in headers


def test_nothing_of_the_caller_is_on_any_of_the_pages(browser: FlaskClient, token: str) -> None:
    for answer in (
        browser.get(f"/r/{token}"),
        browser.post(f"/r/{token}/solved"),
        browser.post(f"/r/{token}/community"),
    ):
        seen = answer.text + str(answer.headers)
        for private in ("2025550143", CALL, "text-1", "your router", "key"):
            assert private not in seen.replace("keyboard", "")


def test_reading_the_page_is_no_click_and_seeing_it_for_three_seconds_is(
    browser: FlaskClient, token: str, wiring: Wiring
) -> None:
    browser.get(f"/r/{token}")
    assert happened(wiring) == []
    for _ in range(2):
        assert browser.post(f"/r/{token}/seen").status_code == 204
    assert happened(wiring) == [("clicked", "visible")]


def test_solved_is_said_once_thanked_every_time_and_counted_for_the_article(
    browser: FlaskClient, token: str, wiring: Wiring
) -> None:
    for _ in range(2):
        answer = browser.post(f"/r/{token}/solved")
        assert answer.status_code == 200
        assert f'<a href="/r/{token}">← Router light stays red</a>' in answer.text
    assert happened(wiring) == [("clicked", "tap"), ("said_solved", "tap")]
    with wiring.pool.connection() as conn:
        card = articles.card(conn, RED_LIGHT.id)
    assert card is not None
    assert card.helped == 1


def test_still_needing_help_gives_a_number_to_tap(browser: FlaskClient, token: str, wiring: Wiring) -> None:
    page = browser.post(f"/r/{token}/help").text
    assert f'href="tel:{CALLED}"' in page
    assert happened(wiring) == [("clicked", "tap"), ("said_not", "tap")]


@pytest.mark.parametrize("answered", ["solved", "help"])
def test_the_address_of_an_answer_opened_anew_leads_back_and_says_nothing(
    browser: FlaskClient, token: str, wiring: Wiring, answered: str
) -> None:
    opened = browser.get(f"/r/{token}/{answered}")
    assert (opened.status_code, opened.headers["Location"]) == (303, f"/r/{token}")
    assert happened(wiring) == []


def test_the_community_is_the_plans_and_a_fact(browser: FlaskClient, token: str, wiring: Wiring) -> None:
    answer = browser.post(f"/r/{token}/community?to=https://evil.example", data={"url": "//evil.example"})
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("https://community.lumora.example")
    assert browser.post(f"/r/{token}/source").status_code == 204
    assert happened(wiring) == [
        ("clicked", "tap"),
        ("community_visited", "community"),
        ("community_visited", "source"),
    ]


@pytest.mark.parametrize("agent", SCANNERS)
def test_machines_are_recorded_and_never_counted(browser: FlaskClient, token: str, wiring: Wiring, agent: str) -> None:
    for _ in range(2):
        assert browser.get(f"/r/{token}", headers={"User-Agent": agent}).status_code == 200
    browser.post(f"/r/{token}/seen", headers={"User-Agent": agent})
    assert happened(wiring) == [("link_scanned", "known_scanner")]


def test_a_head_and_a_prefetch_are_machines(browser: FlaskClient, token: str, wiring: Wiring) -> None:
    assert browser.head(f"/r/{token}").data == b""
    browser.get(f"/r/{token}", headers={"Sec-Purpose": "prefetch;prerender"})
    assert happened(wiring) == [("link_scanned", "head"), ("link_scanned", "prefetch")]


def test_unknown_misspelt_and_old_links_get_the_same_calm_page(browser: FlaskClient, token: str, clock: Clock) -> None:
    unknown = browser.get("/r/zzzzzzzzzzz")
    assert unknown.status_code == 404
    assert "There is no page here" in unknown.text
    clock.now += timedelta(days=30)
    old = browser.get(f"/r/{token}")
    for other in (old, browser.get("/r/x'--"), browser.get("/r/%00%ff"), browser.post("/r/zzzzzzzzzzz/solved")):
        assert (other.status_code, other.text) == (404, unknown.text)


def test_a_withdrawn_article_is_gone_in_words(browser: FlaskClient, token: str, wiring: Wiring) -> None:
    with wiring.pool.connection() as conn:
        articles.withdraw(conn, [RED_LIGHT.id])
    answer = browser.get(f"/r/{token}")
    assert answer.status_code == 410
    assert 'href="tel:+' in answer.text  # to a person, whose number stands there
    assert "Lumora" in answer.text
    assert RED_LIGHT.title not in answer.text


def test_guessing_waits_a_minute_and_others_do_not(browser: FlaskClient, token: str, wiring: Wiring) -> None:
    guesser = {"X-Forwarded-For": "6.6.6.6, 203.0.113.9"}
    for n in range(MISSES_A_MINUTE):
        assert browser.get(f"/r/zzzzzzzz{n:03}", headers=guesser).status_code == 404
    refused = browser.get(f"/r/{token}", headers={"X-Forwarded-For": "7.7.7.7, 203.0.113.9"})
    assert refused.status_code == 429
    assert "One moment" in refused.text
    assert browser.get(f"/r/{token}", headers={"X-Forwarded-For": "203.0.113.10"}).status_code == 200
    wiring.redis.flushall()
    assert browser.get(f"/r/{token}", headers=guesser).status_code == 200


def test_the_page_does_without_redis(browser: FlaskClient, token: str, wiring: Wiring) -> None:
    from ivr import board

    wiring.redis = board.connect("redis://127.0.0.1:1/0")
    assert browser.get(f"/r/{token}").status_code == 200
    assert browser.get("/r/zzzzzzzzzzz").status_code == 404


def test_hostile_articles_stay_text_and_small(browser: FlaskClient, token: str, wiring: Wiring) -> None:
    nasty = "</style><script>alert(1)</script>\"'&{{7*7}}\u202e " * 40
    hostile = Article(
        id=RED_LIGHT.id,
        title="<img src=x onerror=alert(1)>",
        question="?",
        answers=(Answer(f"1. {nasty}\n" * 400, "<b>Eve</b>", 1, True),),
        url="javascript:alert(1)",
        language="en",
        licence="<i>",
        name_authors=True,
    )
    with wiring.pool.connection() as conn:
        articles.upsert_many(conn, [hostile], "tests")
    answer = browser.get(f"/r/{token}")
    assert len(answer.data) < 30_000
    assert Links(answer.text).tags.count("script") == 1
    assert "img" not in Links(answer.text).tags
    assert "javascript:" not in answer.text
    assert "{{7*7}}" in answer.text


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "//evil.example", "https:evil", "\\\\evil", "https://a@evil.example/", "", "ftp://a.b/",
     "https://a.example/\r\nX: y", "https://[::1", "http://a.example:99999999/", "https://a.example/ b"],
)  # fmt: skip
def test_what_is_no_plain_web_address_is_never_a_link(url: str) -> None:
    assert not web_address(url)


def test_a_page_that_fails_says_so_with_a_number(browser: FlaskClient, token: str, wiring: Wiring) -> None:
    wiring.pool.close()
    answer = browser.get(f"/r/{token}")
    assert answer.status_code == 500
    assert re.search(r'<p class="soft">[0-9a-f]{8}</p>', answer.text)
    assert "Traceback" not in answer.text
