"""Closing months and publishing rate cards: who may, when, and that what is closed stays."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from psycopg import Connection

from ivr import ratecards
from ivr.jobs.settle_ledger import settle_ledger
from ivr.jobs.summarize import summarize_calls
from ivr.ledger.periods import State, Wish, objections
from ivr.months import NotClosed, close_month
from ivr.planfile.problems import PlanRefused
from ivr.ratecards import Publisher
from models import audit, ledger, periods, rates, site, staff, summaries
from tests.ivr.jobs.conftest import Desk, desk, starter_plan
from tests.ivr.jobs.test_settle_ledger import CARD
from tests.ivr.jobs.test_summarize import add_call, use_text

__all__ = ["desk", "starter_plan"]

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
NEW_YORK_ENDS = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)  # midnight there, before the clocks go back
DAY = timedelta(days=1)
NAMES = ("ann", "ben")
WISH = Wish(OCTOBER, "cli:ben", "month end")
GOOD = State(NEW_YORK_ENDS + 7 * DAY, NEW_YORK_ENDS, 7 * DAY, [OCTOBER], None, {}, "cli:ann")


def test_a_month_can_be_closed_once_its_last_day_has_matured() -> None:
    assert objections(WISH, GOOD) == []
    early = objections(WISH, GOOD._replace(now=GOOD.now - timedelta(seconds=1)))
    assert early == ["Callers of its last day may still come back: it can be closed from 2026-11-08T04:00+00:00 on."]
    there = objections(WISH, GOOD._replace(now=GOOD.now - DAY, zone=ZoneInfo("America/New_York")))
    assert "2026-11-07T23:00-05:00" in there[0]  # the clocks went back within the window


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (GOOD._replace(feeds={"e-mail": GOOD.now - timedelta(hours=49)}), "imported 49 hours ago"),
        (GOOD._replace(card_by="cli:ben"), "somebody else"),
        (GOOD._replace(hours_by="cli:ben"), "hours on articles"),
        (GOOD._replace(months=[date(2026, 9, 1), OCTOBER]), "2026-09 has to be closed before"),
        (GOOD._replace(months=[NOVEMBER]), "The books begin with 2026-11"),
        (GOOD._replace(last_closed=OCTOBER), "no month is opened again"),
        (GOOD._replace(last_closed=date(2026, 8, 1)), "2026-09 has to be closed before"),
    ],
)
def test_what_speaks_against_closing_is_said(state: State, said: str) -> None:
    (found,) = objections(WISH, state)
    assert said in found


def test_a_fresh_feed_and_a_reason_are_enough() -> None:
    assert objections(WISH, GOOD._replace(feeds={"e-mail": GOOD.now - timedelta(hours=48)})) == []
    assert objections(WISH._replace(reason="  "), GOOD) == ["A reason is needed."]


@pytest.fixture
def books(db: Connection, desk: Desk) -> Desk:
    """A rate card, a confirmed saving in October, and the time to close."""
    desk.wiring.development_account = False
    desk.now = datetime(2026, 10, 2, tzinfo=UTC)
    ratecards.publish(desk.wiring, db, CARD, Publisher("cli:ann", "first", desk.now))
    add_call(db, "CA1", datetime(2026, 11, 1, 3, 30, tzinfo=UTC))  # 31 October, 23:30, where the site is
    use_text(db, "CA1", datetime(2026, 11, 1, 3, 30, tzinfo=UTC))
    desk.now = NEW_YORK_ENDS + 7 * DAY
    summarize_calls(desk.wiring)
    settle_ledger(desk.wiring)
    return desk


def test_a_call_belongs_to_the_month_of_the_sites_zone(db: Connection, books: Desk) -> None:
    assert site.get(db, "ledger_zone") == "America/New_York"
    assert {row.month for row in ledger.of_call(db, "CA1")} == {OCTOBER}


def test_closing_settles_first_is_noted_and_happens_once(db: Connection, books: Desk) -> None:
    summarize_calls(books.wiring)
    closed = close_month(books.wiring, db, WISH)
    assert closed == periods.read(db, OCTOBER)
    assert (closed.card, closed.closed_by) == (1, "cli:ben")
    assert audit.find(db)[0].what == "ledger.close"
    with pytest.raises(NotClosed, match="no month is opened again"):
        close_month(books.wiring, db, WISH)


def test_who_published_the_rate_card_cannot_close(db: Connection, books: Desk) -> None:
    with pytest.raises(NotClosed, match="somebody else"):
        close_month(books.wiring, db, WISH._replace(who="cli:ann"))
    assert periods.closed(db) == []


def test_who_entered_the_hours_cannot_close(db: Connection, books: Desk) -> None:
    ratecards.enter_hours(db, rates.Hours(OCTOBER, 5_000_000, "cli:ben", "timesheets", books.now))
    with pytest.raises(NotClosed, match="hours on articles"):
        close_month(books.wiring, db, WISH)
    ratecards.enter_hours(db, rates.Hours(OCTOBER, 6_000_000, "cli:ann", "timesheets", books.now))
    summarize_calls(books.wiring)
    close_month(books.wiring, db, WISH)


def test_one_person_at_the_console_and_at_a_terminal_is_one(db: Connection, books: Desk) -> None:
    ann, ben = (staff.add(db, f"{name}@lumora.example", name.title(), "finance", "en", books.now) for name in NAMES)
    ratecards.publish(books.wiring, db, CARD, Publisher(f"staff:{ann}", "again", books.now))
    for who in ("cli:ann", "cli:ANN@lumora.example", f"staff:{ann}"):
        with pytest.raises(NotClosed, match="Who published the rate card does not close"):
            close_month(books.wiring, db, WISH._replace(who=who))
    with pytest.raises(NotClosed, match=f"Nobody can tell that cli:root is not staff:{ann}"):
        close_month(books.wiring, db, WISH._replace(who="cli:root"))
    ratecards.enter_hours(db, rates.Hours(OCTOBER, 5_000_000, "cli:ben", "timesheets", books.now))
    with pytest.raises(NotClosed, match="hours on articles"):
        close_month(books.wiring, db, WISH._replace(who=f"staff:{ben}"))
    ratecards.enter_hours(db, rates.Hours(OCTOBER, 5_000_000, "cli:ann", "timesheets", books.now))
    summarize_calls(books.wiring)
    assert close_month(books.wiring, db, WISH).closed_by == "cli:ben"


def test_a_login_that_could_be_two_people_is_neither(db: Connection, books: Desk) -> None:
    for number in range(2):
        staff.add(db, f"ann@{number}.lumora.example", f"Ann {number}", "finance", "en", books.now)
    assert staff.at_terminal(db, "ann") is None
    assert staff.at_terminal(db, "Ann 1") == staff.by_email(db, "ann@1.lumora.example")


def test_a_rate_card_may_change_open_months_and_no_closed_one(db: Connection, books: Desk) -> None:
    summarize_calls(books.wiring)
    before = ledger.lines(db, OCTOBER)
    dearer = CARD.replace("8.00", "9.00")
    close_month(books.wiring, db, WISH)
    with pytest.raises(PlanRefused, match="closed month"):
        ratecards.publish(books.wiring, db, dearer, Publisher("cli:ann", "dearer", books.now))
    cut = CARD.replace("from: 2026-10-01", "from: 2026-10-01\n    until: 2026-11-01")
    from_november = cut + dearer.split("spans:\n")[1].replace("2026-10-01", "2026-11-01")
    assert ratecards.publish(books.wiring, db, from_november, Publisher("cli:ann", "dearer", books.now)) == 2
    summarize_calls(books.wiring)
    settle_ledger(books.wiring)
    assert ledger.lines(db, OCTOBER) == before


def test_a_month_closed_without_a_rate_card_is_priced_by_none_later(db: Connection, desk: Desk) -> None:
    desk.wiring.development_account = False
    desk.now = datetime(2026, 11, 9, tzinfo=UTC)
    summarize_calls(desk.wiring)
    close_month(desk.wiring, db, WISH)
    publisher = Publisher("cli:ann", "first", desk.now)
    with pytest.raises(PlanRefused, match="months before 2026-11-01 were closed without a rate card"):
        ratecards.publish(desk.wiring, db, CARD, publisher)
    assert ratecards.publish(desk.wiring, db, CARD.replace("2026-10-01", "2026-11-01"), publisher) == 1


def test_a_dearer_contact_corrects_what_is_booked_in_an_open_month(db: Connection, books: Desk) -> None:
    ratecards.publish(books.wiring, db, CARD.replace("8.00", "9.00"), Publisher("cli:ann", "dearer", books.now))
    summarize_calls(books.wiring)
    settle_ledger(books.wiring)
    confirmed = [row for row in ledger.of_call(db, "CA1") if row.kind == "confirmed_inferred"]
    assert [(row.amount, row.card, row.seq) for row in confirmed] == [(7_200_000, 1, 0), (900_000, 2, 1)]
    assert confirmed[1].undoes == confirmed[0].id
    assert confirmed[1].reason == "correction: the figure changed"


def test_the_window_of_the_rate_card_is_that_of_the_calls_pages(db: Connection, books: Desk) -> None:
    began = books.now - 2 * DAY
    add_call(db, "CA9", began, key="carl")
    use_text(db, "CA9", began)

    def outcome() -> str:
        summarize_calls(books.wiring)
        row = summaries.read(db, "CA9")
        return str(row["outcome"]) if row else ""

    assert outcome() == "provisional"
    card = CARD.replace("window_days: 7", "window_days: 1")
    ratecards.publish(books.wiring, db, card, Publisher("cli:ann", "shorter", books.now))
    assert outcome() == "confirmed_inferred"
