"""The numbers of the pages agree with the calls they count."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection
from psycopg.rows import dict_row

from bench import bulk
from ivr.jobs.summarize import rebuild, summarize_calls
from models import counts
from tests.ivr.jobs.conftest import Desk, desk, starter_plan  # noqa: F401  (fixtures)

UNTIL = datetime(2026, 11, 20, tzinfo=UTC)
SINCE = date(2026, 11, 1)


def calls(conn: Connection) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT * FROM call_summaries WHERE NOT test").fetchall()


def back(call: dict[str, Any]) -> bool:
    return call["next_contact_at"] is not None and call["next_contact_at"] < call["ended_at"] + timedelta(days=7)


def counted(rows: list[dict[str, Any]]) -> counts.Calls:
    return counts.Calls(
        calls=len(rows),
        held=sum(one["held_at"] is not None for one in rows),
        eligible=sum(one["eligible_at"] is not None for one in rows),
        offers=sum(one["offered_at"] is not None for one in rows),
        taken=sum(one["accepted_at"] is not None for one in rows),
        texts=sum(one["texts"] > 0 for one in rows),
        opened=sum(one["opened_at"] is not None for one in rows),
        solved=sum(one["solved_at"] is not None for one in rows),
        not_solved=sum(one["not_at"] is not None for one in rows),
        back=sum(map(back, rows)),
        hung_up=sum(one["hung_up_at"] is not None for one in rows),
        agents=sum(one["agent_at"] is not None for one in rows),
    )


@pytest.fixture
def filled(db: Connection, desk: Desk) -> list[dict[str, Any]]:  # noqa: F811
    """Calls summarized in two goes, then made anew in part: the counts have gone up and down."""
    bulk.fill(db, 300, until=UNTIL, days=10)
    desk.now = UNTIL
    summarize_calls(desk.wiring)
    bulk.fill(db, 200, seed=2, until=UNTIL, days=20)
    desk.pass_time(200)
    summarize_calls(desk.wiring)
    db.execute("UPDATE call_summaries SET test = true WHERE queue = 'urgent'")
    db.execute("DELETE FROM call_summaries WHERE leaf = 'billing-payments'")
    rebuild(desk.wiring)
    db.execute("DELETE FROM call_summaries WHERE leaf = 'mobile-other'")
    return calls(db)


def test_counts_are_those_of_the_calls(db: Connection, filled: list[dict[str, Any]]) -> None:
    assert counted(filled).opened > 20
    assert counted(filled).back > 5
    leaves = {one["leaf"] or "" for one in filled}
    assert {leaf: calls for leaf, calls in counts.leaves(db, SINCE - timedelta(days=30)).items() if calls.calls} == {
        leaf: counted([one for one in filled if (one["leaf"] or "") == leaf]) for leaf in leaves
    }
    queues = counts.queues(db, SINCE - timedelta(days=30))
    assert queues["billing"] == counted([one for one in filled if one["queue"] == "billing"])


def test_a_branch_has_the_calls_of_all_its_ends(db: Connection, filled: list[dict[str, Any]]) -> None:
    late = [
        one for one in filled if datetime(2026, 11, 12, tzinfo=UTC) <= one["started_at"] < UNTIL - timedelta(days=1)
    ]
    branches = counts.branches(db, date(2026, 11, 12), date(2026, 11, 19))
    assert branches[()] == counted(late)
    assert branches[("mobile",)] == counted([one for one in late if one["path"][:1] == ["mobile"]])
    leaf = ("mobile", "roaming")
    assert branches[leaf] == counted([one for one in late if tuple(one["path"]) == leaf])
    assert sum(calls.calls for calls in counts.days(db, date(2026, 11, 12), date(2026, 11, 19)).values()) == len(late)


def test_articles_count_what_callers_did_with_each(db: Connection, filled: list[dict[str, Any]]) -> None:
    expected: dict[str, Counter[str]] = {}
    for call in filled:
        for one in call["offers"]:
            did = expected.setdefault(one["article"], Counter())
            did.update(name for name in counts.ArticleCalls._fields if one.get(name) is True)
            did.update(["back"] if one["offered"] and back(call) else [])
    found = {one.article: one for one in counts.articles(db, SINCE - timedelta(days=30))}
    assert max(one.solved for one in found.values()) > 0
    assert set(found) == {article for article, did in expected.items() if did}
    names = counts.ArticleCalls._fields[1:]
    for article, one in found.items():
        assert one == counts.ArticleCalls(article, *(expected[article][name] for name in names))


def test_leaves_that_find_nothing_come_by_calls(db: Connection, filled: list[dict[str, Any]]) -> None:
    found = counts.nothing_found(db, SINCE - timedelta(days=30))
    expected = Counter((one["leaf"], one["refusal"]) for one in filled if one["refusal"])
    assert {(one.leaf, one.refusal): one.calls for one in found} == expected
    assert [one.calls for one in found] == sorted(expected.values(), reverse=True)
