"""One text from the yes to the receipt, and everything that can come between."""

import threading
from datetime import timedelta

import pytest
from psycopg import Connection, OperationalError

from ivr.carrier.sender import Busy, NotTaken, Outcome, Refused, Sent, Unknown
from ivr.jobs.app import defer_send
from ivr.jobs.note_receipt import note_receipt
from ivr.jobs.send_text import send_text
from ivr.jobs.sweep_texts import sweep_texts
from ivr.jobs.times import DEFAULT
from ivr.jobs.worker import drain
from models import facts, jobs, optouts, texts
from tests.ivr.jobs.conftest import CALLER, OTHER, OUR_NUMBER, Desk


def status(db: Connection, text_id: str) -> str:
    text = texts.read(db, text_id)
    assert text is not None
    return text.status


def test_a_text_is_sent_once_and_says_so(desk: Desk, db: Connection) -> None:
    text = desk.ask(db)
    assert text is not None
    assert text.segments == 1
    assert text.body == (
        f"Lumora: Router light stays red {desk.wiring.settings.link_base_url}/r/{text.token}"
        " Reply 1 solved, 2 not. STOP to end, HELP for help"
    )
    drain(desk.wiring)
    drain(desk.wiring)
    assert desk.carrier.accepted == [(CALLER, text.body, f"SM{1:032x}")]
    assert desk.carrier.callbacks == [f"{desk.wiring.settings.public_base_url}/sms/status?text={text.id}"]
    assert desk.carrier.valid_for_s == [600]
    assert desk.facts(db) == ["text_queued", "sent"]
    assert status(db, text.id) == "sent"


def test_row_and_job_commit_together(desk: Desk, db: Connection) -> None:
    with db.transaction(force_rollback=True):
        assert desk.ask(db) is not None
    assert jobs.take_all(db) == []
    assert texts.of_call(db, f"CA{1:032x}") == []
    desk.ask(db)
    assert [task for task, _ in jobs.take_all(db)] == ["send_text"]


def test_a_database_that_goes_away_while_a_job_is_queued_is_known_as_away(desk: Desk, db: Connection) -> None:
    with desk.wiring.pool.connection() as conn:
        db.execute("SELECT pg_terminate_backend(%s, 5000)", (conn.info.backend_pid,))
        with pytest.raises(OperationalError):
            defer_send(conn, "a text")


def test_a_text_that_lost_its_job_is_sent_by_the_sweep(desk: Desk, db: Connection) -> None:
    text = desk.ask(db)
    assert text is not None
    jobs.take_all(db)
    assert sweep_texts(desk.wiring, DEFAULT) == 0  # left to its job for a moment
    desk.pass_time(4)
    assert sweep_texts(desk.wiring, DEFAULT) == 1
    assert status(db, text.id) == "sent"


def test_many_at_once_send_a_text_once(desk: Desk, db: Connection) -> None:
    text = desk.ask(db)
    assert text is not None
    took: list[bool] = []
    ready = threading.Barrier(5)

    def race() -> None:
        ready.wait()
        took.append(send_text(desk.wiring, text.id, DEFAULT))

    threads = [threading.Thread(target=race) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(took) == [False] * 4 + [True]
    assert len(desk.carrier.accepted) == 1


@pytest.mark.parametrize("answer", [Busy(None), Busy(3.0), NotTaken()])
def test_what_was_surely_not_taken_is_tried_again(desk: Desk, db: Connection, answer: Outcome) -> None:
    text = desk.ask(db)
    assert text is not None
    desk.carrier.answers = [answer, answer]
    drain(desk.wiring)
    assert status(db, text.id) == "queued"
    for _ in range(10):
        desk.pass_time(5)
        drain(desk.wiring)
    assert len(desk.carrier.accepted) == 1
    assert desk.facts(db) == ["text_queued", "sent"]


def test_a_refusal_is_final(desk: Desk, db: Connection) -> None:
    text = desk.ask(db)
    assert text is not None
    desk.carrier.answers = [Refused(21614)]
    drain(desk.wiring)
    desk.pass_time(60)
    drain(desk.wiring)
    assert desk.carrier.accepted == []
    assert status(db, text.id) == "failed"
    assert facts.of_call(db, text.call_sid)[-1].data == {"text_id": text.id, "code": 21614}


def test_the_carriers_opt_out_is_kept(desk: Desk, db: Connection) -> None:
    text = desk.ask(db)
    assert text is not None
    desk.carrier.answers = [Refused(21610)]
    drain(desk.wiring)
    assert optouts.is_out(db, text.to_key)
    assert desk.facts(db) == ["text_queued", "send_failed", "opted_out"]
    assert desk.ask(db, call=2) is None
    assert facts.of_call(db, f"CA{2:032x}")[0].data["reason"] == "opted_out"


def test_an_opt_out_by_receipt_is_kept(desk: Desk, db: Connection) -> None:
    text = desk.ask(db)
    assert text is not None
    drain(desk.wiring)
    note_receipt(desk.wiring, text.id, f"SM{1:032x}", "failed", 21610)
    assert optouts.is_out(db, text.to_key)
    assert desk.facts(db) == ["text_queued", "sent", "undelivered", "opted_out"]


def test_stop_between_yes_and_send_keeps_the_text_back(desk: Desk, db: Connection) -> None:
    text = desk.ask(db)
    assert text is not None
    optouts.opt_out(db, text.to_key, desk.now, "reply")
    drain(desk.wiring)
    assert desk.carrier.accepted == []
    assert status(db, text.id) == "canceled"


def test_a_time_out_is_settled_by_looking_it_up(desk: Desk, db: Connection) -> None:
    text = desk.ask(db)
    assert text is not None
    desk.carrier.answers, desk.carrier.taken_all_the_same = [Unknown("ReadTimeout")], True
    drain(desk.wiring)
    assert status(db, text.id) == "unknown"
    desk.pass_time(44)
    drain(desk.wiring)
    assert status(db, text.id) == "unknown"  # the list may lag: not looked at before it is settled
    desk.pass_time(2)
    drain(desk.wiring)
    assert status(db, text.id) == "sent"
    assert len(desk.carrier.accepted) == 1
    assert desk.facts(db) == ["text_queued", "unknown", "sent"]


def test_a_time_out_the_carrier_never_took_is_sent_once_more(desk: Desk, db: Connection) -> None:
    text = desk.ask(db)
    assert text is not None
    desk.carrier.answers = [Unknown("ReadTimeout")]
    drain(desk.wiring)
    desk.pass_time(46)
    drain(desk.wiring)
    assert status(db, text.id) == "sent"
    assert len(desk.carrier.accepted) == 1


def test_unknown_twice_is_never_sent_again(desk: Desk, db: Connection) -> None:
    text = desk.ask(db)
    assert text is not None
    desk.carrier.answers = [Unknown("http 500"), Unknown("http 500")]
    for _ in range(20):
        drain(desk.wiring)
        desk.pass_time(46)
    assert desk.carrier.accepted == []
    assert status(db, text.id) == "unknown"
    assert desk.facts(db) == ["text_queued", "unknown", "unknown"]
    assert len(desk.carrier.callbacks) == 2


def test_a_receipt_settles_what_was_given_up(desk: Desk, db: Connection) -> None:
    text = desk.ask(db)
    assert text is not None
    desk.carrier.answers = [Unknown("http 500"), Unknown("http 500")]
    desk.carrier.taken_all_the_same, desk.carrier.shown = True, False
    for _ in range(5):
        drain(desk.wiring)
        desk.pass_time(46)
    note_receipt(desk.wiring, text.id, f"SM{1:032x}", "delivered", None)
    assert status(db, text.id) == "delivered"
    assert desk.facts(db)[-2:] == ["sent", "delivered"]


def test_a_failing_look_up_decides_nothing(desk: Desk, db: Connection) -> None:
    text = desk.ask(db)
    assert text is not None
    desk.carrier.answers, desk.carrier.taken_all_the_same = [Unknown("http 500")], True
    desk.carrier.look_ups_fail = 3
    for _ in range(10):
        drain(desk.wiring)
        desk.pass_time(20)
    assert len(desk.carrier.accepted) == 1
    assert desk.carrier.look_ups_fail == 0
    assert status(db, text.id) == "sent"


def test_a_worker_that_died_in_the_middle_is_taken_for_unknown(desk: Desk, db: Connection) -> None:
    text = desk.ask(db)
    assert text is not None
    assert texts.claim(db, text.id, desk.now, DEFAULT.lease) is not None  # and never heard of again
    desk.pass_time(46)
    drain(desk.wiring)
    assert status(db, text.id) == "unknown"
    desk.pass_time(46)
    drain(desk.wiring)
    assert status(db, text.id) == "sent"
    assert len(desk.carrier.accepted) == 1


def test_a_worker_that_wakes_too_late_does_not_send(desk: Desk, db: Connection) -> None:
    text = desk.ask(db)
    assert text is not None
    late = DEFAULT.lease - DEFAULT.request + timedelta(seconds=1)
    reading = desk.wiring.numbers.open

    def held_up(sealed: bytes) -> str:
        desk.now += late
        return reading(sealed)

    desk.wiring.numbers.open = held_up  # type: ignore[method-assign]
    send_text(desk.wiring, text.id, DEFAULT)
    assert desk.carrier.callbacks == []
    assert status(db, text.id) == "queued"


def test_an_old_claim_cannot_finish_a_newer_one(desk: Desk, db: Connection) -> None:
    text = desk.ask(db)
    assert text is not None
    first = texts.claim(db, text.id, desk.now, DEFAULT.lease)
    assert first is not None
    texts.unknown(db, first, desk.now, desk.now)
    unknown = texts.read(db, text.id)
    assert unknown is not None
    texts.send_again(db, unknown, desk.now)
    second = texts.claim(db, text.id, desk.now, DEFAULT.lease)
    assert second is not None
    assert second.attempts == 2
    assert not texts.refused(db, first, 21211, desk.now)
    assert not texts.put_back(db, first, desk.now)
    assert texts.sent(db, second, "SM" + "a" * 32, desk.now)


def test_a_text_too_late_to_be_of_use_expires(desk: Desk, db: Connection) -> None:
    text = desk.ask(db)
    assert text is not None
    desk.pass_time(601)
    drain(desk.wiring)
    assert desk.carrier.accepted == []
    assert status(db, text.id) == "expired"
    assert desk.facts(db) == ["text_queued", "text_expired"]


def test_an_hour_without_the_carrier_sends_no_stale_texts(desk: Desk, db: Connection) -> None:
    for call in range(1, 6):
        desk.ask(db, call=call, number=f"+120255501{call:02}")
    desk.carrier.answers = [NotTaken()] * 10_000
    for _ in range(120):
        drain(desk.wiring)
        desk.pass_time(30)
    desk.carrier.answers = []
    drain(desk.wiring)
    assert desk.carrier.accepted == []
    assert {status(db, one.id) for call in range(1, 6) for one in texts.of_call(db, f"CA{call:032x}")} == {"expired"}


ORDERS = [
    "queued sent delivered",
    "delivered sent queued",
    "sent delivered delivered sent",
    "delivered",
    "sending delivered",
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("early", [False, True])
def test_receipts_in_any_order_end_the_same(desk: Desk, db: Connection, order: str, early: bool) -> None:
    text = desk.ask(db)
    assert text is not None

    def receipts(sid: str) -> None:
        for word in order.split():
            note_receipt(desk.wiring, text.id, sid, word, None)

    if early:
        desk.carrier.during = receipts
    drain(desk.wiring)
    if not early:
        receipts(f"SM{1:032x}")
    row = texts.read(db, text.id)
    assert row is not None
    assert (row.status, row.message_sid, row.sent_at is not None) == ("delivered", f"SM{1:032x}", True)
    assert desk.facts(db) == ["text_queued", "sent", "delivered"]


def test_a_receipt_of_another_message_changes_nothing(desk: Desk, db: Connection) -> None:
    text = desk.ask(db)
    assert text is not None
    drain(desk.wiring)
    note_receipt(desk.wiring, text.id, "SM" + "f" * 32, "undelivered", 30003)
    note_receipt(desk.wiring, "nobody", "SM" + "f" * 32, "delivered", None)
    note_receipt(desk.wiring, text.id, f"SM{1:032x}", "no such word", None)
    assert status(db, text.id) == "sent"


def test_undelivered_keeps_its_code(desk: Desk, db: Connection) -> None:
    text = desk.ask(db)
    assert text is not None
    drain(desk.wiring)
    note_receipt(desk.wiring, text.id, f"SM{1:032x}", "undelivered", 30006)
    row = texts.read(db, text.id)
    assert row is not None
    assert (row.status, row.error_code) == ("undelivered", 30006)
    assert facts.of_call(db, text.call_sid)[-1].data == {"text_id": text.id, "code": 30006}


def test_one_text_per_call_and_article(desk: Desk, db: Connection) -> None:
    assert desk.ask(db) is not None
    assert desk.ask(db) is None
    assert facts.of_call(db, f"CA{1:032x}")[-1].data["reason"] == "repeat"


def test_the_caps_hold(desk: Desk, db: Connection) -> None:
    assert desk.ask(db, call=1) is not None
    assert desk.ask(db, call=1, article="wifi-weak") is not None
    assert desk.ask(db, call=1, article="third") is None
    assert desk.ask(db, call=2) is not None
    assert desk.ask(db, call=3) is None
    assert [facts.of_call(db, f"CA{call:032x}")[-1].data["reason"] for call in (1, 3)] == ["call_cap", "day_cap"]
    desk.pass_time(24 * 3600 + 1)
    assert desk.ask(db, call=4) is not None


def test_callers_at_the_same_instant_do_not_get_round_the_cap(desk: Desk, db: Connection) -> None:
    ready = threading.Barrier(6)

    def race(call: int) -> None:
        with desk.wiring.pool.connection() as conn:
            ready.wait()
            desk.ask(conn, call=call)

    threads = [threading.Thread(target=race, args=(call,)) for call in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    drain(desk.wiring)
    assert len(desk.carrier.accepted) == 3


def test_a_typed_number_gets_one_a_day_and_is_linked(desk: Desk, db: Connection) -> None:
    first = desk.ask(db, typed=OTHER)
    assert first is not None
    assert first.typed
    drain(desk.wiring)
    assert desk.carrier.accepted[0][0] == OTHER
    assert desk.ask(db, call=2, typed=OTHER) is None
    key, other = desk.wiring.numbers.key(CALLER), desk.wiring.numbers.key(OTHER)
    assert db.execute("SELECT a, b FROM linked_keys").fetchall() == [tuple(sorted((key, other)))]


def budgeted(desk: Desk, texts_a_day: int, typed_a_day: int) -> None:
    update = {"prefix_texts_a_day": texts_a_day, "prefix_typed_texts_a_day": typed_a_day}
    desk.wiring.settings = desk.wiring.settings.model_copy(update=update)


def test_numbers_in_a_row_share_a_budget(desk: Desk, db: Connection) -> None:
    budgeted(desk, 5, 5)
    for call in range(1, 21):
        desk.ask(db, call=call, number=f"+120255501{call:02}")
    assert desk.ask(db, call=30, number="+13105550123") is not None  # of another prefix
    reasons = [facts.of_call(db, f"CA{call:032x}")[-1].data.get("reason") for call in range(1, 21)]
    assert reasons == [None] * 5 + ["prefix_cap"] * 15
    drain(desk.wiring)
    assert len(desk.carrier.accepted) == 6
    desk.pass_time(24 * 3600 + 1)
    assert desk.ask(db, call=40, number="+12025550140") is not None


def test_typed_numbers_in_a_row_have_a_smaller_one(desk: Desk, db: Connection) -> None:
    budgeted(desk, 5, 2)
    asked = [desk.ask(db, call=call, number=f"+1310555010{call}", typed=f"+1202555014{call}") for call in range(1, 5)]
    assert [text is not None for text in asked] == [True, True, False, False]
    assert desk.ask(db, call=5, number=CALLER) is not None  # a number that calls is not counted among the typed


def test_callers_at_the_same_instant_do_not_get_round_the_budget(desk: Desk, db: Connection) -> None:
    budgeted(desk, 2, 2)
    ready = threading.Barrier(6)

    def race(call: int) -> None:
        with desk.wiring.pool.connection() as conn:
            ready.wait()
            desk.ask(conn, call=call, number=f"+1202555010{call}")

    threads = [threading.Thread(target=race, args=(call,)) for call in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    drain(desk.wiring)
    assert len(desk.carrier.accepted) == 2


@pytest.mark.parametrize("number", ["+18765550123", "+19005550123", "+18005551212", "+34612345678", OUR_NUMBER])
def test_only_mobile_numbers_of_allowed_countries_are_texted(desk: Desk, db: Connection, number: str) -> None:
    assert desk.ask(db, typed=number) is None


@pytest.mark.parametrize(("switch", "line", "sent"), [
    ("on", "landline", 0), ("on", "mobile", 1), ("on", None, 1), ("off", "landline", 1),
])  # fmt: skip
def test_the_line_type_is_looked_up_where_an_operator_wants_it(
    desk: Desk, db: Connection, switch: str, line: str | None, sent: int
) -> None:
    desk.wiring.settings = desk.wiring.settings.model_copy(update={"lookup": switch})
    desk.carrier.line = line
    desk.ask(db)
    drain(desk.wiring)
    assert len(desk.carrier.accepted) == sent


def test_the_test_phone_is_not_capped_by_the_day(desk: Desk, db: Connection) -> None:
    for call in range(1, 8):
        assert desk.ask(db, call=call, test=True) is not None


def test_no_number_lies_open_in_the_database(desk: Desk, db: Connection) -> None:
    desk.ask(db)
    drain(desk.wiring)
    for (table,) in db.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall():
        dump = db.execute(f"SELECT string_agg(t::text, ' ') FROM {table} AS t").fetchone()
        assert CALLER.removeprefix("+") not in str(dump)
        assert CALLER.encode().hex() not in str(dump)


def test_a_sent_answer_outlives_a_database_that_is_away(
    desk: Desk, db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = desk.ask(db)
    assert text is not None
    monkeypatch.setattr("ivr.jobs.send_text.time.sleep", lambda _: None)

    def cut(_: str) -> None:
        db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )

    desk.carrier.during = cut
    drain(desk.wiring)
    assert isinstance(desk.carrier.send("", "", from_number="", status_callback="", valid_for_s=6), Sent)
    assert status(db, text.id) == "sent"


def test_a_number_sealed_under_a_lost_key_keeps_no_other_waiting(desk: Desk, db: Connection) -> None:
    lost, other = desk.ask(db), desk.ask(db, call=2, number=OTHER)
    assert lost is not None
    assert other is not None
    db.execute("UPDATE numbers SET sealed = %s WHERE id = %s", (b"n" * 40, lost.number_id))
    drain(desk.wiring)
    assert (status(db, lost.id), status(db, other.id)) == ("failed", "sent")
    assert sweep_texts(desk.wiring, DEFAULT) == 0
