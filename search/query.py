"""What is searched for: the menu path taken and the words said."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Query:
    """One search. Empty `allowed_tags` means every article is allowed."""

    path: tuple[str, ...]
    transcript: str
    language: str
    allowed_tags: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    nbest: tuple[str, ...] = ()
