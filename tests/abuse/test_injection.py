"""Words of callers and communities stay words: in documents, in what is dialled, in the log (S10, S11, S14, S35)."""

import json
import re
import typing
import xml.etree.ElementTree as ET
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
import structlog

from config import logs
from config.settings import Settings
from ivr.call import prompts
from ivr.call.plan import Language, Menu, Plan
from ivr.call.prompts import Ask, CallNumber, ConnectAgent, HangUp, Hold, LeaveQueue, Music, Pause, Say
from ivr.carrier import twiml
from ivr.wiring import Wiring
from models import articles
from tests.ivr.carrier.conftest import BASE, Clips
from tests.ivr.web.conftest import CALL, RED_LIGHT, Carrier, Clock
from tests.ivr.web.test_voice import action

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "</Say><Dial><Number>+19005550123</Number></Dial><Record/> call 1-900-555-0123 {self.__class__} {{7*7}} ${x}"
EVERY_KIND: tuple[prompts.Prompt, ...] = (
    Say("x", "en"),
    Music(5),
    Pause(1),
    Ask((Say("x", "en"),), "menu", "en", speech=True),
    Hold("q"),
    LeaveQueue(),
    CallNumber("+12025550143"),
    ConnectAgent("q"),
    HangUp(),
)


@pytest.fixture
def hostile(wiring: Wiring) -> None:
    """The pinned article has become somebody's attempt."""
    with wiring.pool.connection() as conn:
        articles.upsert_many(conn, [replace(RED_LIGHT, title=HOSTILE, short=HOSTILE)], "tests")


def test_no_words_of_anybody_make_the_service_dial_record_or_run_anything(
    hostile: None, carrier: Carrier, clock: Clock
) -> None:
    documents = [carrier.call("/voice/incoming", CallStatus="ringing", CallerName=HOSTILE)]
    documents.append(carrier.call(action(documents[-1]), SpeechResult=HOSTILE, Confidence="0.9"))
    documents.append(carrier.call(action(documents[-1]), Digits="3"))
    documents.append(carrier.call(action(documents[-1]), Digits="1"))
    for waited in (5, 40, 60, 90):
        clock.on(20)
        documents.append(carrier.call("/voice/hold", QueueTime=str(waited), QueuePosition="5"))
    documents.append(carrier.call(action(documents[-1]), Digits="2", SpeechResult=HOSTILE))
    verbs = {element.tag for document in documents for element in ET.fromstring(document.text).iter()}
    assert verbs <= {"Response", "Gather", "Say", "Play", "Pause", "Enqueue", "Redirect", "prosody"}
    said = " ".join(text for document in documents for text in ET.fromstring(document.text).itertext())
    assert "49" not in said
    assert "<class" not in said


def test_only_the_plans_own_number_is_ever_dialled() -> None:
    """Each place that makes a call outwards, and where its number comes from."""
    made = []
    for file in sorted((ROOT / "ivr").rglob("*.py")):
        if "phone" in file.relative_to(ROOT / "ivr").parts:
            continue  # the stand-in carrier
        source = file.read_text("utf-8")
        assert "calls.create" not in source, f"{file} makes a call"
        made += [f"{file.name}: {line.strip()}" for line in source.splitlines() if re.search(r"\bCallNumber\(\w", line)]
    assert made == [
        'closed.py: last: tuple[Prompt, ...] = (say(state, plan, "overflow"), CallNumber(number))',
        "prompts.py: class CallNumber(Value, frozen=True):",
        "standby.py: dial = Dial(timeout=CallNumber(number).timeout_s)",
        "twiml.py: case CallNumber(number, timeout_s):",
    ]
    assert "number = queue_of(state, plan).overflow_number" in (ROOT / "ivr/call/closed.py").read_text("utf-8")


def test_no_document_of_any_kind_asks_for_a_recording() -> None:
    kinds = set(typing.get_args(prompts.Prompt))
    assert {type(one) for one in EVERY_KIND} == kinds, "a new prompt is not looked at here"
    plan = Plan(1, "B", Menu("m", ()), {}, "q", (Language("en", "en-US", "v"),), {})
    document = twiml.render(EVERY_KIND, plan=plan, base_url=BASE, turn=1, audio=Clips())
    for element in ET.fromstring(document).iter():
        assert element.tag.lower() not in ("record", "transcription", "stream", "siprec", "start")
        assert not [name for name in element.attrib if "record" in name.lower() or "transcri" in name.lower()]


def test_a_log_line_is_one_line_whatever_it_was_told(settings: Settings) -> None:
    stream = StringIO()
    try:
        logs.configure(settings, stream)
        nasty = 'x\n{"event": "forged"}\r\u2028\x1b[2J\x00 +12025550143 (202) 555-0143 202.555.0143'
        structlog.get_logger().warning("odd", path=nasty, **{"reason\n": nasty})
    finally:
        structlog.reset_defaults()
    assert stream.getvalue().count("\n") == 1
    told = json.loads(stream.getvalue())
    assert told["event"] == "odd"
    assert "\x1b" not in stream.getvalue()
    assert "0143" not in stream.getvalue()


def test_a_call_of_hostile_words_leaves_no_trace_in_the_facts(hostile: None, carrier: Carrier, wiring: Wiring) -> None:
    answer = carrier.call("/voice/incoming", CallStatus="ringing")
    carrier.call(action(answer), SpeechResult=HOSTILE, Confidence="0.9")
    with wiring.pool.connection() as conn:
        rows = conn.execute("SELECT data::text FROM facts WHERE call_sid = %s", (CALL,)).fetchall()
    assert rows
    assert not any("Dial" in row[0] or "555" in row[0] for row in rows)
