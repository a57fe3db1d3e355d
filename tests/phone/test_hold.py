"""`<Enqueue>`, the waitUrl loop and `<Dial><Queue>` as twilio.md 5.5 and 5.6 state them."""

import pytest

from ivr.phone.call import Call
from ivr.phone.engine import Carrier, Crowd
from ivr.phone.transport import Answer
from tests.phone.tiny import CALLER, Reply, Tiny, carrier, said, wav, xml

QUEUE = '<Enqueue waitUrl="/hold" action="/left">support</Enqueue><Say>Behind</Say>'
AGENT = '<Dial action="/agent-done" timeout="20"><Queue url="/whisper">support</Queue></Dial>'


def pages(**more: Reply) -> dict[str, Reply]:
    return {
        "/voice/incoming": QUEUE,
        "/hold": '<Pause length="10"/>',
        "/left": "<Say>Bye</Say>",
        "/voice/agent": AGENT,
        "/whisper": "<Say>Connecting you now</Say>",
        "/agent-done": "<Hangup/>",
        **{"/" + name.replace("_", "/"): page for name, page in more.items()},
    }


def queued(ahead: int = 0, every_s: float | None = None, **more: Reply) -> tuple[Carrier, Tiny, Call]:
    phone, tiny = carrier(pages(**more))
    phone.crowd = Crowd(ahead, every_s)
    return phone, tiny, phone.call(CALLER)


def results(tiny: Tiny, path: str = "/left") -> list[str]:
    return [form["QueueResult"] for form in tiny.to(path)]


def test_wait_document_is_asked_again_when_it_runs_dry() -> None:
    phone, tiny, _ = queued()
    phone.advance(25)
    assert [form["QueueTime"] for form in tiny.to("/hold")] == ["0", "10", "20"]
    assert phone.warnings == []


def test_wait_request_carries_the_queue() -> None:
    phone, tiny, call = queued(ahead=3)
    first = tiny.to("/hold")[0]
    assert (first["QueuePosition"], first["CurrentQueueSize"], first["MaxQueueSize"]) == ("4", "4", "1000")
    assert first["QueueSid"] == phone.queues["support"].sid
    assert first["CallSid"] == call.sid
    assert first["AvgQueueTime"] == "90"


def test_position_falls_as_others_are_answered() -> None:
    phone, tiny, _ = queued(ahead=2, every_s=15)
    phone.advance(45)
    assert [form["QueuePosition"] for form in tiny.to("/hold")] == ["3", "3", "2", "1", "1"]


def test_leave_asks_the_action_at_once_and_goes_on_there() -> None:
    phone, tiny, call = queued(hold='<Pause length="4"/><Leave/>')
    phone.advance(4)
    assert results(tiny) == ["leave"]
    assert tiny.to("/left")[0]["QueueTime"] == "4"
    assert said(phone, call.sid) == ["Bye"]


def test_leave_without_action_goes_on_behind_the_enqueue() -> None:
    document = QUEUE.replace('action="/left"', "")
    phone, tiny, call = queued(voice_incoming=document, hold='<Pause length="1"/><Leave/>')
    phone.advance(2)
    assert said(phone, call.sid) == ["Behind"]
    assert results(tiny) == []


def test_hang_up_in_the_queue_is_told_to_the_action_and_to_the_status_callback() -> None:
    phone, tiny, call = queued()
    phone.advance(13)
    phone.hang_up(call)
    assert results(tiny) == ["hangup"]
    assert tiny.to("/left")[0]["CallStatus"] == "completed"
    assert tiny.to("/voice/status")[0]["CallDuration"] == "13"
    assert said(phone, call.sid) == []
    assert phone.queues["support"].members == []


def test_who_hangs_up_as_an_agent_takes_them_is_told_once_and_the_agent_goes_on() -> None:
    def both(form: dict[str, str]) -> str:
        if form["QueueTime"] == "10":
            phone.agent_answers("support")
            phone.hang_up(call)
        return '<Pause length="10"/>'

    phone, tiny, call = queued(hold=both)
    phone.advance(30)
    assert call.over
    assert results(tiny) == ["hangup"]
    assert tiny.to("/whisper") == []
    assert tiny.to("/agent-done") != []
    assert phone.queues["support"].members == []


def test_hangup_verb_in_the_wait_document_ends_the_call() -> None:
    phone, tiny, call = queued(hold='<Pause length="2"/><Hangup/>')
    phone.advance(2)
    assert call.over
    assert results(tiny) == ["hangup"]


def test_gather_in_the_wait_document_runs_dry_back_into_the_wait_document() -> None:
    hold = '<Gather numDigits="1" action="/key"><Pause length="30"/></Gather>'
    phone, tiny, call = queued(hold=hold, key="<Say>Sending it now</Say>")
    phone.advance(5)
    phone.press(call, "1")
    phone.advance(3)
    assert tiny.to("/key")[0]["Digits"] == "1"
    assert said(phone, call.sid) == ["Sending it now"]
    assert len(tiny.to("/hold")) == 2
    assert results(tiny) == []


@pytest.mark.parametrize(
    "broken",
    ["<Enqueue>other</Enqueue>", "<Say>no end", xml("<Response/>", status=500), xml("hello", mime="")],
    ids=["forbidden verb", "ill-formed", "HTTP 500", "no media type"],
)
def test_broken_wait_document_throws_the_caller_out(broken: str | Answer) -> None:
    phone, tiny, call = queued(hold=broken)
    phone.advance(1)
    assert results(tiny) == ["error"]
    assert said(phone, call.sid) == ["Bye"]
    assert phone.warnings


def test_empty_wait_document_is_a_busy_loop() -> None:
    phone, tiny, _ = queued(hold="")
    phone.advance(5)
    assert len(tiny.to("/hold")) == 6
    assert "busy loop" in phone.warnings[0].text


def test_full_queue_refuses_at_once() -> None:
    phone, tiny = carrier(pages())
    phone.queue_of("support").max_size = 1
    phone.call(CALLER)
    second = phone.call("+12125550187")
    assert results(tiny) == ["queue-full"]
    assert "QueueSid" not in tiny.to("/left")[0]
    assert said(phone, second.sid) == ["Bye"]


def test_agent_is_connected_after_the_whisper_and_the_action_waits_for_the_end() -> None:
    phone, tiny, call = queued()
    phone.advance(42)
    agent = phone.agent_answers("support")
    whisper = tiny.to("/whisper")[0]
    assert (whisper["CallSid"], whisper["DequeingCallSid"], whisper["QueueTime"]) == (
        call.sid,
        agent.sid,
        "42",
    )
    assert not any(line.text == "connected to an agent" for line in call.heard)
    phone.advance(2)
    assert call.partner is agent
    assert said(phone, call.sid) == ["Connecting you now"]
    phone.advance(60)
    assert results(tiny) == []
    phone.agent_hangs_up(call)
    assert results(tiny) == ["bridged"]
    assert tiny.to("/left")[0]["QueueTime"] == "42"
    assert tiny.to("/agent-done")[0]["DialCallStatus"] == "completed"
    phone.advance(1)
    assert phone.warnings == []


def test_caller_who_hangs_up_on_the_agent_was_bridged() -> None:
    phone, tiny, call = queued()
    agent = phone.agent_answers("support")
    phone.advance(10)
    phone.hang_up(call)
    assert results(tiny) == ["bridged"]
    assert tiny.to("/agent-done")[0]["DialCallDuration"] == "8"
    assert agent.over


def test_agent_gets_the_first_real_caller_and_the_crowd_before_is_served() -> None:
    phone, _, call = queued(ahead=5)
    phone.agent_answers("support")
    phone.advance(3)
    assert call.partner is not None
    assert phone.queues["support"].members == []


def test_agent_waits_for_somebody_to_come() -> None:
    phone, _ = carrier(pages())
    phone.queue_of("support")
    agent = phone.agent_answers("support")
    phone.advance(10)
    call = phone.call(CALLER)
    phone.advance(3)
    assert call.partner is agent


def test_agent_whom_nobody_comes_to_is_told_no_answer() -> None:
    phone, tiny = carrier(pages())
    phone.queue_of("support")
    phone.agent_answers("support")
    phone.advance(21)
    assert tiny.to("/agent-done")[0]["DialCallStatus"] == "no-answer"


def test_queue_that_does_not_exist_is_an_error_of_the_dial() -> None:
    phone, tiny = carrier(pages())
    phone.agent_answers("support")
    assert tiny.to("/agent-done")[0]["DialCallStatus"] == "failed"
    assert phone.warnings[0].code == 13245


def test_rest_takes_a_caller_out_of_the_queue() -> None:
    phone, tiny, call = queued(elsewhere="<Say>Elsewhere</Say>")
    phone.advance(3)
    assert phone.redirect(call, url="/elsewhere")
    assert results(tiny) == ["redirected"]
    assert said(phone, call.sid) == ["Elsewhere"]


def test_rest_moves_a_bridged_caller() -> None:
    phone, tiny, call = queued(elsewhere="<Say>Elsewhere</Say>")
    phone.agent_answers("support")
    phone.advance(3)
    phone.redirect(call, url="/elsewhere")
    assert results(tiny) == ["redirected-from-bridged"]


def test_late_key_on_a_bridged_call_reaches_nobody() -> None:
    hold = '<Gather numDigits="1" action="/key"><Pause length="30"/></Gather>'
    phone, tiny, call = queued(hold=hold, key="<Say>No</Say>")
    phone.agent_answers("support")
    phone.advance(3)
    phone.press(call, "1")
    assert tiny.to("/key") == []


def test_task_is_kept_with_the_call_and_an_agent_takes_it_without_a_number() -> None:
    task = '<Task priority="5">{"a": 1}</Task>'
    document = f'<Enqueue workflowSid="WW1" waitUrl="/hold" action="/left">{task}</Enqueue>'
    phone, _, call = queued(voice_incoming=document)
    assert phone.tasks == [(call.sid, "WW1", '{"a": 1}')]
    phone.agent_answers("WW1")
    phone.advance(1)
    assert call.partner is not None


def test_recording_as_wait_document_is_played_and_asked_again() -> None:
    phone, tiny, call = queued(hold=Answer(200, {"content-type": "audio/wav"}, wav(6)))
    phone.advance(13)
    assert len(tiny.to("/hold")) == 3
    assert [line.seconds for line in call.heard if line.kind == "play"] == [6, 6, 6]


def test_empty_wait_url_is_silence() -> None:
    phone, tiny, call = queued(voice_incoming='<Enqueue waitUrl="" action="/left">support</Enqueue>')
    phone.advance(100)
    assert tiny.to("/hold") == []
    assert call.member is not None


def test_dialled_number_talks_and_the_action_hears_how_long() -> None:
    phone, tiny, call = queued(voice_incoming='<Dial action="/agent-done">+12025550100</Dial>')
    phone.advance(13)
    phone.agent_hangs_up(call)
    assert phone.dialled == [(call.sid, "+12025550100")]
    assert tiny.to("/agent-done")[0]["DialCallStatus"] == "completed"
    assert tiny.to("/agent-done")[0]["DialCallDuration"] == "10"
