"""A call that our state or our stores know wrongly, or that comes in twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ivr.closing import SILENT, close_lost_calls
from ivr.live import ANSWERS_WITHIN, outlooks
from ivr.wiring import Wiring
from tests.ivr.web.conftest import AGENT_CALL, CALL, Carrier, Clock
from tests.ivr.web.test_voice import action, hold, names, verbs

MINUTE = timedelta(minutes=1)
NIGHT = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)  # midnight in New York


def office_hours(wiring: Wiring, number: str | None = None) -> None:
    """The default queue keeps office hours, in the plan that this process knows."""
    plan = wiring.plans.known()
    assert plan is not None
    general = replace(plan.queues["billing"], name="general", overflow_number=number)
    wiring.plans._kept[plan.version] = replace(plan, queues={**plan.queues, "general": general})


def test_a_call_sent_back_to_our_number_while_it_holds_goes_back_to_its_queue(carrier: Carrier, wiring: Wiring) -> None:
    hold(carrier)
    key = action(carrier.call("/voice/hold", QueueTime="5", QueuePosition="5"))
    told = names(wiring)
    answer = carrier.call("/voice/incoming")
    assert verbs(answer) == ["Enqueue"]
    assert ">technical</Enqueue>" in answer.text
    assert names(wiring) == told
    assert action(carrier.call(key, Digits="0")) != key  # no turn was taken


def test_a_call_sent_back_after_its_queue_joins_the_default_one_once(carrier: Carrier, wiring: Wiring) -> None:
    hold(carrier)
    carrier.call("/voice/queue-result?turn=3", QueueResult="redirected", QueueTime="20")
    first = carrier.call("/voice/incoming")
    assert ">general</Enqueue>" in first.text
    assert "Gather" not in verbs(first)
    assert carrier.call("/voice/incoming").text == first.text
    assert names(wiring).count("held") == 2


def test_a_first_webhook_sent_again_while_an_agent_talks_changes_nothing(carrier: Carrier, wiring: Wiring) -> None:
    hold(carrier)
    carrier.call("/voice/connecting", QueueTime="20", DequeingCallSid=AGENT_CALL)
    told = names(wiring)
    assert verbs(carrier.call("/voice/incoming", CallStatus="ringing")) == []
    assert names(wiring) == told
    assert ">general</Enqueue>" in carrier.call("/voice/incoming", CallStatus="in-progress").text


def test_a_call_that_is_over_is_hung_up(carrier: Carrier) -> None:
    hold(carrier)
    carrier.call("/voice/status", CallStatus="completed", CallDuration="40")
    assert verbs(carrier.call("/voice/incoming")) == ["Hangup"]


def test_an_old_wait_request_with_a_fresh_token_takes_no_turn(carrier: Carrier, wiring: Wiring, clock: Clock) -> None:
    hold(carrier)
    carrier.call("/voice/hold", QueueTime="5", QueuePosition="5")
    clock.on(35)
    offer = carrier.call("/voice/hold", QueueTime="40", QueuePosition="5")
    assert "press 1" in offer.text
    clock.on(8)
    old = {"CallSid": CALL, "From": "+12025550143", "QueueTime": "5", "QueuePosition": "5"}
    token = {"I-Twilio-Idempotency-Token": "0c5d4f7e-1111-4222-8333-444455556666"}
    assert carrier.post("/voice/hold", old, headers=token).text == offer.text
    assert "offered" not in names(wiring)
    assert "Sending it now" in carrier.call(action(offer), Digits="1").text


def test_a_hold_whose_state_is_torn_still_ends(carrier: Carrier, wiring: Wiring) -> None:
    hold(carrier)
    with wiring.pool.connection() as conn:
        conn.execute("UPDATE calls SET state = '{}'")
    wiring.recent.forget(CALL)
    assert verbs(carrier.call("/voice/hold", QueueTime="3599", QueuePosition="5")) == ["Play", "Pause"]
    assert verbs(carrier.call("/voice/hold", QueueTime="3600", QueuePosition="5")) == ["Leave"]
    answer = carrier.call("/voice/queue-result?turn=3", QueueResult="leave", QueueTime="3601")
    assert verbs(answer) == ["Say", "Say", "Hangup"]
    assert "you have waited very long" in answer.text


def test_without_a_plan_a_hold_ends_after_the_longest_there_may_be(carrier: Carrier, wiring: Wiring) -> None:
    wiring.pool.close()
    assert verbs(carrier.call("/voice/hold", QueueTime="14399")) == ["Play", "Pause"]
    assert verbs(carrier.call("/voice/hold", QueueTime="14400")) == ["Leave"]


def test_without_a_database_a_closed_queue_is_not_joined(carrier: Carrier, wiring: Wiring, clock: Clock) -> None:
    carrier.call("/voice/incoming")
    office_hours(wiring)
    wiring.pool.close()
    assert verbs(carrier.call("/voice/closed?turn=1", Digits="1"))[-1] == "Enqueue"
    clock.now = NIGHT
    answer = carrier.call("/voice/closed?turn=1", Digits="1")
    assert verbs(answer) == ["Say", "Say", "Hangup"]
    assert "from eight in the morning" in answer.text
    office_hours(wiring, "+15005550006")
    answer = carrier.call("/voice/closed?turn=1", Digits="1")
    assert verbs(answer) == ["Say", "Say", "Dial", "Hangup"]
    assert "<Number>+15005550006</Number>" in answer.text


def test_a_call_whose_queue_result_came_but_no_last_status_is_closed(
    carrier: Carrier, wiring: Wiring, clock: Clock
) -> None:
    hold(carrier)
    carrier.call("/voice/connecting", QueueTime="5", DequeingCallSid=AGENT_CALL)
    carrier.call("/voice/queue-result?turn=3", QueueResult="bridged", QueueTime="5")
    assert close_lost_calls(wiring) == 0
    clock.on(SILENT.total_seconds() + 1)
    assert close_lost_calls(wiring) == 1
    assert names(wiring)[-3:] == ["agent_connected", "agent_ended", "call_ended"]
    assert close_lost_calls(wiring) == 0


def test_a_queue_in_which_nobody_answers_any_more_gets_slower() -> None:
    now = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
    answers = [("general", now - n * MINUTE) for n in range(20)]
    assert outlooks(answers, now)["general"].seconds_per_answer == 60
    later = outlooks(answers, now + 21 * MINUTE)["general"]
    assert (later.answered, later.seconds_per_answer) == (20, 120)
    assert outlooks(answers[:1], now)["general"].seconds_per_answer is None
    assert 21 * MINUTE < ANSWERS_WITHIN
