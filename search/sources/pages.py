"""The article in a web page: its words without menus, banners and footers, by trafilatura."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import trafilatura
from lxml import etree

from search.sources.cleaning import plain
from search.sources.source import Fetched

HTML = ("text/html", "application/xhtml+xml")
MAX_PAGE = 3_000_000
_MAX_ELEMENTS = 30_000
_MAX_DEPTH = 200
_MAX_ATTRIBUTES = 200
_MIN_WORDS = 20


class NoArticle(ValueError):
    """Why a page gives no article, in words."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says; `created` is aware, UTC."""

    title: str
    text: str
    author: str | None
    licence: str
    language: str | None
    created: datetime | None


def read_page(got: Fetched) -> Page:
    """The article of a fetched page. Raises `NoArticle`."""
    html = _decoded(got)
    if len(html) > MAX_PAGE:
        raise NoArticle(f"is longer than {MAX_PAGE} characters")
    shape = _checked(html)
    try:
        found = trafilatura.bare_extraction(html, url=got.url, fast=True, include_comments=False, with_metadata=True)
    except (ValueError, RecursionError, etree.LxmlError):
        found = None
    values: Mapping[str, Any] = found.as_dict() if isinstance(found, trafilatura.settings.Document) else {}
    text, title = values.get("text") or "", values.get("title") or ""
    if not title or len(text.split()) < _MIN_WORDS:
        raise NoArticle("holds no article" if title else "has no title")
    return Page(
        title, text, values.get("author"), values.get("license") or "", shape.language, _day(values.get("date"))
    )


def _decoded(got: Fetched) -> str:
    """By the server's charset or the page's own; what cannot be read becomes a mark."""
    for charset in (got.charset, _declared(got.body), "utf-8"):
        try:
            return plain(got.body.decode(charset)) if charset else plain(got.body.decode("utf-8"))
        except (LookupError, UnicodeError):
            continue
    return plain(got.body.decode("utf-8", "replace"))


def _declared(body: bytes) -> str | None:
    head = body[:2048].lower()
    _, found, rest = head.partition(b"charset=")
    name = rest.lstrip(b"\"' ")[:40]
    end = next((place for place, byte in enumerate(name) if not (chr(byte).isalnum() or byte in b"-_:.")), len(name))
    return name[:end].decode("ascii", "ignore") or None if found else None


def _checked(html: str) -> "_Shape":
    """What tree builders take quadratic time for is refused before one sees it (see `markup`)."""
    shape = _Shape()
    target: Any = shape
    parser = etree.HTMLParser(target=target, remove_comments=True, remove_pis=True, no_network=True)
    try:
        for start in range(0, len(html), 1 << 16):
            parser.feed(html[start : start + (1 << 16)])
        parser.close()
    except etree.LxmlError:
        raise NoArticle("is no HTML") from None
    return shape


class _Shape:
    """Counts elements; remembers the page's language."""

    def __init__(self) -> None:
        self.language: str | None = None
        self._count = self._depth = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._count += 1
        self._depth += 1
        if self._count > _MAX_ELEMENTS or self._depth > _MAX_DEPTH or len(attributes) > _MAX_ATTRIBUTES:
            raise NoArticle("is built of more elements than a page of text")
        if tag == "html":
            self.language = attributes.get("lang") or None

    def end(self, tag: str) -> None:
        self._depth -= 1

    def data(self, data: str) -> None:
        """Words do not matter here."""

    def close(self) -> None:
        """Nothing to give."""


def _day(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)).replace(tzinfo=UTC) if value else None
    except ValueError:
        return None
