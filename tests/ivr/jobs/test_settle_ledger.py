"""The books: what a settlement writes, and that it writes nothing twice."""

from datetime import UTC, date, datetime, timedelta

import pytest
from psycopg import Connection, errors

from bench import bulk
from ivr.jobs.settle_ledger import settle_ledger
from ivr.jobs.summarize import summarize_calls
from models import contacts, facts, ledger, periods, rates, settlement, summaries
from models.contacts import NewContact
from tests.faults.settle_kills import books, forget_books
from tests.ivr.jobs.conftest import Desk
from tests.ivr.jobs.test_summarize import add_call, use_text

BEGAN = datetime(2026, 10, 6, 17, 0, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
CARD = """\
window_days: 7
spans:
  - from: 2026-10-01
    currency: USD
    agents:
      billing: {cost: 8.00, minutes: 6, owner: Ann, source: budget 2026}
    prices:
      message: {value: 0.0083, owner: Ann, source: invoice}
      carrier_fee: {value: 0.0045, owner: Ann, source: invoice}
      failed_message: {value: 0.001, owner: Ann, source: invoice}
      content_hour: {value: 50, owner: Ann, source: payroll}
    monthly:
      hosting: {value: 31, owner: Ann, source: invoice}
    gave_up: {share: 0, value: 0.1, owner: Ann, source: last year}
""".replace("share: 0, ", "")


@pytest.fixture(autouse=True)
def real_callers(desk: Desk) -> None:
    desk.wiring.development_account = False


def settle(desk: Desk, now: datetime) -> int:
    desk.now = now
    summarize_calls(desk.wiring)
    return settle_ledger(desk.wiring)


def publish(conn: Connection, yaml: str = CARD) -> None:
    rates.add(conn, yaml, "cli:ann", "new", BEGAN - 5 * DAY)


def booked(conn: Connection, sid: str) -> list[tuple[str, int]]:
    return [(row.kind, row.amount) for row in ledger.of_call(conn, sid)]


def sums(conn: Connection) -> list[ledger.LineRow]:
    """The months' lines, which equal the postings."""
    found = ledger.all_lines(conn)
    assert found == ledger.lines_from_postings(conn)
    return found


def test_a_used_text_is_pending_then_confirmed_and_its_cost_is_charged(db: Connection, desk: Desk) -> None:
    publish(db)
    add_call(db, "CA1", BEGAN)
    use_text(db, "CA1", BEGAN)
    settle(desk, BEGAN + DAY)
    assert booked(db, "CA1") == [("provisional", 7_200_000), ("message", -12_800)]
    settle(desk, BEGAN + 8 * DAY)
    assert booked(db, "CA1")[2:] == [("released", -7_200_000), ("confirmed_inferred", 7_200_000)]
    provisional, _, released, confirmed = ledger.of_call(db, "CA1")
    assert released.undoes == provisional.id
    assert (confirmed.month, confirmed.contacts, confirmed.agent_ms) == (date(2026, 10, 1), 900_000, 324_000)
    assert (confirmed.card, confirmed.share, confirmed.seq) == (1, 100_000, 0)
    told = {fact.name for fact in facts.of_call(db, "CA1") if fact.id in confirmed.facts}
    assert told == {"assigned", "delivered", "clicked", "hung_up_in_queue"}
    assert settle(desk, BEGAN + 8 * DAY) == 0


def test_a_month_of_outage_gives_the_same_books(db: Connection, desk: Desk) -> None:
    publish(db)
    add_call(db, "CA1", BEGAN)
    use_text(db, "CA1", BEGAN)
    settle(desk, BEGAN + 30 * DAY)
    assert booked(db, "CA1") == [
        ("provisional", 7_200_000),
        ("released", -7_200_000),
        ("confirmed_inferred", 7_200_000),
        ("message", -12_800),
    ]
    hosting = [row for row in ledger.of_call(db, "") if row.kind == "fixed"]
    assert len(hosting) == 35
    assert sum(row.amount for row in hosting if row.month == date(2026, 10, 1)) == -31_000_000
    sums(db)


def test_a_feed_imported_late_changes_no_haircut_of_before_whenever_these_are_made(db: Connection, desk: Desk) -> None:
    publish(db)
    for n in range(60):
        add_call(db, f"CH{n}", BEGAN, key=f"held{n}")
        facts.add(db, f"CH{n}", "eligible", BEGAN + MINUTE, {"article": "a1"})
        facts.add(db, f"CH{n}", "assigned", BEGAN + MINUTE, {"arm": "holdout", "probability": 0.5})
        facts.add(db, f"CH{n}", "hung_up_in_queue", BEGAN + 1.4 * MINUTE, {"waited_s": 84})
    late, days = BEGAN + 20 * DAY, (12, 25)
    for day in days:
        add_call(db, f"CA{day}", BEGAN + day * DAY, key=f"caller{day}")
        use_text(db, f"CA{day}", BEGAN + day * DAY)
        settle(desk, BEGAN + day * DAY + 5 * MINUTE)
        if day < 20:  # three weeks later they are known to have come back
            told, back = contacts.begin(db, "shop", "crm.csv", "cli:ann", late), BEGAN + DAY
            contacts.add(db, told, "shop", [NewContact(f"held{n}", back, "") for n in range(60)])
            assert summaries.note_contacts(db, [(f"held{n}", back) for n in range(60)], late) == 60
    settle(desk, BEGAN + 40 * DAY)
    attentive = books(db)
    shares = {
        sid: {row.share for row in ledger.of_call(db, sid) if row.kind == "provisional"} for sid in ("CA12", "CA25")
    }
    assert shares == {"CA12": {1_000_000}, "CA25": {0}}
    forget_books(db)
    settle(desk, BEGAN + 40 * DAY)
    assert books(db) == attentive


def test_who_comes_back_takes_the_saving_back(db: Connection, desk: Desk) -> None:
    publish(db)
    add_call(db, "CA1", BEGAN)
    use_text(db, "CA1", BEGAN)
    add_call(db, "CA2", BEGAN + 2 * DAY)
    settle(desk, BEGAN + 8 * DAY)
    assert booked(db, "CA1") == [("provisional", 7_200_000), ("reversal", -7_200_000), ("message", -12_800)]
    provisional, reversal, _ = ledger.of_call(db, "CA1")
    assert (reversal.undoes, reversal.contact) == (provisional.id, "CA2")


def test_a_late_return_on_the_same_topic_is_booked_in_its_own_month(db: Connection, desk: Desk) -> None:
    publish(db)
    add_call(db, "CA1", BEGAN)
    use_text(db, "CA1", BEGAN)
    settle(desk, BEGAN + 8 * DAY)
    add_call(db, "CA2", BEGAN + 27 * DAY)
    settle(desk, BEGAN + 28 * DAY)
    late = ledger.of_call(db, "CA1")[-1]
    assert (late.kind, late.amount, late.month) == ("late_reversal", -7_200_000, date(2026, 11, 1))


def test_a_contact_by_another_channel_takes_a_confirmed_saving_back_by_corrections(db: Connection, desk: Desk) -> None:
    publish(db)
    add_call(db, "CA1", BEGAN)
    use_text(db, "CA1", BEGAN)
    settle(desk, BEGAN + 8 * DAY)
    told = contacts.begin(db, "e-mail", "crm.csv", "cli:ann", BEGAN + 9 * DAY)
    contacts.add(db, told, "e-mail", [NewContact("anna", BEGAN + DAY, "")])
    db.execute("UPDATE call_summaries SET judge_at = NULL")
    settle(desk, BEGAN + 9 * DAY)
    by_kind: dict[str, int] = {}
    for kind, amount in booked(db, "CA1"):
        by_kind[kind] = by_kind.get(kind, 0) + amount
    assert by_kind == {
        "provisional": 7_200_000,
        "reversal": -7_200_000,
        "released": 0,
        "confirmed_inferred": 0,
        "message": -12_800,
    }


def test_nothing_enters_a_closed_month_and_corrections_go_to_the_next(db: Connection, desk: Desk) -> None:
    publish(db)
    add_call(db, "CA1", BEGAN)
    use_text(db, "CA1", BEGAN)
    settle(desk, BEGAN + 34 * DAY)
    closed = periods.Closed(date(2026, 10, 1), desk.now, "cli:ben", "month end", 1, {})
    periods.close(db, closed)
    before = ledger.lines(db, date(2026, 10, 1))
    row = ledger.of_call(db, "CA1")[0]
    with pytest.raises(errors.CheckViolation, match="closed"):
        ledger.add(db, [row._replace(id=10**9, seq=9)])
    with pytest.raises(errors.RaiseException, match="append-only"):
        db.execute("UPDATE postings SET amount = 0")
    facts.add(db, "CA1", "said_not", BEGAN + DAY, {"text_id": "CA1"})
    settle(desk, BEGAN + 35 * DAY)
    assert ledger.lines(db, date(2026, 10, 1)) == before
    november = {row.kind: row.amount for row in ledger.lines(db, date(2026, 11, 1))}
    assert november["confirmed_inferred"] == -7_200_000
    sums(db)


def test_a_visit_that_a_fast_clock_told_counts_once_its_time_has_come(db: Connection, desk: Desk) -> None:
    publish(db)
    add_call(db, "CA1", BEGAN)
    use_text(db, "CA1", BEGAN)
    settle(desk, BEGAN + 2 * MINUTE)  # the visit says it was in five minutes
    assert booked(db, "CA1") == [("message", -12_800)]
    settle_ledger_only(desk, BEGAN + 10 * MINUTE)
    assert booked(db, "CA1")[1:] == [("provisional", 7_200_000)]


def settle_ledger_only(desk: Desk, now: datetime) -> None:
    desk.now = now
    settle_ledger(desk.wiring)


def test_without_a_rate_card_callers_are_counted_and_no_money(db: Connection, desk: Desk) -> None:
    add_call(db, "CA1", BEGAN)
    use_text(db, "CA1", BEGAN)
    settle(desk, BEGAN + 8 * DAY)
    rows = [(row.kind, row.amount, row.quantity, row.currency) for row in ledger.of_call(db, "CA1")]
    assert rows == [("provisional", 0, 1, ""), ("released", 0, -1, ""), ("confirmed_inferred", 0, 1, "")]
    publish(db)
    settlement.settle_again(db, BEGAN)
    settle(desk, BEGAN + 8 * DAY)
    of_kind = [row for row in sums(db) if row.kind == "confirmed_inferred"]
    assert [(row.currency, row.amount, row.quantity) for row in of_kind] == [("", 0, 0), ("USD", 7_200_000, 1)]


def test_calls_settled_day_by_day_and_all_at_once_give_the_same_entries(db: Connection, desk: Desk) -> None:
    publish(db)
    made = list(bulk.make(1200, until=BEGAN + 40 * DAY, days=40))
    for n in range(1, 52, 2):
        ended = [call for call in made if call.started_at < BEGAN + (n - 1) * DAY]
        del made[: len(ended)]
        with db.transaction(), db.cursor() as cursor:
            bulk._write(cursor, ended, str.encode)
        settle(desk, BEGAN + n * DAY)
    assert settle(desk, desk.now) == 0
    slow = books(db)
    assert {"reversal", "confirmed_inferred", "confirmed_explicit", "fixed"} <= {str(row[1]) for row in slow}
    sums(db)
    forget_books(db)
    settle(desk, desk.now)
    assert books(db) == slow
    settlement.settle_again(db, BEGAN - 30 * DAY)
    assert settle(desk, desk.now) == 0
