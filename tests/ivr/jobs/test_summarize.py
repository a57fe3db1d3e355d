"""Rows of calls, kept up from the facts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from bench import bulk
from ivr.app import create_app
from ivr.jobs.settle_ledger import Behind, settle
from ivr.jobs.summarize import rebuild, summarize_calls
from models import contacts, facts, numbers, summaries
from models.contacts import NewContact
from models.locks import alone
from tests.ivr.jobs.conftest import Desk

BEGAN = datetime(2026, 11, 2, 17, 0, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def add_call(
    conn: Connection, sid: str, began: datetime, *, key: str | None = "anna", test: bool = False, lasts_s: int = 90
) -> None:
    """A call that joins the queue, and ends."""
    conn.execute(
        "INSERT INTO calls (call_sid, number, caller_key, language, plan_version, test, stage, queue, leaf, state,"
        " reply, started_at, updated_at) VALUES (%s, '+15005550006', %s, 'en', 1, %s, 'ended', 'billing', 'bill', '',"
        " '', %s, %s)",
        (sid, key, test, began, began),
    )
    facts.add(conn, sid, "call_started", began, {"caller": "mobile"})
    facts.add(conn, sid, "held", began, {"queue": "billing", "leaf": "bill", "path": ["bill"]})
    over = began + timedelta(seconds=lasts_s)
    facts.add(conn, sid, "call_ended", over, {"duration_s": lasts_s})


def use_text(conn: Connection, sid: str, began: datetime) -> None:
    """The caller took the text, hung up and read it."""
    told: list[tuple[str, int, dict[str, Any]]] = [
        ("assigned", 40, {"arm": "treat"}),
        ("offered", 45, {"article": "a1"}),
        ("text_queued", 50, {"text_id": sid, "article": "a1", "segments": 1}),
        ("sent", 51, {"text_id": sid}),
        ("delivered", 55, {"text_id": sid}),
        ("hung_up_in_queue", 89, {"waited_s": 60}),
        ("clicked", 300, {"text_id": sid}),
    ]
    for name, after, data in told:
        facts.add(conn, sid, name, began + timedelta(seconds=after), data)


def outcome(conn: Connection, sid: str) -> tuple[str, datetime | None]:
    row = summaries.read(conn, sid)
    assert row is not None
    return row["outcome"], row["next_contact_at"]


def all_rows(conn: Connection) -> list[Any]:
    return conn.execute("SELECT * FROM call_summaries ORDER BY call_sid").fetchall()


def test_a_saving_is_confirmed_by_time_alone(db: Connection, desk: Desk) -> None:
    add_call(db, "CA1", BEGAN)
    use_text(db, "CA1", BEGAN)
    desk.now = BEGAN + DAY
    assert summarize_calls(desk.wiring) == 1
    assert outcome(db, "CA1") == ("provisional", None)
    desk.now = BEGAN + 8 * DAY
    assert summarize_calls(desk.wiring) == 0
    assert outcome(db, "CA1") == ("confirmed_inferred", None)


def test_the_next_call_of_the_same_person_is_noted_and_reverses_the_saving(db: Connection, desk: Desk) -> None:
    add_call(db, "CA1", BEGAN)
    use_text(db, "CA1", BEGAN)
    desk.now = BEGAN + DAY
    summarize_calls(desk.wiring)
    add_call(db, "CA2", BEGAN + 2 * DAY)
    facts.add(db, "CA2", "agent_connected", BEGAN + 2 * DAY + MINUTE, {"waited_s": 60})
    add_call(db, "CA3", BEGAN + DAY, key="bob")
    desk.now = BEGAN + 3 * DAY
    assert summarize_calls(desk.wiring) == 2
    assert outcome(db, "CA1") == ("reversed", BEGAN + 2 * DAY)
    row = summaries.read(db, "CA1")
    assert row is not None
    assert row["next_agent_at"] == BEGAN + 2 * DAY + MINUTE
    assert outcome(db, "CA2")[1] is None


def test_of_two_calls_side_by_side_only_the_one_that_went_on_can_be_a_saving(db: Connection, desk: Desk) -> None:
    for sid, began in (("CA1", BEGAN), ("CA2", BEGAN + MINUTE / 2)):
        add_call(db, sid, began)
        use_text(db, sid, began)
    desk.now = BEGAN + 8 * DAY
    summarize_calls(desk.wiring)
    assert [outcome(db, sid)[0] for sid in ("CA1", "CA2")] == ["unattributed", "confirmed_inferred"]


def test_a_second_call_after_the_window_reverses_late_on_the_same_topic_only(db: Connection, desk: Desk) -> None:
    add_call(db, "CA1", BEGAN)
    use_text(db, "CA1", BEGAN)
    add_call(db, "CA2", BEGAN + 9 * DAY)
    db.execute("UPDATE calls SET leaf = 'roaming' WHERE call_sid = 'CA2'")
    facts.add(db, "CA2", "held", BEGAN + 9 * DAY, {"queue": "mobile", "leaf": "roaming", "path": ["roaming"]})
    desk.now = BEGAN + 10 * DAY
    summarize_calls(desk.wiring)
    assert outcome(db, "CA1") == ("confirmed_inferred", BEGAN + 9 * DAY)
    add_call(db, "CA3", BEGAN + 11 * DAY)
    desk.now = BEGAN + 12 * DAY
    summarize_calls(desk.wiring)
    assert outcome(db, "CA1") == ("late_reversal", BEGAN + 9 * DAY)


@pytest.mark.parametrize("kind", ["short", "test", "earlier"])
def test_what_is_no_contact_of_the_person_reverses_nothing(db: Connection, desk: Desk, kind: str) -> None:
    add_call(db, "CA1", BEGAN)
    use_text(db, "CA1", BEGAN)
    began = BEGAN - DAY if kind == "earlier" else BEGAN + DAY
    add_call(db, "CA2", began, test=kind == "test", lasts_s=5 if kind == "short" else 90)
    desk.now = BEGAN + 8 * DAY
    summarize_calls(desk.wiring)
    assert outcome(db, "CA1") == ("confirmed_inferred", None)


def test_a_typed_number_is_the_same_person(db: Connection, desk: Desk) -> None:
    add_call(db, "CA1", BEGAN)
    use_text(db, "CA1", BEGAN)
    add_call(db, "CA2", BEGAN + 2 * DAY, key="annas-mobile")
    numbers.link(db, "anna", "annas-mobile")
    desk.now = BEGAN + 3 * DAY
    summarize_calls(desk.wiring)
    assert outcome(db, "CA1") == ("reversed", BEGAN + 2 * DAY)


def test_a_contact_by_another_channel_reverses_a_saving_in_whatever_order(db: Connection, desk: Desk) -> None:
    add_call(db, "CA1", BEGAN)
    use_text(db, "CA1", BEGAN)
    desk.now = BEGAN + 5 * DAY
    summarize_calls(desk.wiring)
    told = [("anna", BEGAN + 4 * DAY), ("anna", BEGAN + 2 * DAY), ("anna", BEGAN - DAY), ("bob", BEGAN + DAY)]
    assert summaries.note_contacts(db, told, desk.now) == 1
    assert summaries.note_contacts(db, told, desk.now) == 0
    summarize_calls(desk.wiring)
    assert outcome(db, "CA1") == ("reversed", BEGAN + 2 * DAY)


def test_a_late_receipt_and_a_late_agent_change_the_row(db: Connection, desk: Desk) -> None:
    add_call(db, "CA1", BEGAN)
    use_text(db, "CA1", BEGAN)
    desk.now = BEGAN + DAY
    assert (summarize_calls(desk.wiring), summarize_calls(desk.wiring)) == (1, 0)
    facts.add(db, "CA1", "agent_connected", BEGAN + MINUTE, {"waited_s": 60, "late": True})
    assert summarize_calls(desk.wiring) == 1
    assert outcome(db, "CA1") == ("assisted", None)


def test_a_fact_committed_after_later_ones_is_not_missed(db: Connection, desk: Desk, database_url: str) -> None:
    add_call(db, "CA1", BEGAN)
    desk.now = BEGAN + MINUTE
    summarize_calls(desk.wiring)
    with psycopg.connect(database_url, autocommit=True) as slow, slow.transaction():
        facts.add(slow, "CA1", "described", BEGAN, {"words": 2})  # has its number, and is not committed
        add_call(db, "CA2", BEGAN + MINUTE, key="bob")
        desk.pass_time(10)
        assert summarize_calls(desk.wiring) == 1
        desk.pass_time(60)
    assert summarize_calls(desk.wiring) == 1
    row = summaries.read(db, "CA1")
    assert row is not None
    assert row["described"] == 1


def test_the_mark_follows_so_that_old_facts_are_not_looked_through_for_ever(db: Connection, desk: Desk) -> None:
    add_call(db, "CA1", BEGAN)
    newest = summaries.newest_fact(db)
    for expected in (0, 0, newest):
        summarize_calls(desk.wiring)
        assert summaries.mark(db).mark == expected
        desk.pass_time(61 if expected == 0 else 0)


def test_two_workers_do_not_get_into_each_others_way(db: Connection, desk: Desk) -> None:
    add_call(db, "CA1", BEGAN)
    with alone(db, summaries.LOCK) as mine:
        assert mine
        assert summarize_calls(desk.wiring) == 0
    assert summarize_calls(desk.wiring) == 1


def test_rows_made_as_calls_come_in_are_those_of_a_rebuild(db: Connection, desk: Desk) -> None:
    """Also after time went by between the looks, and however the days are cut."""
    for seed, days in ((1, 4), (2, 2), (3, 1)):
        bulk.fill(db, 150, seed=seed, until=desk.now, days=days)
        desk.pass_time(130)
        summarize_calls(desk.wiring)
    desk.pass_time(12 * 86_400)
    summarize_calls(desk.wiring)
    kept = all_rows(db)
    assert len(kept) == 450
    db.execute("DELETE FROM call_summaries")
    done: list[int] = []
    assert rebuild(desk.wiring, done.append) == 450
    assert done[-1] == 450
    assert all_rows(db) == kept
    rebuild(desk.wiring)
    assert all_rows(db) == kept


def test_an_operator_makes_the_rows_anew(db: Connection, desk: Desk) -> None:
    bulk.fill(db, 20, until=desk.now, days=1)
    app = create_app(desk.wiring)
    with app.app_context():  # `flask` itself does the same
        done = app.test_cli_runner().invoke(args=["summaries", "rebuild"])
    assert (done.exit_code, done.stdout) == (0, "20 calls summarized\n")
    assert len(all_rows(db)) == 20


def test_the_ledger_settles_by_rows_made_anew_without_a_worker(db: Connection, desk: Desk) -> None:
    """As `flask settle` tells: the rows are behind, and a rebuild mends that."""
    summarize_calls(desk.wiring)
    desk.pass_time(20 * 60)
    add_call(db, "CA1", desk.now)
    with pytest.raises(Behind):
        settle(desk.wiring, db)
    rebuild(desk.wiring)
    assert settle(desk.wiring, db) == 0  # no rate card yet, and no error
    with psycopg.connect(db.info.dsn, autocommit=True) as late:
        facts.add(late, "CA1", "described", desk.now, {"words": 2})
    assert summarize_calls(desk.wiring) == 1  # the worker goes on after it


def test_a_contact_imported_before_the_row_of_its_call_reverses_the_saving(db: Connection, desk: Desk) -> None:
    add_call(db, "CA1", BEGAN)
    use_text(db, "CA1", BEGAN)
    number = contacts.begin(db, "desk", "test", "test", BEGAN)
    contacts.add(db, number, "desk", [NewContact("anna", BEGAN + DAY, "")])
    desk.now = BEGAN + 8 * DAY
    summarize_calls(desk.wiring)
    row = summaries.read(db, "CA1")
    assert row is not None
    assert (row["outcome"], row["next_other_at"], row["judge_at"]) == ("reversed", BEGAN + DAY, None)
