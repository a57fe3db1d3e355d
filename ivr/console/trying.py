"""Try it: a sentence at a place of the menu, and what a caller who says it there would be offered."""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import Connection

from ivr.call.events import Found
from ivr.call.joining import search_at
from ivr.call.plan import Leaf, Plan
from ivr.call.understand import masked
from ivr.console import menus
from ivr.console.errors import Missing, Sentence, Wrong, sentence
from ivr.finding import by_pin, by_search
from ivr.menu_paths import query_of
from ivr.wiring import Wiring
from models import articles, drafts
from search.door import SearchBusy
from search.explained import Candidate, Explained

LONGEST = 2000


@dataclass(frozen=True)
class Wanted:
    """What is tried. `draft_id` None: on the live menu; `leaf` "": as one who asked for an agent at once."""

    leaf: str
    language: str
    words: str
    draft_id: int | None = None


@dataclass(frozen=True)
class Trial:
    """What was found. `explained` None where nothing was searched: by a pin, or where nothing may be offered."""

    found: Found
    explained: Explained | None
    path: tuple[str, ...]
    words: str
    titles: Mapping[str, str]

    @property
    def shown(self) -> tuple[Candidate, ...]:
        """The candidates worth a look: of those that may not be offered, what would have come before the best."""
        found = self.explained.candidates if self.explained else ()
        best = max((one.score for one in found if one.verdict != "barred"), default=None)
        return tuple(one for one in found if one.verdict != "barred" or best is None or one.score > best)


@dataclass(frozen=True)
class Place:
    """A leaf to choose from: its id, and the spoken choices that lead to it."""

    leaf: Leaf
    labels: tuple[str, ...]


def plan_of(conn: Connection, wiring: Wiring, draft_id: int | None) -> Plan:
    """The live plan, or what a draft says. Raises Missing, Wrong where it cannot be read as a plan."""
    if draft_id is None:
        try:
            return wiring.plans.live(conn)
        except LookupError:
            raise Wrong({"": sentence("No menu is published yet.")}) from None
    draft = drafts.read(conn, draft_id)
    if draft is None:
        raise Missing(f"there is no draft {draft_id}")
    plan = menus.reading(draft.yaml).plan
    if plan is None:
        raise Wrong({"draft": sentence("This draft has errors that no call could be led through. Mend them first.")})
    return plan


def places(plan: Plan, language: str) -> list[Place]:
    """Every leaf in menu order."""
    return [Place(leaf, plan.labels(path, language)) for path, leaf in plan.leaves().values()]


def try_out(conn: Connection, wiring: Wiring, wanted: Wanted) -> Trial:
    """What a caller would be offered now. Raises Missing, Wrong."""
    plan = plan_of(conn, wiring, wanted.draft_id)
    path, leaf = plan.leaves().get(wanted.leaf, ((), None))
    words = masked(wanted.words)
    problems: dict[str, Sentence | str] = {}
    if wanted.leaf and leaf is None:
        problems["leaf"] = sentence("There is no such leaf in this menu.")
    if wanted.language not in {one.code for one in plan.languages}:
        problems["language"] = sentence("This menu does not speak that language.")
    if len(wanted.words) > LONGEST:
        problems["words"] = sentence("At most %(most)s letters.", most=LONGEST)
    if not leaf and not words:
        problems["words"] = sentence("Say something, or choose a leaf.")
    if problems:
        raise Wrong(problems)
    search = search_at(leaf, path, words, wanted.language, plan)
    labels = plan.labels(path, wanted.language)
    if isinstance(search, str):
        return Trial(Found((), search, None, None, wiring.finders.version), None, labels, words, {})
    pinned = by_pin(conn, search, wiring.finders.version)
    if pinned is not None:
        return Trial(pinned, None, labels, words, {card.id: card.title for card in pinned.cards})
    try:
        explained = wiring.finders.explain(query_of(search), search.wrong_share, wiring.unanswerable)
    except SearchBusy:
        raise Wrong({"": sentence("Too many searches at once. Try again in a moment.")}) from None
    titles = articles.titles(conn, [one.article_id for one in explained.candidates])
    return Trial(by_search(conn, search, explained.answer), explained, labels, words, titles)
