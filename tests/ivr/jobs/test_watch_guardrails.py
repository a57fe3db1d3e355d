"""Offers that do harm are stopped by nobody's hand."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from ivr.jobs.watch_guardrails import watch_guardrails
from models import articles, audit, cohorts, summaries, switches
from models.cohorts import Period, TallyRow
from search.article import Answer, Article
from tests.ivr.jobs.conftest import NOON, Desk

BEGAN = NOON - timedelta(days=20)
WINDOW = timedelta(days=7)
NUMBERS = itertools.count()


@pytest.fixture(autouse=True)
def live_articles(db: Connection, desk: Desk) -> None:
    desk.wiring.development_account = False
    articles.upsert_many(db, [Article(f"a{n}", f"Article {n}", "How?", (Answer("So."),)) for n in range(3)], "test")
    db.execute("UPDATE articles SET updated_at = %s", (BEGAN - timedelta(days=1),))


def callers(conn: Connection, count: int, arm: str, *, article: str = "a0", **told: Any) -> None:
    """That many callers of an arm, alike, each their first call; half were held out."""
    experiment = {"arm": arm, "probability": 0.5, "experiment": "offer-1", "forced": False, "article": article}
    usual = dict.fromkeys(summaries.COLUMNS) | {
        "started_at": BEGAN, "ended_at": BEGAN + timedelta(minutes=5), "contact": True, "came_back": False,
        "language": "en", "test": False, "path": [], "queue": "billing", "described": 0, "offers": [], "evidence": {},
        "texts": 0, "segments": 0, "sent": 0, "delivered": 0, "failed": 0, "scanned": False, "opted_out": False,
        "follow_ups": 0, "follow_up_segments": 0, "reply_segments": 0, "rejoined": False, "overflowed": False,
        "facts": 1, "outcome": "none", "outcome_at": BEGAN, "judge_at": None,
    }  # fmt: skip
    rows = [usual | experiment | {"call_sid": f"CA{n}", "caller_key": f"key{n}"} | told
            for n in itertools.islice(NUMBERS, count)]  # fmt: skip
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO calls (call_sid, number, caller_key, language, plan_version, test, stage, state, reply,"
            " started_at, updated_at) VALUES (%s, '+15005550006', %s, 'en', 1, false, 'ended', '', '', %s, %s)",
            [(row["call_sid"], row["caller_key"], row["started_at"], row["started_at"]) for row in rows],
        )
    summaries.put(conn, rows, NOON)


ANSWERED: dict[str, Any] = {"agent_at": BEGAN + timedelta(minutes=2), "agent_s": 180}
GONE: dict[str, Any] = {"hung_up_at": BEGAN + timedelta(minutes=2)}


def test_an_article_that_drives_callers_away_is_withdrawn_with_a_note(db: Connection, desk: Desk) -> None:
    callers(db, 300, "holdout", **ANSWERED)
    callers(db, 300, "treat", **GONE)
    callers(db, 300, "holdout", article="a1", **ANSWERED)
    callers(db, 300, "treat", article="a1", **ANSWERED)
    assert [one.article for one in watch_guardrails(desk.wiring)] == ["a0"]
    assert articles.state(db, "a0") == "withdrawn"
    assert articles.state(db, "a1") == "live"
    assert switches.stopped(db) == []
    (line,) = audit.find(db)
    assert (line.who, line.what, line.on) == ("guardrail", "article.withdraw", "a0")
    assert line.why.startswith("more callers hung up without using an article than in the holdout (100.0%, surely")
    assert watch_guardrails(desk.wiring) == []


def test_harm_by_no_article_in_particular_stops_all_offers(db: Connection, desk: Desk) -> None:
    callers(db, 600, "holdout", article="a0", **ANSWERED)
    callers(db, 300, "treat", article="a0", **ANSWERED)
    callers(db, 300, "treat", article="a0", **GONE)
    db.execute("UPDATE articles SET updated_at = %s", (NOON,))
    assert [one.article for one in watch_guardrails(desk.wiring)] == [None]
    assert switches.stopped(db) == [switches.ALL]
    assert switches.standing(db)[switches.ALL].who == "guardrail"
    assert [(line.who, line.what, line.on) for line in audit.find(db)] == [("guardrail", "offers.stop", "all queues")]


def test_offers_that_go_on_by_a_managers_hand_are_judged_by_what_comes_after(db: Connection, desk: Desk) -> None:
    callers(db, 300, "holdout", **ANSWERED)
    callers(db, 300, "treat", **GONE)
    switches.pull(db, switches.ALL, stopped=False, who="Ann", why="looked at", at=NOON - timedelta(days=2))
    assert watch_guardrails(desk.wiring) == []


def test_callers_are_counted_once_by_their_first_exposure(db: Connection) -> None:
    callers(db, 3, "treat", caller_key="anna", **ANSWERED)
    callers(db, 1, "treat", caller_key=None, **ANSWERED)
    callers(db, 1, "treat", forced=True, **ANSWERED)
    callers(db, 1, "holdout", next_agent_at=BEGAN + WINDOW, **GONE)
    callers(db, 2, "holdout", **GONE)
    period = Period(datetime(2026, 11, 1, tzinfo=UTC), NOON, "UTC", WINDOW)
    found = [(cell.arm, cell.contacted, cell.agent_s, cell.callers, cell.share) for cell in cohorts.cells(db, period)]
    assert found == [("holdout", False, 0, 3, 0.5), ("treat", True, 540, 1, 0.5)]
    assert cohorts.uncounted(db, period) == (1, 0)
    assert [TallyRow(*row).callers for row in cohorts.tallies(db, period, NOON)] == [3, 1]
