"""XML from outside, element by element: no DTD, no entities, no network, nothing kept."""

from collections.abc import Collection, Iterator
from typing import IO

from lxml import etree

from search.sources.source import SourceError

MAX_ATTRIBUTES = 200
MAX_DEPTH = 100


def elements(file: IO[bytes], names: Collection[str], what: str) -> Iterator[etree._Element]:
    """Each finished element of one of `names` (without namespace), good until the next one is asked for.

    Raises `SourceError`, with `what` in its words, when the file is broken, cut off, or declares a document type
    (which nothing that we read does: it could only be a bomb).
    """
    try:
        parser = etree.iterparse(
            file, ("start", "end"), load_dtd=False, no_network=True, resolve_entities=False, huge_tree=False
        )
        root: etree._Element | None = None
        depth = 0
        for event, element in parser:
            if event == "start":
                depth += 1
                if depth > MAX_DEPTH or len(element.attrib) > MAX_ATTRIBUTES:
                    raise SourceError(f"{what} has elements too deep, or with too many attributes: not read")
                if root is None:
                    root = element
                    if element.getroottree().docinfo.doctype:
                        raise SourceError(f"{what} declares a document type: not read")
                continue
            depth -= 1
            if local_name(element) in names:
                yield element
                _forget(element)
    except etree.XMLSyntaxError as error:
        raise SourceError(f"{what} is no XML, or is broken or cut off in line {error.lineno or 0}") from None


def local_name(element: etree._Element) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _forget(element: etree._Element) -> None:
    element.clear()
    parent = element.getparent()
    while parent is not None and (before := element.getprevious()) is not None:
        parent.remove(before)
