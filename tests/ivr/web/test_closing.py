"""Calls whose last status callback never came."""

from datetime import timedelta

from ivr import closing
from ivr.closing import close_lost_calls
from ivr.live import Recent
from ivr.wiring import Wiring
from models import facts
from tests.ivr.web.conftest import AGENT_CALL, CALL, Carrier, Clock
from tests.ivr.web.test_voice import hold, names

HOURS = 3600.0


def test_a_hold_not_heard_of_for_four_hours_is_closed_once(carrier: Carrier, wiring: Wiring, clock: Clock) -> None:
    hold(carrier)
    clock.on(4 * HOURS - 1)
    assert close_lost_calls(wiring) == 0
    clock.on(2)
    assert close_lost_calls(wiring) == 1
    assert close_lost_calls(wiring) == 0
    assert names(wiring)[-2:] == ["hung_up_in_queue", "call_ended"]
    with wiring.pool.connection() as conn:
        assert facts.of_call(conn, CALL)[-1].data == {"status": "lost", "duration_s": None}


def test_a_status_callback_that_comes_after_all_changes_nothing(carrier: Carrier, wiring: Wiring, clock: Clock) -> None:
    hold(carrier)
    carrier.call("/voice/connecting", QueueTime="5", DequeingCallSid=AGENT_CALL)
    clock.on(4 * HOURS + 1)
    close_lost_calls(wiring)
    told = names(wiring)
    assert told[-3:] == ["agent_connected", "agent_ended", "call_ended"]
    assert carrier.call("/voice/status", CallStatus="completed", CallDuration="15000").status_code == 204
    assert names(wiring) == told


def test_a_call_still_heard_of_is_left_alone(carrier: Carrier, wiring: Wiring, clock: Clock) -> None:
    hold(carrier)
    clock.on(3 * HOURS)
    carrier.call("/voice/hold", QueueTime="10800", QueuePosition="5")
    clock.on(3 * HOURS)
    assert close_lost_calls(wiring) == 0


def test_a_call_that_cannot_be_ended_keeps_no_other(carrier: Carrier, wiring: Wiring, clock: Clock) -> None:
    carrier.call("/voice/incoming")
    with wiring.pool.connection() as conn:
        conn.execute("UPDATE calls SET state = '{\"torn\": 1}'")
    other = {"CallSid": "CA" + "2" * 32}
    carrier.call("/voice/incoming", **other)
    clock.on(closing.SILENT / timedelta(seconds=1) + 1)
    wiring.recent = Recent()  # the worker remembers no turn of the web's
    assert close_lost_calls(wiring) == 1
    with wiring.pool.connection() as conn:
        assert [fact.name for fact in facts.of_call(conn, other["CallSid"])] == ["call_started", "call_ended"]
    clock.on(31 * 24 * HOURS)
    with wiring.pool.connection() as conn:
        conn.execute("UPDATE calls SET state = '{}'")  # as `erase_old` leaves it
    assert close_lost_calls(wiring) == 0
