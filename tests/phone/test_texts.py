"""Texts, receipts, handsets and the REST side as twilio.md 6-9 state them, through the SDK over HTTP."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from ivr.phone.engine import Carrier
from ivr.phone.segments import segments
from ivr.phone.server import rest_app, running
from tests.phone.tiny import ACCOUNT, BASE, CALLER, TOKEN, Reply, Tiny, carrier

STATUS = f"{BASE}/sms/status?text=7"


@contextmanager
def rest(phone: Carrier) -> Iterator[str]:
    with running(rest_app(phone, {"SK" + "1" * 32: "secret"})) as address:
        yield f"{address}/2010-04-01/Accounts/{ACCOUNT}"


def send(base: str, body: str = "Hello", to: str = CALLER, **more: str) -> requests.Response:
    form = {"To": to, "From": "+15005550006", "Body": body, "StatusCallback": STATUS, **more}
    return requests.post(f"{base}/Messages.json", data=form, auth=(ACCOUNT, TOKEN), timeout=5)


def receipts(tiny: Tiny) -> list[str]:
    return [form["MessageStatus"] for form in tiny.to("/sms/status")]


def phone_and_service(**pages: Reply) -> tuple[Carrier, Tiny]:
    return carrier({"/" + name.replace("_", "/"): page for name, page in pages.items()})


def test_created_text_is_answered_as_twilio_does() -> None:
    phone, _ = phone_and_service()
    with rest(phone) as base:
        answer = send(base)
    got = answer.json()
    assert answer.status_code == 201
    assert (got["status"], got["num_segments"], got["price"], got["direction"]) == ("queued", "1", None, "outbound-api")
    assert got["sid"].startswith("SM")
    assert got["date_created"].endswith("+0000")
    assert [message.body for message in phone.messages] == ["Hello"]


def test_receipts_come_signed_in_order_to_the_callback_of_the_text() -> None:
    phone, tiny = phone_and_service()
    with rest(phone) as base:
        send(base)
    phone.advance(5)
    assert receipts(tiny) == ["sent", "delivered"]
    last = tiny.asked[-1]
    assert last.url == STATUS
    assert "Body" not in last.form
    assert last.form["RawDlrDoneDate"] == "2611020900"
    assert phone.texts.handset(CALLER).notes[0].body == "Hello"
    assert phone.warnings == []


def test_messaging_service_begins_with_accepted_and_hides_the_sender() -> None:
    phone, tiny = phone_and_service()
    with rest(phone) as base:
        got = send(base, From="", MessagingServiceSid="MG" + "2" * 32).json()
    phone.advance(5)
    assert (got["status"], got["from"], got["num_segments"]) == ("accepted", None, "0")
    assert receipts(tiny) == ["queued", "sent", "delivered"]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("none", []),
        ("reordered", ["delivered", "sent"]),
        ("duplicated", ["sent", "sent", "delivered", "delivered"]),
        ("before_answer", ["sent", "delivered"]),
    ],
)
def test_receipts_can_misbehave(mode: str, expected: list[str]) -> None:
    phone, tiny = phone_and_service()
    phone.faults.receipts = mode
    with rest(phone) as base:
        send(base)
        assert (receipts(tiny) == expected) or mode != "before_answer"
    phone.advance(5)
    assert receipts(tiny) == expected
    assert phone.messages[0].status == "delivered"


def test_handset_that_fails_reports_its_code() -> None:
    phone, tiny = phone_and_service()
    phone.texts.handset(CALLER).fails_with = 30006
    with rest(phone) as base:
        send(base)
    phone.advance(5)
    assert receipts(tiny) == ["sent", "undelivered"]
    assert tiny.to("/sms/status")[-1]["ErrorCode"] == "30006"
    assert phone.texts.handset(CALLER).notes == []


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"to": "12"}, 21211),
        ({"to": "+15005550006"}, 21211),
        ({"to": "+266696687"}, 21211),
        ({"to": ""}, 21604),
        ({"body": "x" * 1601}, 21617),
        ({"body": ""}, 21619),
        ({"From": ""}, 21603),
        ({"From": "+12025550199"}, 21606),
        ({"to": "+15005550003"}, 21408),
        ({"to": "+15005550009"}, 21614),
    ],
)
def test_bad_text_is_refused_with_its_code(form: dict[str, str], code: int) -> None:
    phone, _ = phone_and_service()
    with rest(phone) as base:
        answer = send(base, **form)
    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (400, code, 400)
    assert phone.messages == []


def test_landline_is_refused_and_looked_up_as_one() -> None:
    phone, _ = phone_and_service()
    phone.texts.handset(CALLER).line_type = "landline"
    with rest(phone) as base:
        assert send(base).json()["code"] == 21614
        root = base.split("/2010")[0]
        asked = {"Fields": "line_type_intelligence"}
        got = requests.get(f"{root}/v2/PhoneNumbers/{CALLER}", params=asked, auth=(ACCOUNT, TOKEN), timeout=5).json()
    assert got["valid"] is True
    assert got["line_type_intelligence"]["type"] == "landline"


def test_wrong_token_is_401_and_an_api_key_is_let_in() -> None:
    phone, _ = phone_and_service()
    with rest(phone) as base:
        wrong = requests.get(f"{base}.json", auth=(ACCOUNT, "no"), timeout=5)
        key = requests.get(f"{base}.json", auth=("SK" + "1" * 32, "secret"), timeout=5)
    assert (wrong.status_code, wrong.json()["code"]) == (401, 20003)
    assert key.json()["status"] == "active"


def test_list_filters_by_number_and_lags() -> None:
    phone, _ = phone_and_service()
    phone.faults.list_lag_s = 4
    with rest(phone) as base:
        send(base)
        send(base, to="+12125550187")

        def listed(**filters: str) -> list[str]:
            got = requests.get(f"{base}/Messages.json", params=filters, auth=(ACCOUNT, TOKEN), timeout=5).json()
            return [row["to"] for row in got["messages"]]

        assert listed() == []
        phone.advance(4)
        assert sorted(listed()) == ["+12025550143", "+12125550187"]
        assert listed(To=CALLER) == [CALLER]
        assert listed(To=CALLER, **{"DateSent>": "2026-11-03"}) == []
        assert listed(PageSize="1") == ["+12125550187"] or listed(PageSize="1") == [CALLER]


def test_faults_are_used_up_one_by_one() -> None:
    phone, _ = phone_and_service()
    phone.faults.refusals, phone.faults.http_status = 1, 429
    phone.faults.accept_then_500 = 1
    with rest(phone) as base:
        first, second, third = send(base, "one"), send(base, "two"), send(base, "three")
    assert (first.status_code, first.json()["code"]) == (429, 20429)
    assert second.status_code == 500
    assert third.status_code == 201
    assert [message.body for message in phone.messages] == ["two", "three"]


def test_accepted_text_whose_answer_does_not_come_in_time() -> None:
    phone, _ = phone_and_service()
    phone.faults.accept_then_time_out, phone.faults.silence_s = 1, 3.0
    with rest(phone) as base:
        began = time.monotonic()
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.post(
                f"{base}/Messages.json",
                data={"To": CALLER, "From": "+15005550006", "Body": "x"},
                auth=(ACCOUNT, TOKEN),
                timeout=0.3,
            )
        assert time.monotonic() - began < 2.8
        while not phone.messages and time.monotonic() - began < 30:  # a busy machine takes it later
            time.sleep(0.01)
    assert len(phone.messages) == 1


def test_text_can_be_read_redacted_and_deleted() -> None:
    phone, _ = phone_and_service()
    with rest(phone) as base:
        url = f"{base}/Messages/{send(base).json()['sid']}.json"
        auth = (ACCOUNT, TOKEN)
        assert requests.get(url, auth=auth, timeout=5).json()["body"] == "Hello"
        assert requests.post(url, data={"Body": ""}, auth=auth, timeout=5).json()["body"] == ""
        assert requests.delete(url, auth=auth, timeout=5).status_code == 204
        assert requests.get(url, auth=auth, timeout=5).json()["code"] == 20404


# ---- from the handset


def test_inbound_text_is_forwarded_and_its_answer_delivered() -> None:
    phone, tiny = phone_and_service(sms_incoming="<Message>Glad to hear it.</Message>")
    phone.texts.reply(CALLER, "1")
    phone.advance(5)
    form = tiny.to("/sms/incoming")[0]
    assert (form["Body"], form["From"], form["NumMedia"], form["SmsStatus"]) == ("1", CALLER, "0", "received")
    assert form["MessageSid"] == form["SmsSid"]
    assert [note.body for note in phone.texts.handset(CALLER).notes] == ["1", "Glad to hear it."]
    assert phone.messages[0].direction == "outbound-reply"


def test_stop_blocks_answers_and_is_still_forwarded() -> None:
    phone, tiny = phone_and_service(sms_incoming="")
    phone.texts.reply(CALLER, " stop ")
    assert tiny.to("/sms/incoming")[0]["Body"] == " stop "
    assert "OptOutType" not in tiny.to("/sms/incoming")[0]
    assert "unsubscribed" in phone.texts.handset(CALLER).notes[-1].body
    with rest(phone) as base:
        assert send(base).json()["code"] == 21610
        phone.texts.reply(CALLER, "START")
        assert send(base).status_code == 201


def test_stop_in_a_sentence_is_left_to_the_service() -> None:
    phone, _ = phone_and_service(sms_incoming="")
    phone.texts.reply(CALLER, "stop please")
    assert phone.texts.blocked == set()


def test_opt_out_type_comes_only_with_advanced_opt_out() -> None:
    phone, tiny = phone_and_service(sms_incoming="")
    phone.texts.advanced_opt_out = True
    phone.texts.reply(CALLER, "QUIT")
    assert tiny.to("/sms/incoming")[0]["OptOutType"] == "STOP"


def test_plain_text_answer_would_be_texted_and_is_a_misuse() -> None:
    from ivr.phone.transport import Answer

    phone, _ = phone_and_service(sms_incoming=Answer(200, {"content-type": "text/plain"}, b"OK"))
    phone.texts.reply(CALLER, "1")
    assert phone.warnings[0].code == 12200


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("x" * 306, 2),
        ("x" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("é" * 160, 1),
        ("ç" * 70, 1),
        ("ç" * 71, 2),
        ("’" + "x" * 69, 1),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_segments_are_counted_as_they_are_billed(body: str, count: int) -> None:
    assert segments(body) == count


# ---- calls, queues and numbers


def test_live_call_is_moved_and_an_ended_one_is_21220() -> None:
    phone, tiny = phone_and_service(voice_incoming='<Pause length="30"/>', other="<Say>Other</Say>")
    call = phone.call(CALLER)
    with rest(phone) as base:
        url = f"{base}/Calls/{call.sid}.json"
        auth = (ACCOUNT, TOKEN)
        moved = requests.post(url, data={"Url": f"{BASE}/other"}, auth=auth, timeout=5)
        assert moved.json()["status"] == "in-progress"
        assert len(tiny.to("/other")) == 1
        ended = requests.post(url, data={"Status": "completed"}, auth=auth, timeout=5)
        assert ended.json()["status"] == "completed"
        late = requests.post(url, data={"Twiml": "<Response/>"}, auth=auth, timeout=5)
        assert (late.status_code, late.json()["code"]) == (400, 21220)


def test_member_is_dequeued_by_rest() -> None:
    queue = '<Enqueue waitUrl="/hold" action="/left">support</Enqueue>'
    phone, tiny = phone_and_service(voice_incoming=queue, hold='<Pause length="9"/>', other="<Say>Other</Say>")
    call = phone.call(CALLER)
    phone.advance(4)
    with rest(phone) as base:
        auth = (ACCOUNT, TOKEN)
        [row] = requests.get(f"{base}/Queues.json", auth=auth, timeout=5).json()["queues"]
        assert (row["friendly_name"], row["current_size"], row["average_wait_time"]) == ("support", 1, 4)
        front = f"{base}/Queues/{row['sid']}/Members/Front.json"
        got = requests.post(front, data={"Url": f"{BASE}/other"}, auth=auth, timeout=5).json()
    assert (got["call_sid"], got["position"], got["wait_time"]) == (call.sid, 1, 4)
    assert tiny.to("/left")[0]["QueueResult"] == "redirected"


def test_number_is_set_up_by_rest() -> None:
    phone, _ = phone_and_service()
    with rest(phone) as base:
        auth = (ACCOUNT, TOKEN)
        wish = {"PhoneNumber": "+15005550006"}
        rows = requests.get(f"{base}/IncomingPhoneNumbers.json", params=wish, auth=auth, timeout=5).json()
        sid = rows["incoming_phone_numbers"][0]["sid"]
        form = {"VoiceUrl": f"{BASE}/v", "SmsUrl": f"{BASE}/s"}
        got = requests.post(f"{base}/IncomingPhoneNumbers/{sid}.json", data=form, auth=auth, timeout=5).json()
    assert (got["voice_url"], got["sms_url"]) == (f"{BASE}/v", f"{BASE}/s")
    assert phone.main.voice_url == f"{BASE}/v"


def test_the_sdk_reads_the_bodies() -> None:
    phone, _ = phone_and_service(voice_incoming='<Pause length="9"/>')
    call = phone.call(CALLER)
    with running(rest_app(phone)) as address:
        client = Client(ACCOUNT, TOKEN)
        client.api.base_url = address
        sent = client.messages.create(to=CALLER, from_="+15005550006", body="Hello")
        assert (sent.status, sent.num_segments) == ("queued", "1")
        assert [row.sid for row in client.messages.list(to=CALLER)] == [sent.sid]
        assert client.calls(call.sid).fetch().status == "ringing"
        with pytest.raises(TwilioRestException) as refused:
            client.messages.create(to="12", from_="+15005550006", body="Hello")
        assert refused.value.code == 21211
