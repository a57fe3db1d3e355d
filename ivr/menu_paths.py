"""From what the menu leads to, to what the finder is asked; and all it is asked where callers say nothing."""

from collections.abc import Iterator

from ivr.call.effects import Search
from ivr.call.joining import search_at
from ivr.call.plan import Leaf, Menu, Plan
from search.query import Query

Path = tuple[str, ...]


def queries(plan: Plan) -> frozenset[Query]:
    """One for each leaf where an article may be looked for and each menu below the first, in each language."""
    return frozenset(
        query_of(search)
        for path, leaf in _ends(plan.main, ())
        for one in plan.languages
        if isinstance(search := search_at(leaf, path, "", one.code, plan), Search)
    )


def query_of(search: Search) -> Query:
    """What the finder is asked."""
    return Query(search.path, search.transcript, search.language, search.allowed_tags, forbidden=search.forbidden)


def _ends(menu: Menu, path: Path) -> Iterator[tuple[Path, Leaf | None]]:
    """Where callers are when they go to the queue: at a leaf, or at a menu (None), where they gave up choosing."""
    for choice in menu.choices:
        here = (*path, choice.id)
        if choice.menu is not None:
            yield here, None
            yield from _ends(choice.menu, here)
        elif choice.leaf is not None:
            yield here, choice.leaf
