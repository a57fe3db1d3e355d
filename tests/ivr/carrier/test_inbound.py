"""Webhooks are read without an error, whatever is in them."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import ImmutableMultiDict

from ivr.carrier import inbound
from ivr.carrier.inbound import Answer, Connecting, Ended, Incoming, Message, QueueLeft, Receipt, Waiting

CALL = "CA" + "0" * 31 + "1"
AGENT = "CA" + "a" * 32
MESSAGE = "SM" + "b" * 32


def test_a_call_comes_in_with_its_numbers() -> None:
    form = {
        "CallSid": CALL,
        "AccountSid": "AC1",
        "From": "+12025550143",
        "To": "+15005550006",
        "StirVerstat": "TN-Validation-Passed-A",
        "OffholdArm": "draw",
        "FromCity": "",
    }
    assert inbound.incoming(form) == Incoming(
        CALL, "AC1", "+12025550143", "+15005550006", "TN-Validation-Passed-A", "draw"
    )


@pytest.mark.parametrize("sid", ["", "CA1", AGENT.upper(), CALL + "\n", "CA" + "g" * 32, "SM" + "0" * 32])
def test_a_call_without_a_proper_id_is_none(sid: str) -> None:
    assert inbound.incoming({"CallSid": sid}) is None


@pytest.mark.parametrize(
    ("form", "answer"),
    [
        ({}, Answer()),
        ({"Digits": "", "SpeechResult": "  ", "msg": "Gather End", "FinishedOnKey": ""}, Answer()),
        ({"Digits": " 3 "}, Answer(keys="3")),
        ({"Digits": "*"}, Answer(keys="*")),
        ({"Digits": "١"}, Answer()),
        ({"Digits": "1; DROP TABLE calls"}, Answer()),
        ({"Digits": "9" * 100_000}, Answer(keys="9" * 32)),
        ({"Digits": "", "SpeechResult": "Support.", "Confidence": "0.91"}, Answer("", "Support", 0.91)),
        ({"SpeechResult": "Red light", "Confidence": "0.0"}, Answer("", "Red light", 0.0)),
        ({"SpeechResult": "Red light", "Confidence": "nan"}, Answer("", "Red light", None)),
        ({"SpeechResult": "Red light", "Confidence": "-1e999"}, Answer("", "Red light", None)),
        ({"SpeechResult": "a\x00b\u202ec"}, Answer("", "a b c", None)),
        ({"SpeechResult": "..."}, Answer()),
    ],
)
def test_an_answer_is_keys_or_words_or_silence(form: dict[str, str], answer: Answer) -> None:
    assert inbound.answer(form) == answer


def test_a_megabyte_of_speech_is_cut_at_a_word() -> None:
    words = inbound.answer({"SpeechResult": "light " * 200_000}).words
    assert words == ("light " * 166).strip()


def test_the_first_of_repeated_values_counts() -> None:
    form = ImmutableMultiDict([("Digits", "1"), ("Digits", "2")])
    assert inbound.answer(form) == Answer(keys="1")


@pytest.mark.parametrize(
    ("form", "here"),
    [
        ({"QueueTime": "41", "QueuePosition": "7"}, Waiting(41, 7)),
        ({"QueueTime": "", "QueuePosition": "0"}, Waiting(None, None)),
        ({"QueueTime": "-5", "QueuePosition": "first"}, Waiting(None, None)),
        ({"QueueTime": "1e9", "QueuePosition": "٣"}, Waiting(None, None)),
        ({"QueueTime": "999999999", "QueuePosition": "9" * 5000}, Waiting(10_000_000, None)),
        ({}, Waiting(None, None)),
    ],
)
def test_the_wait_is_numbers_that_make_sense(form: dict[str, str], here: Waiting) -> None:
    assert inbound.waiting(form) == here


def test_the_queue_says_who_takes_the_call_and_why_it_let_go() -> None:
    assert inbound.connecting({"DequeingCallSid": AGENT, "QueueTime": "60"}) == Connecting(60, AGENT)
    assert inbound.connecting({"DequeingCallSid": "client:ann"}) == Connecting(None, None)
    assert inbound.queue_left({"QueueResult": "queue-full"}) == QueueLeft("queue-full", None)
    assert inbound.queue_left({"QueueResult": "<b>" * 99}) == QueueLeft("unknown", None)


def test_the_end_of_a_call_has_a_status() -> None:
    assert inbound.ended({"CallStatus": "completed", "CallDuration": "65"}) == Ended("completed", 65)
    assert inbound.dial_ended({"DialCallStatus": "no-answer"}) == Ended("no-answer", None)
    assert inbound.ended({}) == Ended("unknown", None)


def test_a_text_keeps_its_lines_and_loses_what_no_database_takes() -> None:
    form = {"MessageSid": MESSAGE, "From": "+12025550143", "To": "+15005550006", "Body": "no\n\x00pe \ud83d"}
    assert inbound.message(form) == Message(MESSAGE, "+12025550143", "+15005550006", "no\npe ?")
    assert inbound.message({**form, "OptOutType": "stop"}) == Message(
        MESSAGE, "+12025550143", "+15005550006", "no\npe ?", "STOP"
    )
    assert inbound.message({"Body": "hello"}) is None


@pytest.mark.parametrize("sender", ["+12025550143", "rcs:+12025550143", "whatsapp:+12025550143"])
def test_a_person_is_the_same_whatever_the_text_came_by(sender: str) -> None:
    found = inbound.message({"MessageSid": f"SM{1:032x}", "From": sender, "To": "rcs:lumora", "Body": "stop"})
    assert found is not None
    assert (found.from_, found.to) == ("+12025550143", "lumora")


def test_a_receipt_has_a_message_and_a_status() -> None:
    assert inbound.receipt({"MessageSid": MESSAGE, "MessageStatus": "Delivered"}) == Receipt(MESSAGE, "delivered")
    form = {"MessageSid": MESSAGE, "MessageStatus": "undelivered", "ErrorCode": "30006"}
    assert inbound.receipt(form) == Receipt(MESSAGE, "undelivered", 30006)
    assert inbound.receipt({"MessageSid": MESSAGE}) is None
    assert inbound.receipt({"MessageSid": "x", "MessageStatus": "sent"}) is None


def test_a_repeat_is_told_by_the_carriers_token_or_by_what_moved() -> None:
    here = {"CallSid": CALL, "QueueTime": "20", "QueuePosition": "3", "AvgQueueTime": "44"}
    token = "0b4ce3c6-9a3f-4f42-a05e-7c7c44d12345"
    assert inbound.mark(here, token) == token
    bare = inbound.mark(here, None)
    assert bare.startswith("=")
    assert inbound.mark({**here, "AvgQueueTime": "45"}, "") == bare
    assert inbound.mark({**here, "QueueTime": "21"}, "a b") != bare


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault of a form
@given(
    st.dictionaries(
        st.sampled_from(
            ["CallSid", "From", "To", "Digits", "SpeechResult", "Confidence", "QueueTime", "QueuePosition",
             "QueueResult", "DequeingCallSid", "CallStatus", "CallDuration", "DialCallStatus", "MessageSid",
             "Body", "OptOutType", "MessageStatus", "ErrorCode", "AccountSid", "OffholdArm"]
        ),
        st.text(max_size=60),
    ),
    st.text(max_size=80),
)  # fmt: skip
def test_no_form_raises(form: dict[str, str], token: str) -> None:
    for read in (
        inbound.incoming, inbound.answer, inbound.waiting, inbound.connecting, inbound.queue_left, inbound.ended,
        inbound.dial_ended, inbound.message, inbound.receipt, inbound.caller_number, inbound.call_sid,
    ):  # fmt: skip
        read(form)
    inbound.mark(form, token)
