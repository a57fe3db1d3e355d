"""The searches that a plan leads to where a caller says nothing."""

from collections.abc import Iterator

from ivr.call.plan import Leaf, Menu, Plan
from search.query import Query

Path = tuple[str, ...]


def queries(plan: Plan) -> frozenset[Query]:
    """One for each leaf where an article may be looked for and each menu below the first, in each language."""
    return frozenset(
        Query(plan.labels(path, one.code), "", one.code, leaf.allowed_tags if leaf else frozenset())
        for path, leaf in _ends(plan.main, ())
        if leaf is None or not leaf.never_offer
        for one in plan.languages
    )


def _ends(menu: Menu, path: Path) -> Iterator[tuple[Path, Leaf | None]]:
    """Where callers are when they go to the queue: at a leaf, or at a menu (None), where they gave up choosing."""
    for choice in menu.choices:
        here = (*path, choice.id)
        if choice.menu is not None:
            yield here, None
            yield from _ends(choice.menu, here)
        elif choice.leaf is not None:
            yield here, choice.leaf
