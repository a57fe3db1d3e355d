"""RSS 2.0, Atom 1.0 and JSON Feed 1.1 as sites serve them, and broken ones, over HTTP on this machine."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from search.records import Defaults
from search.sources import feeds
from search.sources.cleaning import clean_html
from search.sources.feeds import Feed
from search.sources.source import SourceError
from search.sources.thread import thread_from
from tests.search.sources.site import Pull, Site, place
from tests.search.sources.standins import Answer

LONG = (
    "<p>Hold the <b>reset pin</b> for ten seconds, then wait. "
    + "The light goes green after two minutes. " * 15
    + "</p>"
)
RSS = f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:creativeCommons="http://backend.userland.com/creativeCommonsRssModule">
<channel><title>Help</title><link>https://help.example/</link><language>en-us</language>
<creativeCommons:license>https://creativecommons.org/licenses/by/4.0/</creativeCommons:license>
<item><title>Router light stays red &amp; blinks</title><link>https://help.example/light</link>
<guid isPermaLink="false">light-1</guid><dc:creator>Dana K.</dc:creator><category>router</category>
<pubDate>Mon, 02 Nov 2026 10:00:00 +0100</pubDate>
<description>Short.</description><content:encoded><![CDATA[{LONG}]]></content:encoded></item>
<item><title>Bill</title><link>https://help.example/bill</link><description>Open the app.</description></item>
</channel></rss>"""
ATOM = f"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="es"><title>Ayuda</title><id>urn:feed</id>
<updated>2026-11-03T10:00:00Z</updated><rights>CC BY-SA 4.0</rights><author><name>Equipo</name></author>
<link rel="next" href="NEXT"/>
<entry><title>La luz roja</title><id>urn:light</id><link href="https://ayuda.example/luz"/>
<published>2026-11-01T10:00:00Z</published><updated>2026-11-03T10:00:00Z</updated>
<content type="html">{LONG.replace("<", "&lt;")}</content></entry></feed>"""


def json_feed(*items: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "Help", "items": items, **more}).encode()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    with site.running():
        yield site


def serve(site: Site, body: str | bytes, kind: str = "application/rss+xml") -> str:
    site.pages["/feed"] = (kind, body.encode() if isinstance(body, str) else body)
    return f"{site.url}/feed"


def test_an_rss_entry_is_an_article_with_author_licence_and_date(site: Site) -> None:
    light, bill = Pull(Feed(place(serve(site, RSS)))).raws
    assert (light.id, light.url, light.title) == (
        "light-1", "https://help.example/light", "Router light stays red & blinks",
    )  # fmt: skip
    assert (light.author, light.tags, light.language, light.solved) == ("Dana K.", ("router",), "en-us", True)
    assert light.licence == "https://creativecommons.org/licenses/by/4.0/"
    assert light.created == light.changed == datetime(2026, 11, 2, 9, tzinfo=UTC)
    assert [(one.html, one.accepted) for one in light.answers] == [(LONG, False)]
    assert (bill.id, bill.answers[0].html) == ("https://help.example/bill", "Open the app.")


def test_an_atom_entry_has_the_language_rights_and_author_of_its_feed(site: Site) -> None:
    [raw] = Pull(Feed(place(serve(site, ATOM.replace("NEXT", ""), "application/atom+xml")))).raws
    assert (raw.id, raw.url, raw.title) == ("urn:light", "https://ayuda.example/luz", "La luz roja")
    assert (raw.language, raw.licence, raw.author) == ("es", "CC BY-SA 4.0", "Equipo")
    assert (raw.created, raw.changed) == (
        datetime(2026, 11, 1, 10, tzinfo=UTC), datetime(2026, 11, 3, 10, tzinfo=UTC),
    )  # fmt: skip
    assert raw.answers[0].html == LONG


def test_a_json_feed_is_read(site: Site) -> None:
    item = {
        "id": "1", "url": "https://help.example/1", "title": "Red light", "content_html": LONG, "tags": ["router", 7],
        "date_published": "2026-11-01T10:00:00+02:00", "authors": [{"name": "Dana"}], "language": "en",
    }  # fmt: skip
    feed = json_feed(item, {"id": 2, "title": "Bill", "content_text": "Open it."}, {"id": "3"}, "no item")  # type: ignore[arg-type]
    one, two = Pull(Feed(place(serve(site, feed, "application/feed+json")))).raws
    assert (one.id, one.author, one.tags, one.language) == ("1", "Dana", ("router",), "en")
    assert one.created == datetime(2026, 11, 1, 8, tzinfo=UTC)
    assert (two.id, two.answers[0].text, two.answers[0].html) == ("2", "Open it.", "")


def test_an_item_with_a_bad_address_or_date_costs_none_of_the_others(site: Site) -> None:
    feed = json_feed(
        {"id": "1", "title": "Red light", "content_html": LONG, "url": "http://["},
        {"id": "2", "title": "Bill", "content_html": LONG, "date_published": "0001-01-01T00:00:00+23:59"},
        {"id": "3", "title": "Move", "content_html": LONG, "date_published": "2026-11-01t10:00:00.5z"},
    )
    one, two, three = Pull(Feed(place(serve(site, feed, "application/json")))).raws
    assert thread_from(one, Defaults()).url == ""
    assert (two.url, two.created) == ("", None)
    assert three.created == datetime(2026, 11, 1, 10, 0, 0, 500_000, tzinfo=UTC)


def test_an_entry_that_stands_twice_counts_as_it_stands_first(site: Site) -> None:
    feed = json_feed(
        *({"id": "1", "title": title, "content_html": LONG} for title in ("New", "Old")), next_url="/feed2"
    )
    older = json_feed({"id": "1", "title": "Oldest", "content_html": LONG}, next_url="/feed3")
    site.pages["/feed2"] = site.pages["/feed3"] = ("application/json", older)
    assert [raw.title for raw in Pull(Feed(place(serve(site, feed, "application/json")))).raws] == ["New"]
    assert site.paths() == ["/feed", "/feed2"]


def test_a_whole_text_is_not_replaced_by_its_page(site: Site) -> None:
    words = "Hold the reset pin for ten seconds. " * 20
    feed = json_feed({"id": "1", "url": "/light", "title": "Red light", "content_text": words})
    assert Pull(Feed(place(serve(site, feed, "application/json")))).raws[0].answers[0].text == words
    assert site.paths() == ["/feed"]


def test_an_unchanged_feed_is_asked_for_once_and_answers_304(site: Site) -> None:
    url = serve(site, RSS)
    first = Pull(Feed(place(url)))
    again = Pull(Feed(place(url, first.known)), first.cursor)
    assert (again.raws, again.cursor) == ([], first.cursor)
    assert "if-none-match" in site.asked[-1].headers


def test_only_what_changed_is_given_and_what_fell_out_stays(site: Site) -> None:
    url = serve(site, RSS)
    first = Pull(Feed(place(url)))
    serve(site, RSS.replace("Open the app.", "Open the new app.").replace("light-1", "light-2"))
    later = Pull(Feed(place(url, first.known)), first.cursor)
    assert [raw.id for raw in later.raws] == ["light-2", "https://help.example/bill"]
    assert (later.gone, later.listing) == ([], None)


def test_older_pages_are_followed_until_one_brings_nothing_new(site: Site) -> None:
    url = serve(site, ATOM.replace("NEXT", "/feed2"), "application/atom+xml")
    second = ATOM.replace("NEXT", "/feed").replace("urn:light", "urn:older")
    site.pages["/feed2"] = ("application/atom+xml", second.encode())
    first = Pull(Feed(place(url)))
    assert [raw.id for raw in first.raws] == ["urn:light", "urn:older"]
    site.paths()
    Pull(Feed(place(url, first.known)))
    assert site.paths() == ["/feed"]


def test_the_next_page_is_not_looked_for_on_another_host(site: Site) -> None:
    Pull(Feed(place(serve(site, json_feed({"id": "1", "title": "a", "content_html": LONG},
                                          next_url="http://169.254.169.254/"), "application/json"))))  # fmt: skip
    assert site.paths() == ["/feed"]


def test_a_teaser_is_replaced_by_its_page_when_that_can_be_read(site: Site) -> None:
    body = (
        "<html lang='en'><head><title>Red light</title></head><body><nav>Home</nav><article><h1>Red light</h1>" + LONG
    )
    site.pages["/light"] = ("text/html", (body + "</article></body></html>").encode())
    feed = json_feed(
        {"id": "1", "url": "/light", "title": "Red light", "summary": "Hold…"},
        {"id": "2", "url": "/gone", "title": "Bill", "summary": "Open the app."},
    )
    pulled = Pull(Feed(place(serve(site, feed, "application/json"))))
    assert pulled.raws[0].answers[0].text.endswith("The light goes green after two minutes.")
    assert pulled.raws[1].answers[0].text == "Open the app."
    assert pulled.skipped == [f"{site.url}/gone: {site.url}/gone is not there (it answered 404)"]


def test_a_page_that_could_not_be_asked_for_is_asked_for_by_a_later_pull(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "MAX_PAGES_ASKED", 1)
    words = "Hold the reset pin for ten seconds. " * 20
    for name in ("a", "b"):
        html = f"<html><head><title>Light {name}</title></head><body><article><p>{words}</p></article></body></html>"
        site.pages[f"/{name}"] = ("text/html", html.encode())
    feed = json_feed(*({"id": one, "url": f"/{one}", "title": one, "summary": "Hold…"} for one in ("a", "b")))
    url = serve(site, feed, "application/json")
    first = Pull(Feed(place(url)))
    assert [len(raw.answers[0].text) > 100 for raw in first.raws] == [True, False]
    site.broken = lambda asked, answer: Answer(500) if asked.path == "/b" else answer
    failed = Pull(Feed(place(url, first.known)), first.cursor)
    assert [raw.id for raw in failed.raws] == ["b"]
    site.broken = None
    serve(site, feed + b" ", "application/json")
    later = Pull(Feed(place(url, first.known | failed.known)), failed.cursor)
    assert [(raw.id, len(raw.answers[0].text) > 100) for raw in later.raws] == [("b", True)]


def test_a_feed_in_another_charset_is_read_right(site: Site) -> None:
    latin = RSS.replace("Bill", "Línea").replace("UTF-8", "ISO-8859-1").encode("latin-1")
    assert Pull(Feed(place(serve(site, latin)))).raws[1].title == "Línea"


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        ("Open&nbsp;it & wait.", "Open it & wait."),
        ("Open\x0b it.", "Open it."),
        ("&lt;p&gt;Café &amp;amp; &#233;t&eacute;.&lt;/p&gt;\x01", "Café & été."),
        ("<![CDATA[<p>a &amp; b</p>]]>\x01", "a & b"),
        ("<b>Open", "Open"),
    ],
)
def test_a_feed_with_a_slip_is_read_all_the_same(site: Site, slip: str, said: str) -> None:
    first, second = Pull(Feed(place(serve(site, RSS.replace("Open the app.", slip))))).raws
    assert clean_html(first.answers[0].html) == clean_html(LONG)
    assert clean_html(second.answers[0].html) == said


LAUGHS = '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><rss version="2.0">&b;</rss>'
XXE = '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss>&x;</rss>'


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        ("<!doctype html><html><body>Not here</body></html>", "text/html", "answered with text/html"),
        ("<!doctype html><html><body>Not here</body></html>", "text/xml", "no XML"),
        (LAUGHS, "text/xml", "declares entities"),
        (XXE, "text/xml", "declares entities"),
        (RSS[:1500], "text/xml", "cut off"),
        ("", "text/xml", "no XML"),
        ("<rss version='2.0'><channel><title>x</title></channel></rss>", "text/xml", "without entries"),
        ("<rss>" + "<item>" * 300_000 + "</rss>", "text/xml", "more elements"),
        ("{", "application/json", "broken or cut off"),
        ("[" * 100_000, "application/json", "no XML"),
        ('{"version": "1", "items": []}', "application/json", "no JSON Feed"),
        (json_feed(), "application/json", "without entries"),
        (json_feed({"id": "1"}, {"title": "x"}), "application/json", "without entries"),
        ("x" * 11_000_000, "text/xml", "bigger than 10 MB"),
    ],
    ids=range(14),
)
def test_a_broken_feed_gives_nothing_and_the_reason(site: Site, body: str | bytes, kind: str, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        Pull(Feed(place(serve(site, body, kind))))


@pytest.mark.parametrize(
    "items",
    [
        "<item><title>" + "x" * 9_000_000 + "</title><link>https://x.example</link></item>",
        "<item><title>" + "&" * 900_000 + "</title></item>",
        "<item><title>" + "<a" * 100_000 + "</title></item>",
        "<item " + " ".join(f"a{n}='1'" for n in range(50_000)) + "/>",
        "<item>" + "<b>" * 100_000 + "</item>",
        "<item><pubDate>" + "1 " * 200_000 + "</pubDate></item>",
        "<item><title>a\x00b</title></item>",
    ],
    ids=range(7),
)
def test_a_hostile_feed_hangs_nothing(site: Site, items: str) -> None:
    url = serve(site, f"<rss version='2.0'><channel>{items}</channel></rss>", "text/xml")
    start = time.process_time()
    with suppress(SourceError):
        Pull(Feed(place(url)))
    assert time.process_time() - start < 10


def test_lone_surrogates_in_json_do_no_harm(site: Site) -> None:
    body = b'{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"\\ud800","title":"a\\u0000","content_html":"x"}]}'
    assert len(Pull(Feed(place(serve(site, body, "application/json")))).raws) == 1
