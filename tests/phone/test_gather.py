"""`<Gather>` as twilio.md 5.1 states it."""

import pytest

from ivr.phone.engine import Carrier
from ivr.phone.transport import Answer
from tests.phone.tiny import CALLER, Reply, Tiny, carrier, said, wav


def menu(attributes: str = "", prompt: str = "<Say>Press a key</Say>", after: str = "<Say>After</Say>") -> Reply:
    return f'<Gather action="/chosen" {attributes}>{prompt}</Gather>{after}'


def start(document: Reply) -> tuple[Carrier, Tiny, str]:
    phone, tiny = carrier({"/voice/incoming": document, "/chosen": "<Say>Thanks</Say>"})
    return phone, tiny, phone.call(CALLER).sid


def press(phone: Carrier, sid: str, keys: str) -> None:
    for key in keys:
        phone.press(phone.calls[sid], key)


def test_key_interrupts_the_prompt_and_num_digits_ends_the_input() -> None:
    phone, tiny, sid = start(menu('numDigits="1"'))
    phone.advance(0.2)
    press(phone, sid, "2")
    assert tiny.to("/chosen")[0]["Digits"] == "2"
    assert tiny.to("/chosen")[0]["FinishedOnKey"] == ""
    assert phone.calls[sid].heard[0].cut_at == pytest.approx(0.2)
    assert said(phone, sid) == ["Press a key", "Thanks"]
    assert phone.warnings == []


def test_finish_key_ends_the_input_and_is_not_among_the_digits() -> None:
    phone, tiny, sid = start(menu())
    press(phone, sid, "12#")
    assert tiny.to("/chosen")[0]["Digits"] == "12"
    assert tiny.to("/chosen")[0]["FinishedOnKey"] == "#"
    assert tiny.to("/chosen")[0]["msg"] == "Gather End"


def test_hash_alone_is_no_input() -> None:
    phone, tiny, sid = start(menu())
    press(phone, sid, "#")
    assert tiny.to("/chosen") == []
    assert said(phone, sid)[-1] == "After"


def test_empty_finish_key_lets_hash_and_star_be_digits() -> None:
    phone, tiny, sid = start(menu('numDigits="2" finishOnKey=""'))
    press(phone, sid, "*#")
    assert tiny.to("/chosen")[0]["Digits"] == "*#"


def test_timeout_counts_from_the_end_of_the_prompt_then_falls_through() -> None:
    phone, tiny, sid = start(menu('timeout="3"', '<Say>Press a key</Say><Pause length="10"/>'))
    phone.advance(10 + 1.1 + 2.9)
    assert said(phone, sid) == ["Press a key"]
    phone.advance(0.3)
    assert said(phone, sid) == ["Press a key", "After"]
    assert tiny.to("/chosen") == []


def test_timeout_counts_anew_from_each_key() -> None:
    phone, tiny, sid = start(menu('timeout="2"'))
    press(phone, sid, "4")
    phone.advance(1.9)
    press(phone, sid, "5")
    phone.advance(1.9)
    assert tiny.to("/chosen") == []
    phone.advance(0.2)
    assert tiny.to("/chosen")[0]["Digits"] == "45"


def test_silence_asks_the_action_when_told_so() -> None:
    phone, tiny, sid = start(menu('timeout="2" actionOnEmptyResult="true"'))
    phone.advance(10)
    assert tiny.to("/chosen")[0]["Digits"] == ""
    assert said(phone, sid) == ["Press a key", "Thanks"]


def test_speech_is_sent_after_its_own_silence_with_a_confidence() -> None:
    phone, tiny, sid = start(menu('input="dtmf speech" speechTimeout="2" timeout="6"'))
    phone.advance(2)
    phone.say(phone.calls[sid], "Charged twice.", 0.91)
    phone.advance(1.9)
    assert tiny.to("/chosen") == []
    phone.advance(0.2)
    assert tiny.to("/chosen")[0]["SpeechResult"] == "Charged twice."
    assert float(tiny.to("/chosen")[0]["Confidence"]) == pytest.approx(0.91)


def test_confidence_may_be_missing() -> None:
    phone, tiny, sid = start(menu('input="speech" speechTimeout="1"'))
    phone.say(phone.calls[sid], "billing", None)
    phone.advance(1)
    assert "Confidence" not in tiny.to("/chosen")[0]


def test_after_a_first_key_speech_is_not_listened_to() -> None:
    phone, tiny, sid = start(menu('input="dtmf speech" timeout="4"'))
    press(phone, sid, "7")
    phone.say(phone.calls[sid], "hello")
    phone.advance(4)
    assert tiny.to("/chosen")[0]["Digits"] == "7"
    assert "SpeechResult" not in tiny.to("/chosen")[0]


def test_dtmf_gather_does_not_hear_speech() -> None:
    phone, tiny, sid = start(menu())
    phone.say(phone.calls[sid], "hello")
    phone.advance(30)
    assert tiny.to("/chosen") == []
    assert "nobody was listening" in [line.text for line in phone.calls[sid].heard]


def test_key_outside_a_gather_is_lost() -> None:
    phone, tiny, sid = start("<Say>one two three four five</Say>" + str(menu('numDigits="1"')))
    press(phone, sid, "1")
    phone.advance(30)
    assert tiny.to("/chosen") == []


def test_gather_without_action_asks_for_the_current_document_with_the_digits() -> None:
    phone, tiny = carrier({"/voice/incoming": '<Gather numDigits="1"><Say>x</Say></Gather>'})
    call = phone.call(CALLER)
    phone.press(call, "1")
    assert [form.get("Digits") for form in tiny.to("/voice/incoming")] == [None, "1"]
    assert "without action" in phone.warnings[0].text


def test_nested_recordings_are_all_fetched_before_the_first_is_played() -> None:
    sound = Answer(200, {"content-type": "audio/wav"}, wav(2))
    phone, tiny = carrier(
        {
            "/voice/incoming": menu('timeout="1"', "<Play>/a.wav</Play><Play>/b.wav</Play>"),
            "/a.wav": sound,
            "/b.wav": sound,
        }
    )
    phone.call(CALLER)
    assert [asked.path for asked in tiny.asked] == ["/voice/incoming", "/a.wav", "/b.wav"]
    phone.advance(4.9)
    assert len(tiny.asked) == 3
