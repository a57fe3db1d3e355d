"""The worker builds a new index when many articles changed, or some did a day ago; one at a time."""

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from psycopg import Connection

from config.settings import Settings
from ivr.jobs.rebuild_index import MANY, Rebuilding
from ivr.wiring import Wiring, build
from models import articles, indexes
from search.article import Article

BRIEF = (sys.executable, "-c", "")
LONG = (sys.executable, "-c", "import time; time.sleep(20)")


@pytest.fixture
def wiring(settings: Settings) -> Iterator[Wiring]:
    made = build(settings, name="tests", pool_size=2)
    yield made
    made.close()


def published(db: Connection, wiring: Wiring, age: timedelta) -> None:
    until = time.monotonic() + 30  # a transaction of another test on this server makes what changed look new
    while indexes.changed_since(db, indexes.snapshot(db), 1) and time.monotonic() < until:
        time.sleep(0.05)
    built_at = wiring.clock() - age
    indexes.add(db, indexes.IndexVersion("v1", built_at, 1, "m", "d", read_at=indexes.snapshot(db)))
    indexes.publish(db, "v1")


def community(count: int) -> list[Article]:
    return [Article(f"a{number}", f"Title {number}", "", ()) for number in range(count)]


def test_nothing_changed_is_nothing_to_build(db: Connection, wiring: Wiring) -> None:
    assert not Rebuilding(BRIEF).rebuild_index(wiring)  # no index at all: a release builds the first
    articles.upsert_many(db, community(3), "test")
    published(db, wiring, timedelta(days=9))
    assert not Rebuilding(BRIEF).rebuild_index(wiring)


def test_a_few_changes_wait_for_a_day(db: Connection, wiring: Wiring) -> None:
    published(db, wiring, timedelta(hours=23))
    articles.upsert_many(db, community(3), "test")
    assert not Rebuilding(BRIEF).rebuild_index(wiring)
    db.execute("UPDATE index_versions SET built_at = built_at - interval '2 hours'")
    rebuilding = Rebuilding(BRIEF)
    assert rebuilding.rebuild_index(wiring)
    assert rebuilding._running is not None
    assert rebuilding._running.wait(10) == 0


def test_nothing_is_built_over_an_index_that_was_rolled_back_to(db: Connection, wiring: Wiring) -> None:
    published(db, wiring, timedelta(0))
    articles.upsert_many(db, community(MANY), "test")
    indexes.roll_back(db, "v1")
    assert not Rebuilding(BRIEF).rebuild_index(wiring)


def test_many_changes_are_built_at_once_and_only_once_and_an_hour_after_a_failure(
    db: Connection, wiring: Wiring
) -> None:
    published(db, wiring, timedelta(0))
    articles.upsert_many(db, community(MANY), "test")
    rebuilding = Rebuilding(LONG)
    assert rebuilding.rebuild_index(wiring)
    assert not rebuilding.rebuild_index(wiring)
    running = rebuilding._running
    assert running is not None
    running.terminate()
    running.wait(10)
    assert not rebuilding.rebuild_index(wiring)
    soon = replace(wiring, clock=lambda: wiring.clock() + timedelta(minutes=59))
    assert not rebuilding.rebuild_index(soon)
    later = replace(wiring, clock=lambda: wiring.clock() + timedelta(minutes=61))
    assert rebuilding.rebuild_index(later)
    again = rebuilding._running
    assert again is not None
    again.terminate()
    again.wait(10)
