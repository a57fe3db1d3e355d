"""The pages a site lists in its sitemap (sitemaps.org, version 0.9). A page is an article: its title asks, it answers.

robots.txt is obeyed (RFC 9309), and never more than one page a second is asked for. A page is asked for again when
its `lastmod` moved, or, without one, once in each full pull, by its validators. A page that is listed no more is gone.
"""

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urlsplit

from protego import Protego

from search.sources.pages import HTML, NoArticle, Page, read_page
from search.sources.payload import moment, read_cursor, text, write_cursor
from search.sources.source import (
    Batch,
    Change,
    Fetch,
    Fetched,
    Gone,
    NotAllowed,
    NotThere,
    Paused,
    Place,
    Progress,
    Raw,
    RawAnswer,
    SourceError,
)
from search.sources.xml_stream import elements, local_name

AGENT = "Offhold"
XML = (
    "application/xml",
    "text/xml",
    "application/gzip",
    "application/x-gzip",
    "application/octet-stream",
    "text/plain",
)
MAX_DEPTH = 3
MAX_URLS = 100_000
MAX_FILES = 500
MAX_UNPACKED = 50_000_000  # what sitemaps.org lets a file have
MAX_ROBOTS = 500_000
MAX_SKIPPED = 100
MAX_FAILED = 5  # pages in a row that cannot be fetched: then it is the site, not a page
BATCH = 20
MIN_DELAY_S, MAX_DELAY_S = 1.0, 60.0


class Sitemap:
    """A sitemap, or a site whose robots.txt names one. `path` ("/help/") leaves all other pages out."""

    kind: ClassVar[str] = "sitemap"
    options: ClassVar[frozenset[str]] = frozenset({"path"})

    def __init__(self, place: Place) -> None:
        parts = urlsplit(place.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SourceError("a sitemap is named by its web address, http or https")
        self._place = place
        self._site = f"{parts.scheme}://{parts.netloc}"
        self._under = place.options.get("path", "/")
        if not self._under.startswith("/"):
            raise SourceError("a path begins with /")
        self._failed = 0

    def changes(self, cursor: str | None, fetch: Fetch, progress: Progress) -> Iterator[Batch]:
        """See `source.Source`. What was seen of each page is its version; the cursor holds the sitemap's validators."""
        robots = self._robots(fetch)
        delay = robots.crawl_delay(AGENT) or MIN_DELAY_S
        fetch.at_most(urlsplit(self._site).hostname or "", 1 / min(max(delay, MIN_DELAY_S), MAX_DELAY_S))
        before = {} if self._place.full else read_cursor(cursor)
        walk = _Walk(fetch, urlsplit(self._site).hostname or "", self._under)
        for root in self._roots(robots):
            walk.start(root, text(before.get("etag")) or None, text(before.get("modified")) or None)
        if walk.same:
            yield Batch((), cursor)
            return
        walk.pages = {url: at for url, at in walk.pages.items() if robots.can_fetch(url, AGENT)}
        if not walk.pages:
            if walk.skipped:
                raise SourceError(f"{self._place.url} lists no page that we may read: {walk.skipped[0]}")
            raise SourceError(f"{self._place.url} lists no page that we may read")
        yield from self._pages(walk, fetch, cursor, progress)

    def _robots(self, fetch: Fetch) -> Protego:
        """The rules; all is allowed where there are none (RFC 9309, 2.3.1.3). An error of the server allows nothing:
        it raises `SourceError`."""
        try:
            got = fetch(f"{self._site}/robots.txt", accept=("*",))
        except (NotThere, NotAllowed):
            return Protego.parse("")
        if got.content_type in HTML:
            return Protego.parse("")  # a page for everything that is not there
        return Protego.parse(got.body[:MAX_ROBOTS].decode("utf-8", "replace"))

    def _roots(self, robots: Protego) -> list[str]:
        if urlsplit(self._place.url).path.strip("/"):
            return [self._place.url]
        named = [url for url in robots.sitemaps if urlsplit(url).hostname == urlsplit(self._site).hostname]
        return named[:MAX_FILES] or [f"{self._site}/sitemap.xml"]

    def _pages(self, walk: "_Walk", fetch: Fetch, cursor: str | None, progress: Progress) -> Iterator[Batch]:
        wanted = self._wanted(walk.pages)
        there = set(walk.pages)
        changes: list[Change] = []
        for done, url in enumerate(wanted, start=1):
            change = self._page(url, walk, fetch)
            if isinstance(change, Gone):
                there.discard(url)
            if change is not None:
                changes.append(change)
            progress(done, len(wanted))
            if len(changes) == BATCH:
                yield Batch(tuple(changes), cursor)
                changes.clear()
        after = write_cursor(etag=walk.etag, modified=walk.modified)
        listing = None if walk.cut else frozenset(there)
        yield Batch(tuple(changes), after, listing, tuple(walk.skipped[:MAX_SKIPPED]))

    def _wanted(self, pages: dict[str, str]) -> list[str]:
        """New pages first, then those whose lastmod moved; those without a lastmod in a full pull only."""
        known = self._place.known
        fresh = [url for url in pages if url not in known]
        moved = [url for url, at in pages.items() if url in known and at and known[url] != f"lastmod {at}"]
        unsaid = [url for url, at in pages.items() if url in known and not at] if self._place.full else []
        return fresh + moved + unsaid

    def _page(self, url: str, walk: "_Walk", fetch: Fetch) -> Change | None:
        """None: as it was, or it cannot be read now; a listed page that does not let us in may be there."""
        kind, _, value = self._place.known.get(url, "").partition(" ")
        etag, modified = value if kind == "etag" else None, value if kind == "modified" else None
        try:
            got = fetch(url, accept=HTML, etag=etag, last_modified=modified)
            if got.status == 304:
                return None
            self._failed = 0
            return _raw(url, read_page(got), _version(walk.pages[url], got), walk.pages[url])
        except NotThere:
            return Gone(url)
        except Paused:
            raise
        except NoArticle as error:
            walk.skipped.append(f"{url[:200]}: {error}")
        except NotAllowed as error:  # a site may list pages for members only: they are not its failure
            walk.skipped.append(str(error))
        except SourceError as error:
            walk.skipped.append(str(error))
            self._failed += 1
            if self._failed > MAX_FAILED:
                raise
        return None


@dataclass
class _Walk:
    """Through a sitemap and the sitemaps it names. `pages`: address -> lastmod or ""."""

    fetch: Fetch
    host: str
    under: str
    pages: dict[str, str] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    etag: str | None = None
    modified: str | None = None
    same: bool = False
    cut: bool = False  # not everything was read: nobody can tell what is gone

    def start(self, url: str, etag: str | None, modified: str | None) -> None:
        """Read it all, unless the first sitemap says that it is the same as before."""
        got = self.fetch(url, accept=XML, etag=etag, last_modified=modified)
        if got.status == 304:
            self.same = True
            return
        nested = self._read(got, 1)
        if not nested and len(self.seen) == 1:
            self.etag, self.modified = got.etag, got.last_modified
        else:
            self.etag = self.modified = None  # one of several: says nothing of the others

    def _read(self, got: Fetched, depth: int) -> bool:
        """Whether it named other sitemaps."""
        self.seen.add(got.url)
        nested: list[str] = []
        for element in elements(io.BytesIO(_unpacked(got)), ("url", "sitemap"), got.url):
            values = {local_name(child): (child.text or "").strip() for child in element}
            url = values.get("loc", "")[:2000]
            if _host(url) != self.host:
                continue
            if local_name(element) == "sitemap":
                nested.append(url)
            elif urlsplit(url).path.startswith(self.under):
                if len(self.pages) >= MAX_URLS:
                    self.cut = True
                    break
                self.pages[url] = values.get("lastmod", "")[:40]
        for url in nested:
            if url in self.seen:
                continue
            if depth >= MAX_DEPTH or len(self.seen) >= MAX_FILES:
                self.cut = True
                self.skipped.append(f"{url[:200]}: lies too deep, or is one of too many")
                return True
            try:
                self._read(self.fetch(url, accept=XML), depth + 1)
            except Paused:
                raise
            except SourceError as error:  # indexes name sitemaps that are no more; the others are good
                self.cut = True
                self.skipped.append(str(error))
        return bool(nested)


def _unpacked(got: Fetched) -> bytes:
    """A .xml.gz comes as it is. Raises `SourceError` for what does not unpack, or unpacks to too much."""
    if not got.body.startswith(b"\x1f\x8b"):
        return got.body
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(got.body)) as file:
            body = file.read(MAX_UNPACKED + 1)
    except (OSError, EOFError, zlib.error):
        raise SourceError(f"{got.url} cannot be unpacked, or is cut off") from None
    if len(body) > MAX_UNPACKED:
        raise SourceError(f"{got.url} unpacks to more than {MAX_UNPACKED // 1_000_000} MB")
    return body


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        return parts.hostname or "" if parts.scheme in ("http", "https") else ""
    except ValueError:
        return ""


def _version(lastmod: str, got: Fetched) -> str:
    if lastmod:
        return f"lastmod {lastmod}"
    if got.etag:
        return f"etag {got.etag}"
    return f"modified {got.last_modified}" if got.last_modified else ""


def _raw(url: str, page: Page, version: str, lastmod: str) -> Raw:
    return Raw(
        id=url,
        url=url,
        title=page.title,
        answers=(RawAnswer(text=page.text, author=page.author, created=page.created),),
        author=page.author,
        licence=page.licence,
        language=page.language,
        created=page.created,
        changed=moment(lastmod) or page.created,
        solved=True,
        version=version,
    )
