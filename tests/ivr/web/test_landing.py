"""A database that goes away in the middle of calls, and comes back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from psycopg import DataError

from ivr import landing
from ivr.carrier import inbound
from ivr.landing import END_KNOWN_WITHIN_S, Landing
from ivr.spool import Kept, Spool
from ivr.wiring import Wiring
from models import facts, optouts, plans
from models.db import open_pool
from tests.ivr.web.conftest import AGENT_CALL, CALL, CALLER, Carrier, Clock
from tests.ivr.web.test_voice import action, names, verbs

Away = Callable[[], object]


@contextmanager
def without_database(wiring: Wiring) -> Iterator[None]:
    there = wiring.pool
    wiring.pool = open_pool("postgresql://127.0.0.1:1/none", size=1, statement_timeout_ms=1000, name="away")
    try:
        yield
    finally:
        wiring.pool.close()
        wiring.pool = there


def test_a_call_of_that_time_is_on_record_afterwards(carrier: Carrier, wiring: Wiring, clock: Clock) -> None:
    with without_database(wiring):
        assert verbs(carrier.call("/voice/incoming"))[-1] == "Enqueue"
        began = clock()
        clock.on(9)
        assert verbs(carrier.call("/voice/hold", QueueTime="0", QueuePosition="3")) == ["Play", "Pause"]
        clock.on(30)
        carrier.call("/voice/queue-result", QueueResult="hangup", QueueTime="39")
        carrier.call("/voice/status", CallStatus="completed", CallDuration="41")
        assert wiring.spool.depth() == 3
    clock.on(600)
    assert Landing(wiring).land() == 3
    assert wiring.spool.depth() == 0
    assert names(wiring) == ["call_started", "held", "hung_up_in_queue", "call_ended"]
    with wiring.pool.connection() as conn:
        told = facts.of_call(conn, CALL)
    assert told[0].at == began
    assert (told[-1].at - began).total_seconds() == 39
    assert told[2].data["waited_s"] == 39


def test_the_yes_of_that_time_still_brings_the_text(carrier: Carrier, wiring: Wiring, clock: Clock) -> None:
    answer = carrier.call("/voice/incoming", OffholdArm="treat")
    answer = carrier.call(action(answer), Digits="3")
    carrier.call(action(answer), Digits="1")
    clock.on(31)
    offer = carrier.call("/voice/hold", QueueTime="31", QueuePosition="9")
    assert "Gather" in verbs(offer)
    clock.on(12)
    with without_database(wiring):
        assert verbs(carrier.call(action(offer), Digits="1")) == ["Play", "Pause"]
    # The database is back before what was kept has landed: nothing overtakes it.
    assert verbs(carrier.call("/voice/hold", QueueTime="53", QueuePosition="9")) == ["Play", "Pause"]
    assert names(wiring)[-1] == "assigned"
    Landing(wiring).land()
    assert names(wiring)[-2:] == ["accepted", "text_queued"]
    carrier.call("/voice/hold", QueueTime="75", QueuePosition="9")
    assert names(wiring).count("text_queued") == 1


def test_a_yes_that_was_overtaken_on_another_machine_still_brings_the_text(
    carrier: Carrier, wiring: Wiring, clock: Clock
) -> None:
    answer = carrier.call("/voice/incoming", OffholdArm="treat")
    answer = carrier.call(action(answer), Digits="3")
    carrier.call(action(answer), Digits="1")
    clock.on(31)
    offer = carrier.call("/voice/hold", QueueTime="31", QueuePosition="9")
    clock.on(12)
    with without_database(wiring):
        carrier.call(action(offer), Digits="1")
    here, wiring.spool = wiring.spool, Spool(Path("/nowhere"), wiring.numbers.seal, wiring.numbers.open)
    clock.on(5)
    carrier.call("/voice/queue-result", QueueResult="hangup", QueueTime="48")
    carrier.call("/voice/status", CallStatus="completed", CallDuration="60")
    wiring.spool = here
    Landing(wiring).land()
    assert names(wiring)[-4:] == ["hung_up_in_queue", "call_ended", "accepted", "text_queued"]


@pytest.fixture
def nobody_there(wiring: Wiring, clock: Clock) -> None:
    with wiring.pool.connection() as conn:
        plans.switch_queue(conn, "technical", closed=True, who="tests", why="gone home", at=clock())
    wiring.look_at_queues()


@pytest.mark.usefixtures("nobody_there")
@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("1", ["call_ended", "accepted", "text_queued"]),
        ("3", ["call_ended"]),
        ("", ["call_ended"]),
    ],
)
def test_a_yes_at_closing_time_that_was_overtaken_on_another_machine_still_brings_the_text(
    carrier: Carrier, wiring: Wiring, clock: Clock, key: str, told: list[str]
) -> None:
    answer = carrier.call("/voice/incoming", OffholdArm="treat")
    answer = carrier.call(action(answer), Digits="3")
    offer = carrier.call(action(answer), Digits="1")
    assert action(offer).startswith("/voice/closed")
    clock.on(12)
    with without_database(wiring):
        carrier.call(action(offer), Digits=key)
    here, wiring.spool = wiring.spool, Spool(Path("/nowhere"), wiring.numbers.seal, wiring.numbers.open)
    clock.on(5)
    carrier.call("/voice/status", CallStatus="completed", CallDuration="60")
    wiring.spool = here
    for _ in range(2):  # the lander may die before it says that it landed
        for kept in [wiring.spool.read(name) for name in wiring.spool.waiting()]:
            landing.take(wiring, kept)
    assert names(wiring)[names(wiring).index("call_ended") :] == told
    assert names(wiring).count("call_ended") == 1


def test_landing_twice_changes_nothing(carrier: Carrier, wiring: Wiring) -> None:
    with without_database(wiring):
        carrier.call("/voice/incoming")
        carrier.call("/voice/queue-result", QueueResult="hangup", QueueTime="39")
        carrier.call("/voice/status", CallStatus="completed", CallDuration="41")
    kept = [wiring.spool.read(name) for name in wiring.spool.waiting()]
    for one in (*kept, *kept):
        landing.take(wiring, one)
    assert names(wiring) == ["call_started", "held", "hung_up_in_queue", "call_ended"]


def test_a_database_that_is_still_away_is_waited_for(carrier: Carrier, wiring: Wiring) -> None:
    with without_database(wiring):
        carrier.call("/voice/incoming")
        assert Landing(wiring).land() == 0
        assert wiring.spool.depth() == 1
    assert Landing(wiring).land() == 1


def test_the_end_of_a_call_that_began_on_a_machine_cut_off_waits_for_its_beginning(
    carrier: Carrier, wiring: Wiring, clock: Clock
) -> None:
    carrier.call("/voice/status", CallStatus="completed", CallDuration="41")
    lands = Landing(wiring)
    assert lands.land() == 0
    assert wiring.spool.depth() == 1
    clock.on(END_KNOWN_WITHIN_S)
    assert Landing(wiring).land() == 1  # nobody ever heard of it
    assert names(wiring) == []


def test_the_end_of_an_agents_own_call_is_not_waited_for(carrier: Carrier, wiring: Wiring) -> None:
    wiring.settings = wiring.settings.model_copy(update={"agent_numbers": (CALLER,)})
    carrier.post("/voice/status", {"CallSid": AGENT_CALL, "From": CALLER, "CallStatus": "completed"})
    assert wiring.spool.depth() == 0


def test_a_call_that_only_the_fallback_saw_is_on_record(carrier: Carrier, wiring: Wiring) -> None:
    assert verbs(carrier.call("/voice/fallback", ErrorCode="11200"))[-1] == "Enqueue"
    Landing(wiring).land()
    assert names(wiring) == ["call_started"]
    carrier.call("/voice/fallback", ErrorCode="11200")  # a call that is known goes on where it is
    Landing(wiring).land()
    assert names(wiring) == ["call_started"]


def test_a_receipt_and_a_stop_of_that_time_are_taken(carrier: Carrier, wiring: Wiring, token: str) -> None:
    assert token
    stop = {"MessageSid": "SM" + "7" * 32, "From": CALLER, "To": "+15005550006", "Body": "STOP"}
    with without_database(wiring):
        receipt = {"MessageSid": "SM" + "1" * 32, "MessageStatus": "delivered"}
        assert carrier.post("/sms/status?text=text-1", receipt).status_code == 204
        carrier.post("/sms/incoming", stop)
        carrier.post("/sms/incoming", stop | {"MessageSid": "SM" + "8" * 32, "Body": "1"})
        assert wiring.spool.depth() == 2
    assert Landing(wiring).land() == 2
    assert "delivered" in names(wiring)
    with wiring.pool.connection() as conn:
        assert optouts.is_out(conn, wiring.numbers.key(CALLER))


def test_what_the_database_refuses_is_put_aside_and_keeps_no_other(
    carrier: Carrier, wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "CA" + "2" * 32
    with without_database(wiring):
        carrier.call("/voice/incoming")
        carrier.post("/voice/incoming", {"CallSid": other, "From": CALLER})
    took = landing.take

    def refuses(service: Wiring, kept: Kept) -> None:
        if inbound.call_sid(kept.form) == CALL:
            raise DataError("no")
        took(service, kept)

    monkeypatch.setattr(landing, "take", refuses)
    lands = Landing(wiring)
    assert [lands.land() for _ in range(4)] == [1, 0, 1, 0]
    assert wiring.spool.depth() == 0
    assert names(wiring) == []


def test_an_answer_at_a_menu_is_not_kept_for_its_caller_holds_already(carrier: Carrier, wiring: Wiring) -> None:
    carrier.call("/voice/incoming")
    with without_database(wiring):
        assert verbs(carrier.call("/voice/menu?turn=1", Digits="3"))[-1] == "Enqueue"
        assert wiring.spool.depth() == 0
    carrier.call("/voice/hold", QueueTime="0", QueuePosition="3")
    assert names(wiring)[:2] == ["call_started", "held"]
