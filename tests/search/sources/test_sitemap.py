"""Sitemaps, their indexes, robots.txt and the pages they list, over HTTP on this machine; whole and broken."""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from search.sources.sitemap import Sitemap
from search.sources.source import SourceError
from tests.search.sources.site import Pull, Site, place
from tests.search.sources.standins import Answer, Asked

NS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
WORDS = "Hold the reset pin for ten seconds, then wait until the light goes green. " * 6


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    for name in ("light", "bill"):
        page(site, f"/help/{name}", f"Help with the {name}", f"About the {name}. {WORDS}")
    urlset(site, {"/help/light": "2026-11-01T10:00:00Z", "/help/bill": "2026-11-02"})
    with site.running():
        yield site


def page(site: Site, path: str, title: str, text: str, lang: str = "en") -> None:
    html = (
        f"<!doctype html><html lang={lang}><head><title>{title}</title>"
        "<meta name=author content='Dana Kay'></head><body>"
        f"<nav><a href=/>Home</a> <a href=/shop>Shop</a></nav>"
        f"<main><article><h1>{title}</h1><p>{text}</p></article></main>"
        "<footer>Cookies and imprint</footer></body></html>"
    )
    site.pages[path] = ("text/html; charset=utf-8", html.encode())


def urlset(site: Site, pages: dict[str, str], path: str = "/sitemap.xml") -> None:
    urls = "".join(
        f"<url><loc>{site.url}{url}</loc>" + (f"<lastmod>{at}</lastmod>" if at else "") + "</url>"
        for url, at in pages.items()
    )
    site.pages[path] = ("application/xml", f"<?xml version='1.0'?><urlset {NS}>{urls}</urlset>".encode())


def index(site: Site, *paths: str, path: str = "/sitemap.xml") -> None:
    maps = "".join(f"<sitemap><loc>{site.url}{one}</loc></sitemap>" for one in paths)
    site.pages[path] = ("application/xml", f"<?xml version='1.0'?><sitemapindex {NS}>{maps}</sitemapindex>".encode())


def pull(site: Site, before: Pull | None = None, *, full: bool = False, **options: str) -> Pull:
    where = place(site.url, before.known if before else None, full=full, **options)
    return Pull(Sitemap(where), before.cursor if before else None)


def test_a_listed_page_is_an_article_without_what_surrounds_it(site: Site) -> None:
    pulled = pull(site)
    light = next(raw for raw in pulled.raws if raw.id.endswith("light"))
    assert (light.id, light.title, light.author) == (f"{site.url}/help/light", "Help with the light", "Dana Kay")
    assert (light.language, light.solved, light.changed) == ("en", True, datetime(2026, 11, 1, 10, tzinfo=UTC))
    assert "About the light. Hold the reset pin" in light.answers[0].text
    assert not light.answers[0].accepted
    assert "Cookies" not in light.answers[0].text
    assert "Shop" not in light.answers[0].text
    assert pulled.listing == {f"{site.url}/help/light", f"{site.url}/help/bill"}


def test_the_same_sitemap_is_asked_for_once_and_a_moved_page_is_asked_for_again(site: Site) -> None:
    first = pull(site)
    site.paths()
    assert pull(site, first).raws == []
    assert site.paths() == ["/robots.txt", "/sitemap.xml"]
    urlset(site, {"/help/light": "2026-11-05", "/help/bill": "2026-11-02"})
    assert [raw.id for raw in pull(site, first).raws] == [f"{site.url}/help/light"]
    assert site.paths() == ["/robots.txt", "/sitemap.xml", "/help/light"]


def test_a_page_listed_no_more_and_one_that_is_not_there_are_gone(site: Site) -> None:
    first = pull(site)
    urlset(site, {"/help/light": "2026-11-05"})
    assert pull(site, first).listing == {f"{site.url}/help/light"}
    urlset(site, {"/help/light": "2026-11-06", "/help/bill": "2026-11-06"})
    del site.pages["/help/light"]
    later = pull(site, first)
    assert later.gone == [f"{site.url}/help/light"]
    assert later.listing == {f"{site.url}/help/bill"}


def test_pages_without_a_lastmod_are_asked_for_again_in_a_full_pull_by_their_etag(site: Site) -> None:
    urlset(site, {"/help/light": "", "/help/bill": ""})
    first = pull(site)
    page(site, "/help/bill", "Help with the bill", f"New. {WORDS}")
    site.paths()
    assert pull(site, first).raws == []
    assert "/help/bill" not in site.paths()
    assert [raw.id for raw in pull(site, first, full=True).raws] == [f"{site.url}/help/bill"]


def test_an_index_with_packed_sitemaps_is_walked_three_deep(site: Site) -> None:
    index(site, "/a.xml.gz", "/b.xml")
    urlset(site, {"/help/light": "2026-11-01"}, "/a.xml.gz")
    site.pages["/a.xml.gz"] = ("application/x-gzip", gzip.compress(site.pages["/a.xml.gz"][1]))
    index(site, "/c.xml", path="/b.xml")
    urlset(site, {"/help/bill": "2026-11-01"}, "/c.xml")
    assert pull(site).listing == {f"{site.url}/help/light", f"{site.url}/help/bill"}
    index(site, "/d.xml", path="/c.xml")
    deep = pull(site)
    assert deep.listing is None
    assert deep.skipped == [f"{site.url}/d.xml: lies too deep, or is one of too many"]


@pytest.mark.parametrize("broken", [None, b"<html>not this", b"<urlset"])
def test_an_index_that_names_a_dead_sitemap_is_followed_all_the_same(site: Site, broken: bytes | None) -> None:
    index(site, "/a.xml", "/b.xml")
    urlset(site, {"/help/light": "2026-11-01"}, "/b.xml")
    if broken:
        site.pages["/a.xml"] = ("application/xml", broken)
    pulled = pull(site)
    assert [raw.id for raw in pulled.raws] == [f"{site.url}/help/light"]
    assert pulled.listing is None  # nobody can tell what is gone
    assert len(pulled.skipped) == 1
    assert pulled.skipped[0].startswith(f"{site.url}/a.xml ")
    index(site, "/a.xml", "/c.xml")
    with pytest.raises(SourceError, match=r"lists no page that we may read: http://\S+/a.xml "):
        pull(site)


def test_an_index_that_leads_in_a_circle_ends(site: Site) -> None:
    index(site, "/sitemap.xml", "/b.xml")
    urlset(site, {"/help/light": ""}, "/b.xml")
    assert pull(site).listing == {f"{site.url}/help/light"}


def test_robots_txt_is_obeyed_and_never_more_than_a_page_a_second(site: Site) -> None:
    first, second = pull(site).slept  # nobody really sleeps here, so the second wait is for both
    assert 0.5 < first <= 1.0
    assert 1.5 < second <= 2.0
    robots = f"User-agent: *\nCrawl-delay: 7\nDisallow: /*bill$\nSitemap: {site.url}/maps.xml\n"
    site.pages["/robots.txt"] = ("text/plain", robots.encode())
    site.pages["/maps.xml"] = site.pages.pop("/sitemap.xml")
    site.paths()
    pulled = pull(site)
    assert pulled.listing == {f"{site.url}/help/light"}
    assert 6.5 < max(pulled.slept) <= 14.0
    assert site.paths() == ["/robots.txt", "/maps.xml", "/help/light"]


def test_a_robots_txt_that_the_server_cannot_give_allows_nothing(site: Site) -> None:
    site.broken = lambda asked, answer: Answer(503) if asked.path == "/robots.txt" else answer
    with pytest.raises(SourceError, match="503"):
        pull(site)
    assert set(site.paths()) == {"/robots.txt"}


def test_a_path_leaves_other_pages_out_and_other_hosts_are_left_out_anyhow(site: Site) -> None:
    urlset(site, {"/help/light": "", "/shop/x": ""})
    kind, body = site.pages["/sitemap.xml"]
    foreign = b"<url><loc>http://169.254.169.254/latest</loc></url><url><loc>file:///etc/passwd</loc></url></urlset>"
    site.pages["/sitemap.xml"] = (kind, body.replace(b"</urlset>", foreign))
    assert pull(site, path="/help/").listing == {f"{site.url}/help/light"}


def test_a_page_that_cannot_be_read_now_stays_and_is_told(site: Site) -> None:
    site.pages["/help/bill"] = ("application/pdf", b"%PDF")
    site.pages["/help/light"] = ("text/html", b"<title>Empty</title><p>Soon.")
    pulled = pull(site)
    assert (pulled.raws, pulled.gone) == ([], [])
    assert pulled.listing == {f"{site.url}/help/light", f"{site.url}/help/bill"}
    assert [one.partition(" ")[0] for one in pulled.skipped] == [f"{site.url}/help/light:", f"{site.url}/help/bill"]


def test_a_listed_page_that_does_not_let_us_in_stays_until_it_is_listed_no_more(site: Site) -> None:
    first = pull(site)
    urlset(site, {"/help/light": "2026-11-05", "/help/bill": "2026-11-02"})
    site.broken = lambda asked, answer: Answer(403) if asked.path == "/help/light" else answer
    later = pull(site, first)
    assert (later.raws, later.gone) == ([], [])
    assert later.listing == {f"{site.url}/help/light", f"{site.url}/help/bill"}
    assert later.skipped == [f"{site.url}/help/light does not let us in (it answered 403)"]
    urlset(site, {"/help/bill": "2026-11-02"})
    assert pull(site, first).listing == {f"{site.url}/help/bill"}


def test_a_site_that_fails_at_every_page_is_told(site: Site) -> None:
    urlset(site, {f"/help/{n}": "" for n in range(30)})
    site.broken = lambda asked, answer: Answer(500) if asked.path.startswith("/help/") else answer
    with pytest.raises(SourceError, match="answered 500, 4 times in a row"):
        pull(site)


HOSTILE_PAGES = {
    "attributes": "<a " + " ".join(f"a{n}=1" for n in range(50_000)) + ">x",
    "deep": "<div>" * 100_000,
    "wide": "<p>x" * 200_000,
    "title": "<title>" + "x" * 9_000_000,
    "nul": "<title>a</title>\x00\x00",
}


@pytest.mark.parametrize("name", HOSTILE_PAGES)
def test_a_hostile_page_is_left_out(site: Site, name: str) -> None:
    site.pages["/help/light"] = ("text/html", HOSTILE_PAGES[name].encode())
    pulled = pull(site)
    assert [raw.id for raw in pulled.raws] == [f"{site.url}/help/bill"]
    assert len(pulled.skipped) == 1


def test_a_page_in_the_wrong_charset_is_read_as_well_as_can_be(site: Site) -> None:
    page(site, "/help/bill", "La factura", f"Está en el menú. {WORDS}", "es")
    body = site.pages["/help/bill"][1].decode().encode("latin-1")
    site.pages["/help/bill"] = ("text/html; charset=no-such-charset", body)
    bill = next(raw for raw in pull(site).raws if raw.id.endswith("bill"))
    assert (bill.title, bill.language) == ("La factura", "es")


def bomb(asked: Asked, answer: Answer) -> Answer:
    packed = gzip.compress(b"<urlset>" + b" " * 60_000_000, 1)
    return Answer(body=packed, headers={"Content-Type": "application/gzip"}) if "sitemap" in asked.path else answer


def test_a_packed_bomb_is_refused(site: Site) -> None:
    site.broken = bomb
    with pytest.raises(SourceError, match="unpacks to more than 50 MB"):
        pull(site)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<!DOCTYPE urlset [<!ENTITY a 'x'>]><urlset><url><loc>&a;</loc></url></urlset>", "declares a document type"),
        (b"<html><body>Not here</body></html>", "lists no page"),
        (b"<urlset><url><loc>http://x", "cut off"),
        (gzip.compress(b"<urlset></urlset>")[:-9], "cannot be unpacked"),
        (b"", "no XML"),
        (f"<urlset {NS}></urlset>".encode(), "lists no page"),
    ],
    ids=range(6),
)
def test_a_broken_sitemap_gives_nothing_and_the_reason(site: Site, body: bytes, reason: str) -> None:
    site.pages["/sitemap.xml"] = ("application/xml", body)
    with pytest.raises(SourceError, match=reason):
        pull(site)


def test_a_place_that_cannot_be_right_is_told() -> None:
    with pytest.raises(SourceError, match="web address"):
        Sitemap(place("sitemap.xml"))
    with pytest.raises(SourceError, match="begins with /"):
        Sitemap(place("https://help.example", path="help"))
