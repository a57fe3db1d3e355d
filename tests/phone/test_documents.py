"""Documents, their failures and what is sent along, as twilio.md 2, 3, 4, 5.2-5.4 state it."""

from datetime import UTC, datetime

import pytest
from twilio.request_validator import RequestValidator

from ivr.phone.call import WITHHELD, Call
from ivr.phone.engine import Carrier, rfc2822
from ivr.phone.signing import sign
from ivr.phone.sound import audio_seconds, say_seconds
from ivr.phone.transport import Answer, ConnectFailed, TimedOut
from tests.phone.tiny import BASE, CALLER, TOKEN, Reply, Tiny, carrier, said, wav, xml


def call(document: Reply, **more: Reply) -> tuple[Carrier, Tiny, Call]:
    pages = {"/voice/incoming": document, **{"/" + name.replace("_", "/"): page for name, page in more.items()}}
    phone, tiny = carrier(pages)
    return phone, tiny, phone.call(CALLER)


def codes(phone: Carrier) -> list[int]:
    return [warning.code for warning in phone.warnings]


# ---- what is sent


def test_first_request_carries_what_twilio_sends() -> None:
    _, tiny, made = call("<Say>Hello</Say>")
    form = tiny.asked[0].form
    assert form["From"] == form["Caller"] == CALLER
    assert form["CallStatus"] == "ringing"
    assert (form["Direction"], form["ApiVersion"]) == ("inbound", "2010-04-01")
    assert form["FromCity"] == ""
    assert form["StirVerstat"] == "TN-Validation-Passed-A"
    assert len(made.sid) == 34
    assert form["CallSid"] == made.sid


def test_signature_is_the_one_the_sdk_accepts() -> None:
    _, tiny, _ = call("<Redirect>/next?turn=3&amp;x=a%2Fb</Redirect>", next="<Hangup/>")
    for asked in tiny.asked:
        signature = asked.headers["X-Twilio-Signature"]
        params = dict(asked.pairs)
        assert RequestValidator(TOKEN).validate(asked.url, params, signature)
        assert not RequestValidator(TOKEN).validate(asked.url, params | {"From": "+1"}, signature)


@pytest.mark.parametrize(
    ("url", "form", "signature"),
    [
        (
            "https://example.com/myapp.php?foo=1&bar=2",
            {
                "CallSid": "CA1234567890ABCDE",
                "Caller": "+14158675310",
                "Digits": "1234",
                "From": "+14158675310",
                "To": "+18005551212",
            },
            "L/OH5YylLD5NRKLltdqwSvS0BnU=",
        ),
        (
            "https://mycompany.com/s",
            {"Body": "Ich brauche Hilfe – 4 ", "From": "+4915112345678", "Empty": ""},
            RequestValidator("12345").compute_signature(
                "https://mycompany.com/s", {"Body": "Ich brauche Hilfe – 4 ", "From": "+4915112345678", "Empty": ""}
            ),
        ),
    ],
)
def test_signature_vectors(url: str, form: dict[str, str], signature: str) -> None:
    assert sign(url, list(form.items()), "12345") == signature


def test_voice_over_https_is_signed_without_port_and_fragment() -> None:
    assert sign("https://a.example:8443/x?y=1#rc=2", [], TOKEN) == sign("https://a.example/x?y=1", [], TOKEN)
    assert sign("http://a.example:81/x", [], TOKEN) != sign("http://a.example/x", [], TOKEN)


def test_withheld_and_sip_callers_look_as_they_do_at_twilio() -> None:
    phone, tiny = carrier({"/voice/incoming": "<Hangup/>"})
    phone.call(WITHHELD, stir="")
    phone.call("sip:desk@pbx.example", stir="")
    hidden, sip = (asked.form for asked in tiny.asked if asked.path == "/voice/incoming")
    assert hidden["From"] == "+266696687"
    assert "StirVerstat" not in hidden
    assert sip["SipDomain"] == "pbx.example"


def test_arm_is_a_parameter_of_every_request() -> None:
    phone, tiny = carrier({"/voice/incoming": "<Redirect>/next</Redirect>"})
    phone.call(CALLER, arm="draw")
    assert [asked.form["OffholdArm"] for asked in tiny.asked[:2]] == ["draw", "draw"]


def test_cookies_are_kept_for_the_call() -> None:
    first = Answer(
        200, {"content-type": "text/xml", "set-cookie": "a=b; Path=/"}, b"<Response><Redirect>/n</Redirect></Response>"
    )
    phone, tiny = carrier({"/voice/incoming": first, "/n": "<Hangup/>"})
    phone.call(CALLER)
    assert "Cookie" not in tiny.asked[0].headers
    assert tiny.asked[1].headers["Cookie"] == "a=b"


def test_status_callback_comes_once_at_the_end() -> None:
    phone, tiny, _ = call('<Pause length="7"/>')
    phone.advance(30)
    [form] = tiny.to("/voice/status")
    assert (form["CallStatus"], form["CallDuration"]) == ("completed", "7")


def test_dates_are_rfc_2822() -> None:
    assert rfc2822(datetime(2010, 8, 20, 1, 13, 42, tzinfo=UTC)) == "Fri, 20 Aug 2010 01:13:42 +0000"


# ---- what is executed


def test_verbs_are_executed_in_order_and_the_end_hangs_up() -> None:
    phone, _, made = call('<Say language="es-MX" voice="Polly.Mia">Hola</Say><Pause/><Say>Two</Say>')
    phone.advance(30)
    assert [line.kind for line in made.heard if line.kind != "event"] == ["say", "pause", "say"]
    assert (made.heard[0].language, made.heard[0].voice) == ("es-MX", "Polly.Mia")
    assert made.over


def test_redirect_ends_the_document() -> None:
    phone, _, made = call("<Redirect>/next</Redirect><Say>Never</Say>", next="<Say>Here</Say>")
    assert said(phone, made.sid) == ["Here"]


def test_pause_first_delays_the_answer() -> None:
    phone, _, made = call('<Pause length="4"/><Say>Hello</Say>')
    phone.advance(3)
    assert made.status == "ringing"
    phone.advance(1)
    assert made.status == "in-progress"


def test_reject_first_ends_the_call_unanswered() -> None:
    _, _, made = call('<Reject reason="busy"/>')
    assert made.status == "busy"


def test_recording_lasts_as_its_header_says_and_is_fetched_once() -> None:
    sound = Answer(200, {"content-type": "audio/wav"}, wav(3.5))
    phone, tiny, made = call('<Play loop="2">/a.wav</Play><Play>/a.wav</Play>', **{"a.wav": sound})
    phone.advance(60)
    assert [line.seconds for line in made.heard if line.kind == "play"] == [3.5, 3.5, 3.5]
    [fetched] = [asked for asked in tiny.asked if asked.path == "/a.wav"]
    assert fetched.method == "GET"
    assert fetched.form == {}
    assert "X-Twilio-Signature" not in fetched.headers


def test_recording_that_is_no_audio_is_skipped_with_a_warning() -> None:
    phone, _, made = call("<Play>/a.wav</Play><Say>On</Say>", **{"a.wav": xml("<x/>")})
    assert said(phone, made.sid) == ["On"]
    assert codes(phone) == [12300]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ('<Say Voice="x">Hello</Say>', 12200),
        ('<Gather numdigits="1" action="/x"/>', 12200),
        ("<say>Hello</say>", 12200),
        ('<Pause length="0"/>', 12200),
        ("<Say></Say>", 13520),
        ("<Say>" + "long " * 900 + "</Say>", 13521),
        ("<Gather action='/x'><Redirect>/y</Redirect></Gather>", 12200),
        ("<Leave/>", 12200),
        ("stray text", 12200),
    ],
)
def test_misuse_is_ignored_but_recorded(document: str, code: int) -> None:
    phone, _, _ = call(document)
    assert codes(phone)[0] == code


def test_clean_document_leaves_no_warning() -> None:
    phone, _, _ = call('<Say>Hello</Say><Gather action="/x" numDigits="1" timeout="2"><Say>Key</Say></Gather><Hangup/>')
    phone.advance(60)
    assert phone.warnings == []


# ---- what goes wrong


def failing(reason: Exception) -> Reply:
    def fail(form: dict[str, str]) -> Answer:
        raise reason

    return fail


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        ("<Say>no end", "12100"),
        (xml("<Other/>"), "12100"),
        (xml("<!DOCTYPE x [<!ENTITY a 'b'>]><Response>&a;</Response>"), "12100"),
        (xml("<Response><Say>\x0b</Say></Response>"), "12100"),
        ("<Say>" + "x" * 70_000 + "</Say>", "11750"),
        (xml("<Response/>", status=500), "11200"),
        (xml("<Response/>", status=404), "11200"),
        (xml("<Response/>", mime=""), "12300"),
        (failing(TimedOut("slow")), "11200"),
        (failing(ConnectFailed("closed")), "11205"),
    ],
)
def test_unusable_document_goes_to_the_fallback_url(broken: Reply, code: str) -> None:
    phone, tiny, made = call(broken, voice_fallback="<Say>Still here</Say>")
    [form] = tiny.to("/voice/fallback")
    assert form["ErrorCode"] == code
    assert form["ErrorUrl"] == f"{BASE}/voice/incoming"
    assert said(phone, made.sid) == ["Still here"]
    assert codes(phone) == [int(code)]


def test_without_a_working_fallback_an_apology_is_heard_and_the_call_ends() -> None:
    phone, _, made = call("<Say>no end", voice_fallback="<Say>no end either")
    phone.advance(60)
    assert "application error" in said(phone, made.sid)[0]
    assert made.over


def test_plain_text_is_spoken_then_hung_up() -> None:
    phone, _, made = call(xml("OK", mime="text/plain"))
    phone.advance(10)
    assert said(phone, made.sid) == ["OK"]
    assert made.over
    assert codes(phone) == [12200]


def test_connect_failure_is_tried_once_more_under_the_same_token() -> None:
    _, tiny, _ = call(failing(ConnectFailed("closed")), voice_fallback="<Hangup/>")
    tries = [asked.headers["I-Twilio-Idempotency-Token"] for asked in tiny.asked if asked.path == "/voice/incoming"]
    assert len(tries) == 2
    assert tries[0] == tries[1]


def test_slow_or_failing_webhook_is_not_tried_again_unless_the_url_says_so() -> None:
    _, tiny, _ = call(
        xml("", status=500), voice_fallback="<Redirect>/other#rc=3&amp;rp=5xx</Redirect>", other=xml("", status=503)
    )
    paths = [asked.path for asked in tiny.asked]
    assert paths[:6] == ["/voice/incoming", "/voice/fallback", "/other", "/other", "/other", "/other"]
    assert len(paths) < 250


def test_http_redirect_of_a_gather_action_loses_the_digits() -> None:
    moved = Answer(302, {"location": "/new"}, b"")
    phone, tiny, made = call('<Gather action="/old" numDigits="1"/>', old=moved, new="<Hangup/>")
    phone.press(made, "5")
    [asked] = [asked for asked in tiny.asked if asked.path == "/new"]
    assert asked.method == "GET"
    assert "Digits" not in asked.form
    assert asked.form["CallSid"] == made.sid


def test_endless_http_redirects_are_given_up() -> None:
    phone, tiny, _ = call(Answer(302, {"location": "/voice/incoming"}, b""), voice_fallback="<Hangup/>")
    assert len(tiny.to("/voice/incoming")) == 11
    assert codes(phone) == [11215]


def test_redirect_to_itself_is_a_busy_loop_that_ends() -> None:
    phone, _, made = call("<Redirect>/voice/incoming</Redirect>")
    phone.advance(20)
    assert "busy loop" in phone.warnings[0].text
    assert made.over


def test_caller_who_hangs_up_while_the_service_thinks_hears_nothing_more() -> None:
    phone, tiny = carrier({})

    def hang_up(form: dict[str, str]) -> str:
        phone.hang_up(phone.calls[form["CallSid"]])
        return "<Say>Never heard</Say>"

    tiny.pages["/voice/incoming"] = hang_up
    made = phone.call(CALLER)
    assert made.status == "no-answer"
    assert said(phone, made.sid) == []


def test_double_play_sends_each_webhook_twice_and_reports_different_answers() -> None:
    count = iter(range(100))
    pages: dict[str, Reply] = {
        "/voice/incoming": "<Redirect>/next</Redirect>",
        "/next": lambda form: f"<Say>{next(count)}</Say>",
    }
    phone, tiny = carrier(pages, double=True)
    phone.call(CALLER)
    tokens = [asked.headers["I-Twilio-Idempotency-Token"] for asked in tiny.asked]
    assert len(tokens) == 4
    assert len(set(tokens)) == 2
    assert ["answered differently" in warning.text for warning in phone.warnings] == [True]


def test_speech_and_recordings_have_a_length() -> None:
    assert say_seconds("one two three four five six seven eight nine ten eleven twelve thirteen") == 5.0
    assert audio_seconds(wav(2.25)) == 2.25
    assert audio_seconds(b"RIFF\x00\x00\x00\x00WAVE") == 0.0
