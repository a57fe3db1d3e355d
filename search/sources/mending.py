"""Feeds with a slip made well-formed: an "&" alone, an entity of HTML's, a control character, a tag left open."""

import io
import re
from contextlib import suppress
from html.entities import html5

from lxml import etree

from search.sources.source import SourceError
from search.sources.xml_stream import elements

MAX_MENDED = 20_000  # marks in a feed that is not well-formed: mending takes quadratic time at worst
_REFERENCE = re.compile(rb"&(?:(#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});|([A-Za-z][A-Za-z0-9]{1,31});)?")


def well_formed(url: str, body: bytes) -> bytes:
    """`body` itself when it is well-formed, or else mended, in UTF-8. Raises `SourceError` for what cannot be mended,
    or is built to cost time."""
    try:
        _check(url, body)
    except SourceError:
        body = _mended(url, body)
        _check(url, body)
    return body


def _check(url: str, body: bytes) -> None:
    for _ in elements(io.BytesIO(body), (), url):
        pass


def _mended(url: str, body: bytes) -> bytes:
    """Not one that is cut off: its last entry would be half an article."""
    root = None
    if body.count(b"<") <= MAX_MENDED and body.rstrip().endswith((b"</rss>", b"</feed>", b"RDF>")):
        parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False)
        with suppress(etree.LxmlError):
            root = etree.fromstring(_numbered(body), parser)
    if root is None:
        raise SourceError(f"{url} is no XML, or is broken or cut off")
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def _numbered(body: bytes) -> bytes:
    """With every reference by number, &#60; for &lt;: a parser that has met a slip drops the named ones. Those that no
    feed declares, such as &nbsp;, are HTML's; an "&" that begins none is one. What stands in CDATA is no reference."""
    first, *others = body.split(b"<![CDATA[")
    told = [_REFERENCE.sub(_by_number, first)]
    for other in others:
        inside, end, after = other.partition(b"]]>")
        told.append(b"<![CDATA[" + inside + end + _REFERENCE.sub(_by_number, after))
    return b"".join(told)


def _by_number(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return found[0]
    letters = html5.get(f"{found[2].decode()};") if found[2] else None
    return b"".join(b"&#%d;" % ord(letter) for letter in letters) if letters else b"&#38;" + found[0][1:]
