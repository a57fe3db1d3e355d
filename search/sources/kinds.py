"""Which kinds of source there are. A kind is loaded when it is used: some bring heavy libraries."""

from importlib import import_module
from typing import cast

from search.sources.source import Place, Source, SourceError

_KINDS = {
    "discourse": "discourse:Discourse",
    "zendesk": "zendesk:Zendesk",
    "stack-exchange": "stack_exchange:StackExchange",
    "feed": "feeds:Feed",
    "sitemap": "sitemap:Sitemap",
    "markdown": "folders:MarkdownFolder",
    "csv": "folders:CsvFile",
    "jsonl": "folders:JsonlFile",
}
KINDS = tuple(_KINDS)
#: these name a folder or file of this machine instead of a web address
LOCAL = frozenset({"stack-exchange", "markdown", "csv", "jsonl"})


def open_source(kind: str, place: Place) -> Source:
    """The source of this kind at this place. Raises `SourceError` when the place or an option cannot be right."""
    module, _, name = _KINDS[kind].partition(":")
    made = cast(type[Source], getattr(import_module(f"search.sources.{module}"), name))
    if unknown := place.options.keys() - made.options:
        known = ", ".join(sorted(made.options)) or "none"
        raise SourceError(f"{kind} has no option {', '.join(sorted(unknown))}; it has {known}")
    try:
        return made(place)
    except ValueError:  # from urllib, on http://[
        raise SourceError(f"{place.url[:120]} is no address") from None
