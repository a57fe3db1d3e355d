"""RSS, Atom and JSON Feed (jsonfeed.org, version 1.1). An entry is an article: its title asks, its body answers.

A feed holds its latest entries only: one that falls out of it stays with us. Older pages are followed where the feed
names them (RFC 5005 "next", JSON Feed `next_url`), for as long as they bring something new.
"""

import hashlib
import io
import json
from calendar import timegm
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import urljoin, urlsplit

import feedparser

from search.sources.mending import well_formed
from search.sources.pages import HTML, NoArticle, read_page
from search.sources.payload import as_object, moment, objects, read_cursor, text, write_cursor
from search.sources.source import (
    Batch,
    Fetch,
    Fetched,
    NotAllowed,
    NotThere,
    Paused,
    Place,
    Progress,
    Raw,
    RawAnswer,
    SourceError,
)

FEEDS = (
    *("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/xml", "text/xml"),
    *("application/feed+json", "application/json", "text/plain"),
    "application/octet-stream",
)
MAX_PAGES = 50
MAX_ENTRIES = 5_000  # on one page
MAX_ELEMENTS = 200_000
TEASER = 500  # a summary shorter than this is no article: the page is asked for
MAX_PAGES_ASKED = 200  # pages of entries, in one pull
MAX_SKIPPED = 100
TEASED = "teaser"  # the version of an entry whose page is to be asked for again
Entry = Mapping[str, Any]


class Feed:
    """A feed at a web address."""

    kind: ClassVar[str] = "feed"
    options: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, place: Place) -> None:
        if urlsplit(place.url).scheme not in ("http", "https"):
            raise SourceError("a feed is named by its web address, http or https")
        self._place = place
        self._asked = 0
        self._more = False  # pages than one pull asks for
        self._skipped: list[str] = []

    def changes(self, cursor: str | None, fetch: Fetch, progress: Progress) -> Iterator[Batch]:
        """See `source.Source`. The cursor holds the feed's ETag and Last-Modified."""
        before = read_cursor(cursor)
        etag, modified = text(before.get("etag")) or None, text(before.get("modified")) or None
        got = fetch(self._place.url, accept=FEEDS, etag=etag, last_modified=modified)
        if got.status == 304:
            yield Batch((), cursor)
            return
        after = write_cursor(etag=got.etag, modified=got.last_modified)
        seen, told, done = {got.url}, set[str](), 0
        while True:
            raws, older = _read(got)
            if not raws and not done:
                raise SourceError(f"{self._place.url} is a feed without entries")
            first = {raw.id: raw for raw in reversed(raws) if raw.id not in told}  # the latest stand first
            fresh = [raw for raw in reversed(first.values()) if self._place.known.get(raw.id) != raw.version]
            told |= first.keys()
            done += len(raws)
            changes = tuple(self._whole(raw, fetch) for raw in fresh)
            progress(done, None)
            follow = self._follow(older, got.url) if fresh and len(seen) < MAX_PAGES else None
            if follow is None or follow in seen:
                after = write_cursor() if self._more else after  # the same feed again: it holds more to be asked for
                yield Batch(changes, after, None, tuple(self._skipped[:MAX_SKIPPED]))
                return
            yield Batch(changes, cursor)
            seen.add(follow)
            got = fetch(follow, accept=FEEDS)

    def _follow(self, older: str, here: str) -> str | None:
        """The address of the next page, if it is on the same host."""
        try:
            address = urljoin(here, older) if older else ""
            return address if address and urlsplit(address).hostname == urlsplit(here).hostname else None
        except ValueError:
            return None

    def _whole(self, raw: Raw, fetch: Fetch) -> Raw:
        """The entry with its page's text in place of a mere teaser, where the page gives one."""
        body = raw.answers[0].html or raw.answers[0].text
        try:
            if len(body) >= TEASER or urlsplit(raw.url).hostname != urlsplit(self._place.url).hostname:
                return raw
            if self._asked >= MAX_PAGES_ASKED:
                self._more = True
                return replace(raw, version=TEASED)
            self._asked += 1
            page = read_page(fetch(raw.url, accept=HTML))
        except Paused:
            raise
        except (SourceError, NoArticle, ValueError) as error:
            self._skipped.append(f"{raw.url[:200]}: {error}")
            final = isinstance(error, NotThere | NotAllowed | ValueError)
            return raw if final else replace(raw, version=TEASED)
        answer = RawAnswer(text=page.text, author=raw.author or page.author, created=raw.created)
        return _with(raw, answer, raw.licence or page.licence, raw.language or page.language)


def _with(raw: Raw, answer: RawAnswer, licence: str, language: str | None) -> Raw:
    return Raw(
        id=raw.id, url=raw.url, title=raw.title, answers=(answer,), author=answer.author, licence=licence,
        tags=raw.tags, language=language, created=raw.created, changed=raw.changed, solved=True, version=raw.version,
    )  # fmt: skip


def _read(got: Fetched) -> tuple[list[Raw], str]:
    """The entries of a feed, and the address of its next page or "". Raises `SourceError`."""
    start = got.body[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"{"):
        return _read_json(got)
    return _read_xml(got)


def _read_json(got: Fetched) -> tuple[list[Raw], str]:
    feed = as_object(got.body.removeprefix(b"\xef\xbb\xbf"), got.url)
    if not text(feed.get("version")).startswith("https://jsonfeed.org/version/"):
        raise SourceError(f"{got.url} is JSON, but no JSON Feed")
    raws = [raw for item in objects(feed.get("items"))[:MAX_ENTRIES] if (raw := _from_json(item, feed, got.url))]
    return raws, text(feed.get("next_url"))


def _from_json(item: Entry, feed: Entry, base: str) -> Raw | None:
    number = item.get("id")  # version 1.0 had numbers too
    identity = str(number) if isinstance(number, int) and not isinstance(number, bool) else text(number)
    title, html, words = text(item.get("title")), text(item.get("content_html")), text(item.get("content_text"))
    created = moment(item.get("date_published"))
    url = text(item.get("url")) or text(item.get("external_url"))
    with suppress(ValueError):  # such as http://[
        url = urljoin(base, url) if url else ""
    return _raw(
        identity or url,
        url,
        title,
        RawAnswer(
            html=html,
            text="" if html else words or text(item.get("summary")),
            author=_json_author(item) or _json_author(feed),
            created=created,
        ),
        licence="",
        tags=tuple(tag for tag in item.get("tags") or () if isinstance(tag, str)) if _is_list(item.get("tags")) else (),
        language=text(item.get("language")) or text(feed.get("language")) or None,
        changed=moment(item.get("date_modified")) or created,
    )


def _json_author(item: Entry) -> str | None:
    named = [text(author.get("name")) for author in objects(item.get("authors")) + objects([item.get("author")])]
    return ", ".join(filter(None, named)) or None


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _read_xml(got: Fetched) -> tuple[list[Raw], str]:
    body = got.body
    if body.count(b"<") > MAX_ELEMENTS or b"<!ENTITY" in body:
        raise SourceError(f"{got.url} is built of more elements than a feed, or declares entities: not read")
    headers = {"content-location": got.url}
    headers["content-type"] = f"{got.content_type or 'text/xml'}; charset={got.charset}" if got.charset else "text/xml"
    parsed = _parsed(got.url, body, headers)
    if not parsed.version:
        raise SourceError(f"{got.url} is no feed (RSS, Atom or JSON Feed)")
    feed = parsed.feed
    raws = [raw for entry in parsed.entries[:MAX_ENTRIES] if (raw := _from_xml(entry, feed))]
    older = next((text(link.get("href")) for link in feed.get("links") or () if link.get("rel") == "next"), "")
    return raws, older


def _parsed(url: str, body: bytes, headers: Mapping[str, str]) -> Any:
    """By feedparser, on bytes that are well-formed: for others it has a parser that takes quadratic time."""
    whole = well_formed(url, body)
    if whole is not body:
        body, headers = whole, {**headers, "content-type": "text/xml; charset=utf-8"}
    return feedparser.parse(
        io.BytesIO(body), response_headers=dict(headers), sanitize_html=False, resolve_relative_uris=False
    )


def _from_xml(entry: Any, feed: Any) -> Raw | None:
    contents = [one for one in entry.get("content") or () if one.get("value")]
    contents.sort(key=lambda one: "html" not in str(one.get("type")))
    body = text(contents[0].value) if contents else text(entry.get("summary"))
    kind = text(contents[0].get("type")) if contents else text((entry.get("summary_detail") or {}).get("type"))
    created, changed = _moment(dict.get(entry, "published_parsed")), _moment(dict.get(entry, "updated_parsed"))
    link = text(entry.get("link"))
    return _raw(
        text(entry.get("id")) or link,
        link,
        text(entry.get("title")),
        RawAnswer(
            html="" if kind == "text/plain" else body,
            text=body if kind == "text/plain" else "",
            author=text(entry.get("author")) or text(feed.get("author")) or None,
            created=created,
        ),
        licence=text(entry.get("license"))
        or text(entry.get("rights"))
        or text(feed.get("license"))
        or text(feed.get("rights")),
        tags=tuple(tag for one in entry.get("tags") or () if (tag := text(one.get("term")))),
        language=text((contents[0] if contents else {}).get("language")) or text(feed.get("language")) or None,
        changed=changed or created,
    )


def _raw(
    identity: str, url: str, title: str, answer: RawAnswer, *, licence: str, tags: tuple[str, ...],
    language: str | None, changed: datetime | None,
) -> Raw | None:  # fmt: skip
    """None for an entry that nothing names, or without a title."""
    if not identity or not title:
        return None
    told = json.dumps([url, title, answer.html, answer.text, answer.author, str(changed)])
    return Raw(
        id=identity,
        url=url,
        title=title,
        answers=(answer,),
        author=answer.author,
        licence=licence,
        tags=tags,
        language=language,
        created=answer.created,
        changed=changed,
        solved=True,
        version=hashlib.sha256(told.encode()).hexdigest()[:32],
    )


def _moment(parsed: Any) -> datetime | None:
    """feedparser gives UTC as a struct_time."""
    try:
        return datetime.fromtimestamp(timegm(parsed), UTC) if parsed else None
    except (ValueError, OverflowError, OSError, TypeError):
        return None
