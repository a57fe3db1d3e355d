"""What is searched for: the menu path taken and the words said."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Query:
    """One search. Empty `allowed_tags` means every article is allowed. What is `forbidden` may not be offered and still
    shows how clear a candidate is, as what lacks the tags does; what is in `exclude` is as if it were not there."""

    path: tuple[str, ...]
    transcript: str
    language: str
    allowed_tags: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    nbest: tuple[str, ...] = ()
    forbidden: frozenset[str] = frozenset()
