"""Stories: what is refused in a file, and how one is played."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from ivr.phone.engine import Carrier
from ivr.phone.story import StoryError, parse
from ivr.phone.story_play import Hooks, StoryResult, play_story
from ivr.phone.transport import Answer
from tests.phone.tiny import BASE, Tiny, carrier, wav

LINK = f"{BASE}/r/abc"
PAGE = """<h1>Router light stays red</h1><form method="post" action="/r/abc/solved"><button>Solved</button></form>
<p data-seen="/r/abc/seen"></p>"""


def pages(phone: Carrier) -> dict[str, Any]:
    """A little service: a menu, a hold with an offer, a text, its page, replies."""

    def hold(form: Mapping[str, str]) -> str:
        offer = "<Say>To get the steps by text, press 1.</Say>" if int(form["QueueTime"]) >= 12 else ""
        return f'<Gather action="/hold-key" numDigits="1" timeout="1">{offer}<Play>/music.wav</Play></Gather>'

    def key(form: Mapping[str, str]) -> str:
        text = {"To": form["From"], "From": phone.main.number, "Body": f"Lumora: {LINK} Reply 1 solved"}
        phone.texts.create(text | {"StatusCallback": f"{BASE}/sms/status"})
        return "<Say>Sending it now.</Say>"

    ask = '<Gather action="/menu" numDigits="1" input="dtmf speech" timeout="3">'
    menu = ask + "<Say>For Internet, press 1.</Say></Gather>"
    return {
        "/voice/incoming": menu + "<Say>Sorry, I did not get that.</Say><Redirect>/voice/incoming</Redirect>",
        "/menu": '<Enqueue waitUrl="/hold" action="/left">internet</Enqueue>',
        "/hold": hold,
        "/hold-key": key,
        "/music.wav": Answer(200, {"content-type": "audio/wav"}, wav(10)),
        "/left": "<Hangup/>",
        "/voice/agent": '<Dial><Queue url="/connecting">internet</Queue></Dial>',
        "/connecting": "<Say>Connecting you now.</Say>",
        "/sms/incoming": "<Message>Glad to hear it.</Message>",
        "/r/abc": Answer(200, {"content-type": "text/html"}, PAGE.encode()),
        "/r/abc/solved": Answer(200, {"content-type": "text/html"}, b"Thank you"),
        "/forged": Answer(403, {}, b""),
    }


def play(turns: str, top: str = "", hooks: Hooks | None = None, **more: Any) -> tuple[StoryResult, Carrier, Tiny]:
    phone, tiny = carrier({})
    tiny.pages.update(pages(phone))
    story = parse(f"title: T\n{top}\nturns:\n{turns}")
    return play_story(story, phone, hooks=hooks, **more), phone, tiny


WHOLE = """
  - starts: {}
  - hears: [For Internet]
  - presses: "1"
  - waits: {s: 14, position: 4}
  - hears: ["press 1"]
  - presses: "1"
  - hears: [Sending it now]
  - gets_text: {contains: [Lumora, /r/abc], lacks: router, segments: 1}
  - opens_link: preview
  - opens_link: person
  - taps: solved
  - agent: answers
  - hears: [Connecting you now]
  - agent: hangs_up
  - replies: "1"
  - gets_text: Glad
"""


def test_whole_story_is_played_as_written() -> None:
    result, phone, tiny = play(WHOLE, "queue: {ahead: 3}")
    assert result.problems == []
    assert [message.status for message in phone.messages] == ["delivered", "delivered"]
    assert tiny.to("/left")[0]["QueueResult"] == "bridged"
    opened = [asked for asked in tiny.asked if asked.path == "/r/abc"]
    assert ["WhatsApp" in asked.headers["User-Agent"] for asked in opened] == [True, False]
    assert [asked.path for asked in tiny.asked].count("/r/abc/seen") == 1
    assert any("hears: Sending it now." in line for line in result.lines)


def test_service_that_does_everything_twice_is_found_out() -> None:
    result, phone, _ = play(WHOLE, "queue: {ahead: 3}", double=True)
    assert len([one for one in phone.messages if one.direction == "outbound-api"]) == 2
    assert "'Glad' is not in" in result.problems[0]


@pytest.mark.parametrize(
    ("turns", "problem"),
    [
        ("  - starts: {}\n  - hears: [Goodbye]", "story:5: hears: not heard: ['Goodbye']"),
        ("  - starts: {}\n  - hears: [Internet]\n  - hears_not: [Internet]", "was heard: 'Internet'"),
        ("  - starts: {}\n  - gets_text: Lumora", "no text came"),
        ("  - starts: {}\n  - presses: '1'\n  - waits: {s: 1, position: 9}", "position 1, expected 9"),
        ("  - starts: {}\n  - agent: answers", "the caller is in no queue"),
        ("  - leaves: {}", "nobody has called yet"),
        ("  - starts: {}\n  - opens_link: person", "no text with a link"),
        ("  - starts: {}\n  - webhook: {path: /menu, status: 403}", "HTTP 200, expected 403"),
    ],
)
def test_what_is_not_as_written_is_told_with_its_line(turns: str, problem: str) -> None:
    result, _, _ = play(turns)
    assert problem in "\n".join(result.problems)


def test_second_prompt_is_not_mistaken_for_the_first() -> None:
    result, _, _ = play("  - starts: {}\n  - hears: [did not get that]")
    assert not result.ok


def test_silence_lets_the_question_time_out() -> None:
    result, _, _ = play("  - starts: {}\n  - hears: [Internet]\n  - silent: {}\n  - hears: [did not get that]")
    assert result.problems == []


def test_key_can_come_a_moment_after_a_sentence_began() -> None:
    turns = """
  - starts: {}
  - presses: "1"
  - waits: 12
  - presses: {keys: "1", of: "press 1", after_ms: 900}
"""
    result, _, _ = play(turns)
    [said] = [line for line in result.call.heard if "press 1." in line.text and "steps" in line.text]
    assert said.cut_at == pytest.approx(0.9)


def test_speech_is_said_into_a_listening_question() -> None:
    result, _, tiny = play("  - starts: {}\n  - says: {words: my router, confidence: 0.4}\n  - waits: 4")
    assert result.problems == []
    assert tiny.to("/menu")[0]["SpeechResult"] == "my router"
    assert float(tiny.to("/menu")[0]["Confidence"]) == pytest.approx(0.4)


def test_raw_webhooks_can_be_forged_and_sent_twice() -> None:
    turns = """
  - starts: {}
  - presses: "1"
  - waits: 13
  - webhook: {path: /forged, signed: false}
  - webhook: {path: "@hold", form: {QueueTime: 20, QueuePosition: 1}, twice: true, contains: Gather}
  - posts_queue_result: {result: bridging-in-process, form: {QueueTime: 3}}
"""
    result, _, tiny = play(turns)
    assert result.problems == []
    assert tiny.to("/left")[0]["QueueResult"] == "bridging-in-process"
    twice = [asked.headers["I-Twilio-Idempotency-Token"] for asked in tiny.asked if asked.form.get("QueueTime") == "20"]
    assert len(twice) == 2
    assert len(set(twice)) == 1


def test_misuse_of_the_protocol_is_a_problem_of_the_story() -> None:
    phone, _ = carrier({"/voice/incoming": '<Say Voice="x">Hi</Say>'})
    result = play_story(parse("title: T\nturns:\n  - starts: {}"), phone)
    assert "protocol: 12200" in result.problems[0]


def test_what_only_tests_can_do_is_said_to_be_left_out() -> None:
    turns = "  - rest: {days: 8}\n  - flushall: {}\n  - expects: {facts: [called]}"
    result, _, _ = play(turns, "given: {hour: 9}")
    assert result.problems == []
    assert result.cannot == ["set up {'hour': 9}", "rest", "flushall", "expects"]


def test_hooks_do_what_only_tests_can_do() -> None:
    seen: list[Any] = []

    def expects(value: Any, result: StoryResult) -> Sequence[str]:
        return [f"no {value['facts'][0]}"]

    hooks = Hooks(
        given=seen.append,
        rest=seen.append,
        flushall=lambda: seen.append("flushed"),
        expects=lambda value, result: list(expects(value, result)),
    )
    turns = "  - rest: {days: 8}\n  - flushall: {}\n  - expects: {facts: [called]}"
    result, phone, _ = play(turns, "given: {hour: 9}", hooks)
    assert seen == [{"hour": 9}, timedelta(days=8), "flushed"]
    assert result.problems == ["story:6: expects: no called"]
    assert phone.now.day == 10


def test_caller_without_a_number_and_bad_receipts() -> None:
    result, phone, tiny = play("  - starts: {}", "caller: {withheld: true}\nreceipts: {undelivered: 30006}")
    assert result.problems == []
    assert tiny.asked[0].form["From"] == "+266696687"
    assert phone.texts.handset("+266696687").fails_with == 30006


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("title: [", ["story:1"]),
        ("- a", ["story:1: expected a map"]),
        ("title: T\nturns: []", ["story:2: turns: expected a list"]),
        ("title: T\nturns:\n  - preses: '1'", ["story:3: no turn is called 'preses'"]),
        ("title: T\nturns:\n  - starts: {}\n  - waits: {sec: 4}", ["story:4: waits knows no 'sec'"]),
        (
            "title: T\nqueue: {a: 1}\nturns:\n  - presses: abc",
            ["story:2: queue knows no 'a'", "story:4: presses: keys"],
        ),
        ("title: T\nturns:\n  - agent: sleeps", ["story:3: agent: expected one of answers, hangs_up"]),
        ("title: T\nturns:\n  - opens_link: {as: robot}", ["story:3: opens_link: as is one of"]),
        ("turns:\n  - starts: {}", ["story:1: title: expected a sentence"]),
        ("title: T\ntitle: U\nturns:\n  - starts: {}", ["story:2"]),
        ("title: T\nturns:\n  - {starts: {}, leaves: {}}", ["story:3: a turn is a map of one key"]),
        ("title: T\nturns:\n  - says: {confidence: 1}", ["story:3: says: words is missing"]),
    ],
)
def test_file_that_is_no_story_is_refused_with_every_line(text: str, problems: list[str]) -> None:
    with pytest.raises(StoryError) as refused:
        parse(text)
    assert len(refused.value.problems) == len(problems)
    for found, expected in zip(refused.value.problems, problems, strict=True):
        assert found.startswith(expected)
