"""The tables of plans and queue switches."""

from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import Connection

from models import plans

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_versions_count_up_and_the_last_one_is_live(db: Connection) -> None:
    first, second = plans.publish(db, "a", "dana", "x"), plans.publish(db, "b", "lee", "y", source=1)
    assert second == first + 1
    assert (plans.live_version(db), plans.yaml(db, first), plans.yaml(db, second)) == (second, "a", "b")
    assert [(one.version, one.published_by, one.source_version, one.live) for one in plans.history(db)] == [
        (second, "lee", 1, True), (first, "dana", None, False)]  # fmt: skip


def test_without_a_plan_there_is_no_live_version(db: Connection) -> None:
    assert (plans.live_version(db), plans.yaml(db, 1), plans.history(db)) == (None, None, [])


def test_a_publication_that_fails_halfway_leaves_nothing(db: Connection) -> None:
    db.execute("ALTER TABLE live_plan ADD CHECK (version < 0)")
    with pytest.raises(psycopg.errors.CheckViolation):
        plans.publish(db, "a", "dana", "x")
    assert plans.history(db) == []


def test_a_queue_closed_by_hand_is_open_again_after_the_next_switch(db: Connection) -> None:
    plans.switch_queue(db, "billing", closed=True, who="dana", why="fire drill", at=AT)
    plans.switch_queue(db, "general", closed=True, who="dana", why="fire drill", at=AT)
    assert plans.closed_queues(db) == ["billing", "general"]
    plans.switch_queue(db, "billing", closed=False, who="lee", why="over", at=AT)
    assert plans.closed_queues(db) == ["general"]
    assert plans.queue_switches(db)[0] == plans.QueueSwitch("billing", False, "lee", "over", AT)
