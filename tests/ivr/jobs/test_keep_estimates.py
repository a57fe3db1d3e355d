"""Estimates of open months: kept while nothing changes, the same as made anew, and none of them outlives the books."""

from datetime import UTC, date, datetime, timedelta

import pytest
from psycopg import Connection

from bench import bulk
from ivr import statements
from ivr.console import finance as figures
from ivr.jobs import keep_estimates as estimates
from ivr.jobs.keep_estimates import keep_estimates
from ivr.jobs.settle_ledger import Books, settle_ledger, zone_of
from ivr.jobs.summarize import summarize_calls
from ivr.ledger.periods import Wish
from ivr.months import close_month
from models import cohorts, facts, numbers, summaries
from models import statements as kept
from tests.ivr.jobs.conftest import Desk, desk, starter_plan
from tests.ivr.jobs.test_settle_ledger import CARD, DAY, publish
from tests.ivr.jobs.test_summarize import add_call

__all__ = ["desk", "starter_plan"]

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
CARD_OF_THREE_DAYS = CARD.replace("window_days: 7", "window_days: 3")


@pytest.fixture
def busy(db: Connection, desk: Desk) -> Desk:
    """Some hundred calls of two open months, settled."""
    desk.wiring.development_account, desk.now = False, NOW
    publish(db)
    bulk.fill(db, 250, until=NOW, days=45)
    settle(desk)
    return desk


def settle(desk: Desk) -> None:
    summarize_calls(desk.wiring)
    settle_ledger(desk.wiring)


def of_month(conn: Connection, desk: Desk, month: date = OCTOBER) -> estimates.Estimate:
    books = Books(conn, zone_of(desk.wiring, conn), desk.now, test=False)
    return estimates.of_month(conn, books, month, closed=False, window=books.window)


def forget(conn: Connection) -> None:
    conn.execute("DELETE FROM month_estimates")


def test_what_is_kept_equals_what_is_made_from_the_calls_to_the_last_digit(db: Connection, busy: Desk) -> None:
    for month in (OCTOBER, NOVEMBER):
        forget(db)
        made = of_month(db, busy, month)
        assert sum(cell.callers for cell in made.cells) > 10
        assert made.agent_minutes is not None
        assert of_month(db, busy, month) == made
        read = statements.draft(busy.wiring, db, month)
        forget(db)
        assert statements.draft(busy.wiring, db, month) == read


def test_nobody_waits_for_an_estimate_that_the_worker_made(
    db: Connection, busy: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert keep_estimates(busy.wiring) == 2
    monkeypatch.setattr(estimates, "minutes", None)  # to make one anew would fail
    busy.now += 30 * timedelta(minutes=1)
    for month in (OCTOBER, NOVEMBER):
        found = statements.draft(busy.wiring, db, month)
        assert found.made_at == NOW  # it says as of when it is
    assert keep_estimates(busy.wiring) == 2


def test_a_call_that_came_in_changes_the_figures_with_the_settlement(db: Connection, busy: Desk) -> None:
    before = statements.draft(busy.wiring, db, OCTOBER)
    bulk.fill(db, 30, seed=2, until=datetime(2026, 10, 21, tzinfo=UTC), days=1)
    busy.now += timedelta(minutes=1)
    settle(busy)
    after = statements.draft(busy.wiring, db, OCTOBER)
    assert after.counts.calls == before.counts.calls + 30
    assert after.made_at == busy.now
    assert after.told is not None
    assert before.told is not None
    assert after.told.treated > before.told.treated


def test_who_comes_back_in_the_next_month_changes_the_month_before(db: Connection, busy: Desk) -> None:
    row = db.execute(
        "SELECT caller_key, max(started_at) FROM call_summaries GROUP BY caller_key HAVING count(*) = 1 AND"
        " bool_and(arm = 'treat' AND agent_at IS NULL AND started_at BETWEEN '2026-10-26' AND '2026-11-01') LIMIT 1"
    ).fetchone()
    assert row is not None
    before = of_month(db, busy)
    assert summaries.note_contacts(db, [(row[0], row[1] + timedelta(days=6))], busy.now) == 1
    settle(busy)
    assert _contacted(of_month(db, busy)) == _contacted(before) + 1


def test_a_caller_drawn_with_a_chance_that_is_not_on_record_is_left_out(db: Connection, busy: Desk) -> None:
    before = of_month(db, busy)
    once = db.execute(
        "SELECT call_sid FROM call_summaries s WHERE arm = 'treat' AND started_at BETWEEN '2026-10-02' AND '2026-10-30'"
        " AND (SELECT count(*) FROM call_summaries WHERE caller_key = s.caller_key) = 1 LIMIT 1"
    ).fetchone()
    assert once is not None
    db.execute("UPDATE call_summaries SET probability = NULL WHERE call_sid = %s", once)
    forget(db)
    after = of_month(db, busy)
    assert sum(cell.callers for cell in after.cells) == sum(cell.callers for cell in before.cells) - 1


def _contacted(one: estimates.Estimate) -> int:
    return sum(cell.callers for cell in one.cells if cell.contacted)


def test_another_rate_card_another_hour_or_another_rule_makes_it_anew(
    db: Connection, busy: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert of_month(db, busy, NOVEMBER).as_of == NOW
    busy.now += HOUR
    later = of_month(db, busy, NOVEMBER)
    assert later.as_of == busy.now
    assert later.period.until == datetime(2026, 11, 13, 13, 0, tzinfo=UTC)
    assert of_month(db, busy).period.until == datetime(2026, 11, 1, 4, 0, tzinfo=UTC)  # all of October
    monkeypatch.setattr(estimates, "FORM", estimates.FORM + 1)
    assert _at_noon(of_month(db, busy, NOVEMBER)) == _at_noon(later)
    db.execute("UPDATE month_estimates SET content = '{}'")  # to read it would fail
    publish(db, CARD_OF_THREE_DAYS)
    settle(busy)
    assert of_month(db, busy, NOVEMBER).period.window == timedelta(days=3)


def test_who_has_two_numbers_is_one_person_and_an_agents_time_with_either_counts(db: Connection, desk: Desk) -> None:
    desk.wiring.development_account, desk.now = False, NOW
    began, drawn = NOW - 25 * DAY, {"arm": "holdout", "probability": 0.5, "experiment": "offer-1"}
    for day, (sid, key) in enumerate((("CA1", "mobile"), ("CA2", "office"), ("CA3", "other"))):
        add_call(db, sid, began + day * DAY, key=key, lasts_s=600)
        facts.add(db, sid, "assigned", began + day * DAY, drawn)
    facts.add(db, "CA2", "agent_connected", began + DAY + timedelta(seconds=300), {})
    settle(desk)
    apart = of_month(db, desk, OCTOBER)
    assert sum(cell.callers for cell in apart.cells) == 3
    assert numbers.join(db, "mobile", "customer")
    assert numbers.join(db, "office", "customer")
    summaries.relate(db, ["CA1", "CA2"], NOW)
    forget(db)
    books = Books(db, zone_of(desk.wiring, db), desk.now, test=False)
    exposed = estimates.period(books, OCTOBER, closed=False, window=books.window)
    cells = sorted((cell.contacted, cell.agent_s, cell.callers) for cell in cohorts.cells(db, exposed))
    assert cells == [(False, 0, 1), (True, 300, 1)]
    held = sorted((cell.agent_s, cell.callers) for cell in kept.spent(db, exposed, "duration_s"))
    assert held == [(600, 1), (1200, 1)]
    within = {days: sum(cell.contacted for cell in found) for days, found in of_month(db, desk).windows}
    assert within == {1: 0, 3: 1, 7: 1}  # the agent answered a day and five minutes after the first call


def _at_noon(one: estimates.Estimate) -> estimates.Estimate:
    return one._replace(as_of=NOW)


def test_a_closed_months_estimate_stays_as_it_was_signed(db: Connection, busy: Desk) -> None:
    open_still = statements.draft(busy.wiring, db, OCTOBER)
    close_month(busy.wiring, db, Wish(OCTOBER, "cli:ben", "month end"))
    assert statements.sign_closed(busy.wiring, db) == [OCTOBER]
    closed = statements.draft(busy.wiring, db, OCTOBER)
    assert (closed.counts, closed.wait_minutes) == (open_still.counts, open_still.wait_minutes)
    bulk.fill(db, 30, seed=2, until=datetime(2026, 10, 21, tzinfo=UTC), days=1)
    busy.now += timedelta(days=1)
    settle(busy)
    assert keep_estimates(busy.wiring) == 1  # November
    assert statements.draft(busy.wiring, db, OCTOBER) == closed


def test_the_evidence_of_a_figure_is_what_the_statement_counts(db: Connection, busy: Desk) -> None:
    for month in (OCTOBER, NOVEMBER):
        found = statements.draft(busy.wiring, db, month)
        assert found.told is not None
        cells = figures.evidence(busy.wiring, db, month, "incremental", figures.Asked()).cells
        arms = {arm: sum(cell.callers for cell in cells if cell.arm == arm) for arm in ("treat", "holdout")}
        assert arms == {"treat": found.told.treated, "holdout": found.told.held_out}
        calls = figures.evidence(busy.wiring, db, month, "naive", figures.Asked()).calls
        assert len(calls) == found.counts.naive > 0
