"""Many searches at once, as a rehearsal asks them, and each alone, as a call asks it: by the encoder that serves."""

import pytest
from psycopg import Connection

from ivr.call.effects import Search
from ivr.call.events import Found
from ivr.call.joining import search_at
from ivr.call.values import replace
from ivr.finding import find, find_all
from ivr.wiring import Wiring
from search.encoder import load_encoder
from search.finder import Finder
from tests.ivr.web.console.test_studying import conn as conn
from tests.ivr.web.console.test_studying import wiring as wiring
from tests.scenery import Scenery

CLOSE = 1e-4  # of a chance
TAGS = frozenset({"internet", "mobile", "tv"})


def test_two_plans_asked_at_once_answer_every_caller_as_a_call_would(
    scenery: Scenery, wiring: Wiring, conn: Connection
) -> None:
    wiring.finders.swap(Finder(scenery.bundle, load_encoder("onnx-fast")))
    plan = wiring.plans.live(conn)
    leaves = list(plan.leaves().values())
    asked: set[Search] = set()
    for number, title in enumerate(sorted(scenery.bundle.titles)):
        path, leaf = leaves[number % len(leaves)]
        search = search_at(leaf, path, f"um {title.lower()} again", "es" if title[0] in "¿¡" else "en", plan)
        if isinstance(search, Search):
            asked |= {search, replace(search, pinned=(), allowed_tags=TAGS)}
    together = find_all(wiring, conn, asked, 2, lambda _: None)
    alone = {search: find(wiring, conn, search) for search in asked}
    assert len(asked) > 150
    assert {search: _heard(one) for search, one in together.items()} == {
        search: _heard(one) for search, one in alone.items()
    }
    for search, one in together.items():
        assert one.score == pytest.approx(alone[search].score, abs=CLOSE)
    assert {one.reason for one in alone.values()} >= {None, "nothing_near", "not_allowed_here"}


def _heard(found: Found) -> tuple[tuple[str, ...], str | None, str]:
    return tuple(card.id for card in found.cards), found.reason, found.how
