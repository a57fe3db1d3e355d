"""The voice webhooks of one call, and what a caller hears when ours fails."""

import xml.etree.ElementTree as ET

import pytest
from werkzeug.test import TestResponse

from ivr.carrier.twiml import EMPTY
from ivr.live import Recent
from ivr.wiring import Wiring
from models import facts
from tests.ivr.web.conftest import AGENT_CALL, CALL, CALLED, CALLER, Carrier, Clock


def verbs(answer: TestResponse) -> list[str]:
    assert (answer.status_code, answer.mimetype) == (200, "text/xml")
    return [element.tag for element in ET.fromstring(answer.text)]


def turn_of(answer: TestResponse) -> str:
    gather = ET.fromstring(answer.text).find(".//Gather")
    assert gather is not None
    return gather.attrib["action"].partition("turn=")[2]


def action(answer: TestResponse) -> str:
    for element in ET.fromstring(answer.text).iter():
        if "action" in element.attrib:
            return element.attrib["action"].removeprefix("http://127.0.0.1:8000")
    raise AssertionError(answer.text)


def hold(carrier: Carrier) -> TestResponse:
    """Through the menu to the leaf with the pinned article, into the queue."""
    answer = carrier.call("/voice/incoming")
    answer = carrier.call(action(answer), Digits="3")
    return carrier.call(action(answer), Digits="1")


def names(wiring: Wiring) -> list[str]:
    with wiring.pool.connection() as conn:
        return [fact.name for fact in facts.of_call(conn, CALL)]


def test_a_caller_walks_the_menu_and_holds(carrier: Carrier, wiring: Wiring) -> None:
    answer = carrier.call("/voice/incoming")
    assert "Gather" in verbs(answer)
    assert action(answer) == "/voice/menu?turn=1"
    answer = carrier.call("/voice/menu?turn=1", Digits="3")
    assert action(answer) == "/voice/menu?turn=2"
    answer = carrier.call("/voice/menu?turn=2", Digits="1")
    assert verbs(answer)[-1] == "Enqueue"
    assert "waitUrl" in answer.text
    assert names(wiring)[:1] == ["call_started"]
    assert names(wiring)[-1] == "held"


def test_the_same_webhook_twice_is_one_turn_with_one_answer(carrier: Carrier, wiring: Wiring) -> None:
    first = carrier.call("/voice/incoming")
    assert carrier.call("/voice/incoming").text == first.text
    answer = carrier.call("/voice/menu?turn=1", Digits="3")
    assert carrier.call("/voice/menu?turn=1", Digits="3").text == answer.text
    assert names(wiring) == ["call_started", "menu_chosen"]


def test_the_wait_loop_always_plays_something(carrier: Carrier, wiring: Wiring, clock: Clock) -> None:
    hold(carrier)
    for waited in range(0, 200, 15):
        clock.on(15)
        answer = carrier.call("/voice/hold", QueueTime=str(waited), QueuePosition="5")
        assert {"Gather", "Play", "Say"} & set(verbs(answer))
        assert not {"Enqueue", "Dial"} & set(verbs(answer))


def test_a_key_during_the_hold_is_answered_once(carrier: Carrier, wiring: Wiring, clock: Clock) -> None:
    hold(carrier)
    clock.on(40)
    answer = carrier.call("/voice/hold", QueueTime="40", QueuePosition="5")
    assert "press 1" in answer.text
    clock.on(12)
    key = action(answer)
    said = carrier.call(key, Digits="1")
    assert carrier.call(key, Digits="1").text == said.text
    assert names(wiring).count("accepted") == 1
    assert names(wiring).count("text_queued") == 1


def test_a_wait_request_sent_again_under_a_new_token_leaves_the_offer_open(
    carrier: Carrier, wiring: Wiring, clock: Clock
) -> None:
    hold(carrier)
    clock.on(40)
    now = {"CallSid": CALL, "From": CALLER, "To": CALLED, "QueueTime": "40", "QueuePosition": "5"}
    offer = carrier.post("/voice/hold", now, headers={"I-Twilio-Idempotency-Token": "a" * 32})
    clock.on(1)
    assert carrier.post("/voice/hold", now, headers={"I-Twilio-Idempotency-Token": "b" * 32}).text == offer.text
    assert "no_input" not in names(wiring)
    clock.on(11)
    answer = carrier.call(action(offer), Digits="1")
    assert carrier.post("/voice/hold", now, headers={"I-Twilio-Idempotency-Token": "c" * 32}).text == answer.text
    assert "text_queued" in names(wiring)


def test_a_text_goes_to_the_number_the_call_came_from_or_nowhere(
    carrier: Carrier, wiring: Wiring, clock: Clock
) -> None:
    hold(carrier)
    clock.on(40)
    answer = carrier.call("/voice/hold", QueueTime="40", QueuePosition="5")
    clock.on(12)
    said = carrier.call(action(answer), Digits="1", From="+12025550155")
    assert "Your place is kept." in said.text
    assert "text_queued" not in names(wiring)


def test_an_agent_takes_the_call_and_late_keys_are_not_answered(carrier: Carrier, wiring: Wiring) -> None:
    hold(carrier)
    answer = carrier.call("/voice/hold", QueueTime="5", QueuePosition="1")
    key = action(answer)
    assert verbs(carrier.call("/voice/connecting", DequeingCallSid=AGENT_CALL, QueueTime="9")) == ["Say"]
    assert carrier.call(key, Digits="1").text == EMPTY
    # A hold request that comes late still gets playing time: an empty one would come again at once.
    assert "Play" in carrier.call("/voice/hold", QueueTime="12", QueuePosition="1").text
    carrier.call("/voice/queue-result?turn=3", QueueResult="bridged", QueueTime="9")
    assert {"agent_connected", "agent_ended"} <= set(names(wiring))


def test_who_joins_the_queue_anew_is_not_taken_for_old_by_a_process_that_missed_it(
    carrier: Carrier, wiring: Wiring, clock: Clock
) -> None:
    leaves = action(hold(carrier))
    clock.on(10)
    answer = carrier.call("/voice/hold", QueueTime="10", QueuePosition="5")
    missed, wiring.recent = wiring.recent, Recent()  # another process takes the next turn
    clock.on(2)
    carrier.call(leaves, QueueResult="redirected", QueueTime="12")
    wiring.recent = missed
    anew = carrier.call("/voice/hold", QueueTime="0", QueuePosition="6")
    assert int(turn_of(anew)) > int(turn_of(answer))
    assert names(wiring).count("held") == 2


def test_every_end_of_a_call_is_204(carrier: Carrier, wiring: Wiring) -> None:
    hold(carrier)
    carrier.call("/voice/queue-result?turn=3", QueueResult="hangup", QueueTime="20")
    assert carrier.call("/voice/status", CallStatus="completed", CallDuration="40").status_code == 204
    assert carrier.call("/voice/status", CallStatus="completed", CallDuration="40").status_code == 204
    assert names(wiring).count("call_ended") == 1
    assert carrier.post("/voice/status", {"CallSid": "CA" + "7" * 32, "CallStatus": "busy"}).status_code == 204


def test_how_far_a_call_has_come_is_no_end_of_it(carrier: Carrier, wiring: Wiring) -> None:
    for early in ("queued", "ringing", ""):
        assert carrier.call("/voice/status", CallStatus=early).status_code == 204
    answer = carrier.call("/voice/incoming")
    assert verbs(answer) == ["Gather"]
    assert carrier.call("/voice/status", CallStatus="in-progress").status_code == 204
    assert verbs(carrier.call(action(answer), Digits="3")) == ["Gather"]
    assert names(wiring) == ["call_started", "menu_chosen"]


def test_a_wait_request_that_comes_late_leads_nobody_back_into_the_queue(
    carrier: Carrier, wiring: Wiring, clock: Clock
) -> None:
    leaves = action(hold(carrier))
    clock.on(45)
    carrier.call("/voice/hold", QueueTime="45", QueuePosition="2")
    clock.on(2)
    closing = carrier.call(leaves, QueueResult="leave", QueueTime="47")
    late = carrier.call("/voice/hold", QueueTime="46", QueuePosition="2")
    assert not {"Enqueue", "Dial"} & set(verbs(late))
    assert names(wiring).count("held") == 1
    clock.on(8)
    assert verbs(carrier.call(action(closing), Digits="1"))[-1] == "Hangup"
    assert "text_queued" in names(wiring)
    clock.on(10)
    carrier.call("/voice/hold", QueueTime="67", QueuePosition="2")  # but who is in it still, or anew, is in it
    assert names(wiring)[-2:] == ["held", "announced"]


def test_a_wait_request_of_long_ago_is_known_by_its_token(carrier: Carrier, wiring: Wiring, clock: Clock) -> None:
    leaves = action(hold(carrier))
    form = {"CallSid": CALL, "From": "+12025550143", "QueuePosition": "2"}
    rounds = [{"I-Twilio-Idempotency-Token": f"0c5d4f7e-1111-4222-8333-4444555566{n:02}"} for n in range(8)]
    for n, token in enumerate(rounds):
        clock.on(10)
        carrier.post("/voice/hold", {**form, "QueueTime": str(10 * n)}, headers=token)
    closing = carrier.call(leaves, QueueResult="leave", QueueTime="80")
    clock.on(20)
    carrier.post("/voice/hold", {**form, "QueueTime": "0"}, headers=rounds[0])
    assert names(wiring).count("held") == 1
    assert verbs(carrier.call(action(closing), Digits="3"))[-1] == "Hangup"


def test_a_call_that_never_came_in_here_keeps_its_place(carrier: Carrier) -> None:
    assert verbs(carrier.call("/voice/hold", QueueTime="3", QueuePosition="2")) == ["Play", "Pause"]
    assert verbs(carrier.call("/voice/hold-key?turn=4", Digits="1")) == ["Play", "Pause"]
    assert verbs(carrier.call("/voice/connecting", DequeingCallSid=AGENT_CALL)) == []
    assert verbs(carrier.call("/voice/queue-result?turn=4", QueueResult="hangup")) == []
    assert verbs(carrier.call("/voice/queue-result?turn=4", QueueResult="bridged")) == []
    for path in ("/voice/menu?turn=9", "/voice/describe?turn=9", "/voice/closed?turn=9", "/voice/overflow?turn=9"):
        assert verbs(carrier.call(path, Digits="1")) == ["Say", "Pause", "Enqueue"]
    assert verbs(carrier.call("/voice/queue-result?turn=4", QueueResult="system-error"))[-1] == "Enqueue"


def test_a_call_whose_plan_is_gone_goes_on_with_the_live_one(carrier: Carrier, wiring: Wiring) -> None:
    answer = carrier.call("/voice/incoming")
    with wiring.pool.connection() as conn:
        conn.execute("UPDATE calls SET state = replace(state, '\"plan_version\":1', '\"plan_version\":77')")
    wiring.recent.forget(CALL)
    answer = carrier.call(action(answer), Digits="3")
    assert action(answer) == "/voice/menu?turn=2"
    with wiring.pool.connection() as conn:
        assert [fact.plan_version for fact in facts.of_call(conn, CALL)] == [1, 1]


def test_a_call_whose_state_is_torn_keeps_its_place(carrier: Carrier, wiring: Wiring) -> None:
    answer = hold(carrier)
    with wiring.pool.connection() as conn:
        conn.execute("UPDATE calls SET state = '{}'")
    wiring.recent.forget(CALL)
    assert carrier.call("/voice/incoming").text == answer.text
    assert verbs(carrier.call("/voice/hold", QueueTime="9", QueuePosition="5")) == ["Play", "Pause"]
    assert verbs(carrier.call("/voice/hold-key?turn=3", Digits="1")) == ["Play", "Pause"]
    assert carrier.call("/voice/connecting", DequeingCallSid=AGENT_CALL).text == EMPTY
    assert carrier.call("/voice/status", CallStatus="completed").status_code == 204


def test_the_fallback_leads_to_the_default_queue(carrier: Carrier) -> None:
    answer = carrier.call("/voice/fallback", ErrorCode="11200", ErrorUrl="x")
    assert verbs(answer) == ["Say", "Pause", "Enqueue"]
    assert ">general</Enqueue>" in answer.text


def test_whom_an_agent_helped_the_fallback_puts_into_no_line(carrier: Carrier) -> None:
    """The answer to the queue's result got lost: the fallback is told of it with the result, or without."""
    after = {"ErrorCode": "11200", "ErrorUrl": "https://calls.example/voice/queue-result"}
    carrier.call("/voice/incoming")
    assert (
        verbs(carrier.post("/voice/fallback", {"CallSid": "CA" + "8" * 32, "From": CALLER, **after}))[-1] == "Enqueue"
    )
    carrier.call("/voice/connecting", DequeingCallSid=AGENT_CALL)
    assert carrier.call("/voice/fallback", **after).text == EMPTY
    assert carrier.call("/voice/fallback", **after, QueueResult="bridged").text == EMPTY
    assert verbs(carrier.call("/voice/fallback", **after, QueueResult="error")) == ["Say", "Pause", "Enqueue"]
    for elsewhere in ("https://elsewhere.example/survey", "http://[::1"):
        assert verbs(carrier.call("/voice/fallback", **after | {"ErrorUrl": elsewhere})) == ["Say", "Pause", "Enqueue"]


@pytest.fixture
def no_database(wiring: Wiring) -> None:
    """The database goes away under a running process."""
    wiring.pool.close()


@pytest.mark.usefixtures("no_database")
def test_without_a_database_nobody_loses_the_place(carrier: Carrier) -> None:
    assert verbs(carrier.call("/voice/incoming")) == ["Say", "Pause", "Enqueue"]
    assert verbs(carrier.call("/voice/menu?turn=1", Digits="3")) == ["Say", "Pause", "Enqueue"]
    assert verbs(carrier.call("/voice/hold", QueueTime="3")) == ["Play", "Pause"]
    assert verbs(carrier.call("/voice/hold-key?turn=1", Digits="1")) == ["Play", "Pause"]
    assert carrier.call("/voice/connecting").text == EMPTY
    assert verbs(carrier.call("/voice/fallback")) == ["Say", "Pause", "Enqueue"]
    assert carrier.call("/voice/status", CallStatus="completed").status_code == 204
    assert verbs(carrier.post("/sms/incoming", {"MessageSid": "SM" + "1" * 32, "From": CALLER, "Body": "1"})) == [
        "Message"
    ]
    assert (
        carrier.post("/sms/status?text=x", {"MessageSid": "SM" + "1" * 32, "MessageStatus": "sent"}).status_code == 204
    )


@pytest.mark.usefixtures("no_database")
def test_without_a_database_an_agent_still_takes_callers_and_never_becomes_one(
    carrier: Carrier, wiring: Wiring
) -> None:
    form = {"CallSid": AGENT_CALL, "From": CALLER}
    answer = carrier.post("/voice/agent?queue=technical", form)
    assert verbs(answer) == ["Dial"]
    assert ">general</Queue>" in answer.text  # no plan was ever read: where callers are sent too
    wiring.settings = wiring.settings.model_copy(update={"agent_numbers": ("+15005550001",)})
    assert verbs(carrier.post("/voice/agent", form)) == ["Hangup"]


def test_without_a_database_an_agent_takes_the_queue_of_the_number(carrier: Carrier, wiring: Wiring) -> None:
    carrier.call("/voice/incoming")
    wiring.pool.close()
    answer = carrier.post("/voice/agent?queue=technical", {"CallSid": AGENT_CALL, "From": CALLER})
    assert verbs(answer) == ["Dial"]
    assert ">technical</Queue>" in answer.text


@pytest.mark.usefixtures("no_database")
def test_without_a_database_whoever_talked_to_the_overflow_number_is_let_go(carrier: Carrier) -> None:
    assert carrier.call("/voice/overflow?turn=9", DialCallStatus="completed").text == EMPTY
    assert verbs(carrier.call("/voice/overflow?turn=9", DialCallStatus="no-answer")) == ["Say", "Pause", "Enqueue"]


def test_without_a_database_the_plan_in_memory_still_names_the_queue(carrier: Carrier, wiring: Wiring) -> None:
    carrier.call("/voice/incoming")
    wiring.pool.close()
    answer = carrier.call("/voice/menu?turn=1", Digits="1")
    assert 'voice="' not in answer.text
    assert ">general</Enqueue>" in answer.text


def test_an_agent_dials_in_to_a_queue_of_the_plan(carrier: Carrier) -> None:
    form = {"CallSid": AGENT_CALL, "From": CALLER}
    queue = ET.fromstring(carrier.post("/voice/agent?queue=technical", form).text).find(".//Queue")
    assert queue is not None
    assert queue.text == "technical"
    assert ">general<" in carrier.post("/voice/agent?queue=evil", form).text
    assert ">general<" in carrier.post("/voice/agent", form).text
    assert verbs(carrier.post("/voice/agent-done", {**form, "DialCallStatus": "no-answer"})) == ["Say", "Hangup"]
    assert verbs(carrier.post("/voice/agent-done", {**form, "DialCallStatus": "completed"})) == ["Hangup"]


def test_only_agents_numbers_may_take_callers_in_production(carrier: Carrier, wiring: Wiring) -> None:
    form = {"CallSid": AGENT_CALL, "From": CALLER}
    for changes, verb in (
        ({"agent_numbers": ("+15005550001",)}, "Hangup"),
        ({"agent_numbers": (CALLER,)}, "Dial"),
        ({"offhold_env": "production"}, "Hangup"),
        ({"offhold_env": "production", "agent_numbers": (CALLER,)}, "Dial"),
    ):
        before = wiring.settings
        wiring.settings = before.model_copy(update=changes)
        try:
            assert verbs(carrier.post("/voice/agent", form)) == [verb]
        finally:
            wiring.settings = before
