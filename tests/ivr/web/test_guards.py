"""No webhook without the carrier's signature, and never an error."""

import io

import pytest
from flask import Flask, request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.app import create_app
from ivr.carrier import signature
from ivr.wiring import Wiring
from tests.ivr.web.conftest import CALL, Carrier

WEBHOOKS = sorted({
    "/voice/incoming", "/voice/menu", "/voice/describe", "/voice/returning", "/voice/closed", "/voice/hold",
    "/voice/hold-key", "/voice/queue-result", "/voice/connecting", "/voice/agent", "/voice/agent-done",
    "/voice/overflow", "/voice/status", "/voice/fallback", "/sms/incoming", "/sms/fallback", "/sms/status",
})  # fmt: skip
RECEIPTS = {"/voice/status", "/sms/status"}


def test_every_rule_under_voice_and_sms_is_a_known_webhook(app: Flask) -> None:
    rules = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith(("/voice", "/sms"))}
    assert sorted(rules) == WEBHOOKS
    for rule in app.url_map.iter_rules():
        if rule.rule in rules:
            assert rule.methods is not None
            assert rule.methods - {"OPTIONS"} == {"POST"}


def test_unsigned_and_wrongly_signed_webhooks_get_403_and_signed_ones_never_fail(carrier: Carrier) -> None:
    own = carrier.settings
    form = {"AccountSid": own.twilio_account_sid, "CallSid": CALL}
    for path in WEBHOOKS:
        right = signature.sign(own.public_base_url + path, form, own.twilio_auth_token[0].get_secret_value())
        elsewhere = signature.sign("https://evil.example" + path, form, own.twilio_auth_token[0].get_secret_value())
        for given_, sent in (
            (None, form),
            ("", form),
            ("bad", form),
            (elsewhere, form),
            (right, {**form, "CallSid": CALL[:-1] + "2"}),
            (right, {**form, "Digits": "1"}),
        ):
            headers = {} if given_ is None else {signature.HEADER: given_}
            answer = carrier.client.post(path, data=sent, headers=headers)
            assert (answer.status_code, answer.mimetype) == (403, "text/plain"), path
        assert carrier.client.post(path + "?turn=1", data=form, headers={signature.HEADER: right}).status_code == 403
        taken = carrier.client.post(path, data=form, headers={signature.HEADER: right})
        assert taken.status_code == (204 if path in RECEIPTS else 200), path
        assert path in RECEIPTS or taken.mimetype == "text/xml"
        assert carrier.client.get(path).status_code == 403
        bare = signature.sign(own.public_base_url + path, {}, own.twilio_auth_token[0].get_secret_value())
        by_get = carrier.client.get(path, headers={signature.HEADER: bare})
        assert (by_get.status_code, by_get.mimetype) == (taken.status_code, taken.mimetype), path


def test_another_account_is_refused(carrier: Carrier) -> None:
    assert carrier.post("/voice/fallback", {"AccountSid": "AC" + "9" * 32}).status_code == 403


def test_a_body_that_is_too_long_or_no_form_is_refused(carrier: Carrier) -> None:
    assert carrier.post("/voice/menu", {"CallSid": CALL, "SpeechResult": "a" * 1_000_000}).status_code == 403
    files = {"AccountSid": (io.BytesIO(b"x"), "x.txt")}
    assert carrier.client.post("/voice/menu", data=files).status_code == 403
    assert carrier.client.post("/voice/menu", data=b"\xff", content_type="application/json").status_code == 403


def test_a_signature_of_the_bare_address_carries_no_other_kind_of_form(carrier: Carrier) -> None:
    own = carrier.settings
    token = own.twilio_auth_token[0].get_secret_value()
    headers = {signature.HEADER: signature.sign(f"{own.public_base_url}/voice/incoming", {}, token)}
    form = {"CallSid": CALL, "From": "+12025550143"}
    kind = "multipart/form-data"
    assert carrier.client.post("/voice/incoming", data=form, content_type=kind, headers=headers).status_code == 403


_ANYTHING = st.text(max_size=40).filter(lambda text: text.isprintable() or "\x00" in text)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(path=st.sampled_from(WEBHOOKS), turn=st.text("0123456789-x", max_size=12), data=st.data())
def test_no_signed_form_makes_an_error(carrier: Carrier, path: str, turn: str, data: st.DataObject) -> None:
    names = ["From", "To", "Digits", "SpeechResult", "Confidence", "QueueTime", "QueuePosition", "QueueResult",
             "DequeingCallSid", "CallStatus", "DialCallStatus", "MessageSid", "Body", "MessageStatus"]  # fmt: skip
    form = data.draw(st.dictionaries(st.sampled_from(names), _ANYTHING, max_size=6))
    known = data.draw(st.sampled_from([{"CallSid": CALL}, {"CallSid": "CAx\x00"}, {}]))
    if data.draw(st.booleans()):
        carrier.call("/voice/incoming")
    answer = carrier.post(f"{path}?turn={turn}" if turn else path, {**form, **known})
    assert answer.status_code == (204 if path in RECEIPTS else 200)


def test_the_process_environment_stays_out_of_requests(wiring: Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSION_SECRET", "hush")
    monkeypatch.setenv("QUERY_STRING", "mine")
    app = create_app(wiring)
    seen: dict[str, object] = {}
    app.before_request(lambda: seen.update(request.environ))
    leaked = {"SESSION_SECRET": "hush", "PATH": "/bin"}
    app.test_client().get("/healthz?a=%7E", environ_overrides=leaked)
    assert not {"SESSION_SECRET", "PATH"} & set(seen)
    assert (seen["QUERY_STRING"], seen["PATH_INFO"]) == ("a=%7E", "/healthz")
