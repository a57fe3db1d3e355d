"""Whatever a caller chooses without a word is in the table before it is asked for."""

from datetime import UTC, datetime

import pytest

from ivr.call import joining
from ivr.call.moment import Moment
from ivr.call.plan import Leaf, Plan
from ivr.call.state import Caller, CallerKind, CallState
from ivr.menu_paths import queries
from ivr.planfile.read import read_plan
from ivr.planfile.store import STARTER
from search.query import Query

NOON = Moment(datetime(2026, 11, 23, 17, 0, tzinfo=UTC))


@pytest.fixture(scope="module")
def plan() -> Plan:
    read = read_plan(STARTER.read_bytes()).plan
    assert read is not None
    return read


def asked(plan: Plan, path: tuple[str, ...], language: str) -> Query | None:
    """What the finder is asked for a caller who went this way and then to the queue."""
    caller = Caller(CallerKind.MOBILE, None, 0)
    end = plan.walk(path)
    leaf = end if isinstance(end, Leaf) else None
    state = CallState("CA1", plan.version, caller, "+15005550006", 0, language=language, path=path)
    search = joining.to_queue(state, plan, NOON, leaf=leaf).search
    return Query(search.path, search.transcript, search.language, search.allowed_tags) if search else None


def test_every_leaf_and_menu_in_every_language_is_in_the_table(plan: Plan) -> None:
    leaves = [path for path, _ in plan.leaves().values()]
    paths = {path[:length] for path in leaves for length in range(1, len(path) + 1)}
    wanted = {asked(plan, path, one.code) for path in paths for one in plan.languages} - {None}
    assert len(wanted) > 20
    assert queries(plan) == wanted


def test_where_nothing_is_ever_offered_nothing_is_searched(plan: Plan) -> None:
    silent = [path for path, leaf in plan.leaves().values() if leaf.never_offer]
    assert silent
    told = {query.path for query in queries(plan)}
    assert told.isdisjoint(plan.labels(path, one.code) for path in silent for one in plan.languages)
