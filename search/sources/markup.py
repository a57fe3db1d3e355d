"""HTML of a post into plain text, by lxml's event parser.

No tree is built: a tag of 20,000 attributes or 100,000 elements within each other costs a tree builder minutes,
the event parser milliseconds. Input, output and depth are bounded all the same, and nothing here raises on bad HTML.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from lxml import etree

MAX_HTML = 500_000
MAX_TEXT = 50_000
MAX_DEPTH = 400
MAX_ELEMENTS = 20_000
MAX_CODE_LINES = 40
MAX_LINK = 300

_UNSEEN = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "math",
        "head",
        "title",
        "iframe",
        "object",
        "embed",
        "applet",
        "audio",
        "video",
        "canvas",
        "map",
        "select",
        "button",
        "input",
        "textarea",
        "nav",
        "dialog",
        "del",
        "s",
        "strike",
    ]  # struck out: taken back by its author
)
_UNSEEN_CLASSES = frozenset(
    # Discourse: what an e-mail quoted, picture captions, counts of clicks; then the marks of mail programs
    {"elided", "filename", "informations", "clicks", "quote-controls", "gmail_quote", "gmail_signature"}
    | {"moz-cite-prefix", "moz-signature", "yahoo_quoted", "signature", "sr-only", "visually-hidden"}
)
_PARAGRAPHS = frozenset(
    ["p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "ul", "ol", "table", "dl", "figure", "details", "hr"]
)
_BLOCKS = frozenset(
    [
        "div",
        "section",
        "article",
        "header",
        "footer",
        "main",
        "aside",
        "li",
        "tr",
        "dt",
        "dd",
        "summary",
        "figcaption",
        "caption",
        "address",
        "center",
        "fieldset",
    ]
)
_VOID = frozenset(
    ["area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr", "embed"]
)


class _Enough(Exception):
    """The text is as long, or the elements as deep, as they may be."""


def text_of(html: str, base: str = "") -> str:
    """The visible text of `html`: paragraphs apart by an empty line, list items and table rows on lines of their own
    ("1. ", "- ", " | "), code indented by four spaces, named links as "name (address)" when absolute or, with `base`,
    made so. Left out: quotes of earlier posts, what is struck out or hidden, scripts, forms, pictures.
    """
    post = _Post(base)
    target: Any = post  # the type stubs ask for methods that lxml does without
    parser = etree.HTMLParser(target=target, remove_comments=True, remove_pis=True, no_network=True)
    try:
        for start in range(0, min(len(html), MAX_HTML), 1 << 14):
            parser.feed(html[start : min(start + (1 << 14), MAX_HTML)])
        parser.close()
    except (_Enough, etree.LxmlError):  # LxmlError: nothing that could be read
        pass
    return post.text()


class _Post:
    """What the event parser calls; gathers lines."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._open: list[bool] = []  # per open element: is it unseen?
        self._unseen = 0
        self._lists: list[int | None] = []  # per open list: the number of its next item; None for bullets
        self._lines: list[str] = []
        self._line: list[str] = []
        self._marker = ""
        self._link: tuple[str, list[str]] | None = None
        self._pre = 0
        self._code: list[str] = []
        self._cells = 0
        self._size = 0
        self._elements = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise _Enough
        if tag in _VOID:
            if not self._unseen and tag in ("br", "hr"):
                self._code.append("\n") if self._pre else self._break(blank=tag == "hr" or not self._line)
            self._open.append(False)
            return
        unseen = tag in _UNSEEN or _is_unseen(tag, attributes)
        self._open.append(unseen)
        if len(self._open) > MAX_DEPTH:
            raise _Enough
        if unseen and not self._unseen and (source := attributes.get("data-onebox-src")):
            self._break()
            self.data(source[:MAX_LINK])
        self._unseen += unseen
        if not self._unseen:
            self._begin(tag, attributes)

    def _begin(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag in _PARAGRAPHS or tag in _BLOCKS:
            self._break(blank=tag in _PARAGRAPHS and not self._lists)
        if tag == "a":
            self._link = (self._address(attributes), [])
        elif tag == "pre":
            self._pre += 1
        elif tag in ("ul", "ol"):
            self._lists.append(_first_number(attributes.get("start")) if tag == "ol" else None)
        elif tag == "li":
            self._marker = self._next_marker()
        elif tag == "tr":
            self._cells = 0
        elif tag in ("td", "th"):
            if self._cells:
                self._line.append(" | ")
            self._cells += 1

    def end(self, tag: str) -> None:
        unseen = self._open.pop() if self._open else False
        if unseen:
            self._unseen -= 1
        elif not self._unseen:
            self._finish(tag)

    def _finish(self, tag: str) -> None:
        if tag == "a" and self._link is not None:
            address, shown = self._link
            self._link = None
            name = " ".join("".join(shown).split())
            if address and name and address.rstrip("/") != name.rstrip("/"):
                self.data(f" ({address})")
        elif tag == "pre" and self._pre:
            self._pre -= 1
            if not self._pre:
                self._end_code()
        elif tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        if tag in _PARAGRAPHS or tag in _BLOCKS:
            self._break(blank=tag in _PARAGRAPHS and not self._lists)

    def data(self, data: str) -> None:
        if self._unseen:
            return
        self._size += len(data)
        (self._code if self._pre else self._line).append(data)
        if self._link is not None:
            self._link[1].append(data)
        if self._size > MAX_TEXT:
            raise _Enough

    def close(self) -> None:
        """The parser is done; nothing to give: the text is asked for by `text`."""

    def text(self) -> str:
        """All lines so far."""
        self._end_code()
        self._break()
        return "\n".join(self._lines).strip("\n")[:MAX_TEXT]

    def _break(self, blank: bool = False) -> None:
        """End the line; with `blank`, an empty one follows unless one is there."""
        words = " ".join("".join(self._line).split())
        self._line.clear()
        if words and words != "|":
            self._lines.append(self._marker + words)
            self._marker = ""
        if blank and self._lines and self._lines[-1]:
            self._lines.append("")

    def _end_code(self) -> None:
        lines = [line.rstrip() for line in "".join(self._code).expandtabs(4).strip("\n").split("\n")]
        self._code.clear()
        if not any(lines):
            return
        more = ["…"] if len(lines) > MAX_CODE_LINES else []
        self._lines += ["    " + line if line else "" for line in lines[:MAX_CODE_LINES] + more]

    def _next_marker(self) -> str:
        indent = "  " * min(len(self._lists) - 1, 4)
        number = self._lists[-1] if self._lists else None
        if number is None:
            return indent + "- "
        self._lists[-1] = number + 1
        return f"{indent}{number}. "

    def _address(self, attributes: Mapping[str, str]) -> str:
        """Where a link leads; empty for mentions, anchors and what is not the web."""
        href = attributes.get("href", "").strip()
        if not href or href.startswith("#") or {"mention", "hashtag", "anchor"} & _classes(attributes):
            return ""
        try:
            address = urljoin(self._base, href) if self._base else href
        except ValueError:
            return ""
        fits = address.startswith(("http://", "https://")) and len(address) <= MAX_LINK
        return address if fits and not any(letter.isspace() for letter in address) else ""


def _classes(attributes: Mapping[str, str]) -> set[str]:
    return set(attributes.get("class", "")[:500].lower().split())


def _is_unseen(tag: str, attributes: Mapping[str, str]) -> bool:
    if not attributes:
        return False
    classes = _classes(attributes)
    if tag == "aside" and classes & {"quote", "onebox"}:
        return True
    if tag == "blockquote" and attributes.get("type", "").lower() == "cite":
        return True
    hidden = "hidden" in attributes or "display:none" in attributes.get("style", "")[:500].lower().replace(" ", "")
    return hidden or not classes.isdisjoint(_UNSEEN_CLASSES)


def _first_number(start: str | None) -> int:
    return int(start) if start and start.isascii() and start.isdigit() and len(start) < 6 else 1
