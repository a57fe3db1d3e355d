"""Our client of the carrier, against a carrier over real HTTP."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from ivr.carrier.client import REAL, CarrierHttp, build_client
from ivr.carrier.codes import CODES, meaning, ours_to_mend, reached
from ivr.carrier.sender import Busy, LookUpFailed, NotTaken, Outcome, Refused, Sender, Sent, Unknown

ACCOUNT = "AC" + "1" * 32
SID = "SM" + "2" * 32
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Carrier(BaseHTTPRequestHandler):
    """Answers what the test says, and remembers what it was asked."""

    asked: ClassVar[list[tuple[str, str, dict[str, str], str]]] = []
    status: int = 201
    body: Any = None
    headers_out: ClassVar[dict[str, str]] = {}
    delay_s: float = 0.0
    protocol_version = "HTTP/1.1"

    def _take(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        parts = urlsplit(self.path)
        raw = self.rfile.read(length).decode() or parts.query
        form = {name: values[0] for name, values in parse_qs(raw).items()}
        Carrier.asked.append((self.command, parts.path, form, self.headers.get("Authorization", "")))
        time.sleep(Carrier.delay_s)
        if Carrier.status == 0:
            self.close_connection = True
            return
        answer = Carrier.body if isinstance(Carrier.body, bytes) else json.dumps(Carrier.body).encode()
        self.send_response(Carrier.status)
        for name, value in {**Carrier.headers_out, "Content-Length": str(len(answer))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET = _take

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    Carrier.asked, Carrier.status, Carrier.body, Carrier.headers_out, Carrier.delay_s = [], 201, {"sid": SID}, {}, 0.0
    server = Quiet(("127.0.0.1", 0), Carrier)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def sender(address: str, **changes: str) -> Sender:
    client = build_client(
        account_sid=ACCOUNT, username="SK" + "3" * 32, password="secret", base_url=address, times=(0.3, 0.3)
    )
    return Sender(client, **changes)


def send(address: str, **changes: str) -> Outcome:
    return sender(address, **changes).send(
        "+12025550143",
        "Hello",
        from_number="+13105550100",
        status_callback="https://a.example/x?text=1",
        valid_for_s=600,
    )


def test_a_text_is_sent_with_all_it_needs(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert send(address) == Sent(SID)
    ((method, path, form, authorization),) = Carrier.asked
    assert (method, path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
    assert form == {
        "To": "+12025550143",
        "From": "+13105550100",
        "Body": "Hello",
        "StatusCallback": "https://a.example/x?text=1",
        "ValidityPeriod": "600",
    }
    assert authorization.startswith("Basic ")


def test_the_messaging_service_or_the_fixed_sender_goes_before_the_number_called(address: str) -> None:
    send(address, messaging_service_sid="MG" + "4" * 32, sender_number="+12025550188")
    send(address, sender_number="+12025550188")
    first, second = (form for _, _, form, _ in Carrier.asked)
    assert (first.get("From"), first["MessagingServiceSid"]) == (None, "MG" + "4" * 32)
    assert second["From"] == "+12025550188"


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (400, {"code": 21610, "message": "out", "status": 400}, Refused(21610)),
        (400, {"code": 21211, "message": "no", "status": 400}, Refused(21211)),
        (401, {"code": 20003, "message": "who", "status": 401}, Refused(20003)),
        (404, {}, Refused(404)),
        (500, {"message": "oops", "status": 500}, Unknown("http 500")),
        (503, b"<html>busy</html>", Unknown("http 503")),
        (408, {}, Unknown("http 408")),
        (201, b"<html>", Unknown("JSONDecodeError")),
        (201, {}, Unknown("no sid")),
        (0, {}, Unknown("ConnectionError")),
    ],
)
def test_each_answer_means_one_thing(address: str, status: int, body: Any, outcome: Outcome) -> None:
    Carrier.status, Carrier.body = status, body
    assert send(address) == outcome
    assert len(Carrier.asked) == 1  # never tried again by itself


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("9999", 60.0), ("soon", None), ("", None)])
def test_a_busy_carrier_did_not_take_it(address: str, header: str, seconds: float | None) -> None:
    Carrier.status, Carrier.body, Carrier.headers_out = 429, {"code": 20429}, {"Retry-After": header}
    assert send(address) == Busy(seconds)


def test_silence_after_the_request_is_unknown(address: str) -> None:
    Carrier.delay_s = 0.6
    assert send(address) == Unknown("ReadTimeout")


@pytest.mark.parametrize("base", ["http://127.0.0.1:1", "http://no-such-host.invalid"])
def test_without_a_connection_nothing_was_taken(base: str) -> None:
    assert send(base) == NotTaken()


def _listed(sid: str, body: str, minutes_ago: float, direction: str = "outbound-api") -> dict[str, str]:
    created = format_datetime(NOW - timedelta(minutes=minutes_ago), usegmt=True).replace("GMT", "+0000")
    return {"sid": sid, "body": body, "date_created": created, "direction": direction}


def test_a_text_is_found_again_by_its_token(address: str) -> None:
    Carrier.status = 200
    Carrier.body = {
        "messages": [
            _listed("SM1", "other", 0),
            _listed("SM2", "you sent me /r/tok", 0, "inbound"),
            _listed("SM3", "see /r/tok", 1),
            _listed("SM4", "old", 90),
        ]
    }
    carrier = sender(address)
    assert carrier.find_by_token("+12025550143", "tok", NOW - timedelta(minutes=2)) == "SM3"
    assert carrier.find_by_token("+12025550143", "tok", NOW + timedelta(minutes=20)) == "SM3"  # our clock is fast
    assert carrier.find_by_token("+12025550143", "another", NOW - timedelta(minutes=2)) is None
    _, path, form, _ = Carrier.asked[0]
    assert path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert form == {"To": "+12025550143", "PageSize": "100"}


@pytest.mark.parametrize(("status", "body"), [(503, {}), (429, {}), (200, b"<html>"), (0, {}), (401, {"code": 20003})])
def test_a_look_up_that_fails_says_so(address: str, status: int, body: Any) -> None:
    Carrier.status, Carrier.body = status, body
    with pytest.raises(LookUpFailed):
        sender(address).find_by_token("+12025550143", "tok", NOW)


def test_a_list_too_long_to_see_its_end_is_no_proof(address: str) -> None:
    Carrier.status, Carrier.body = 200, {"messages": [_listed(f"SM{n}", "other", 0) for n in range(100)]}
    with pytest.raises(LookUpFailed):
        sender(address).find_by_token("+12025550143", "tok", NOW)


def test_the_line_type_is_asked_at_the_same_address_and_fails_open(address: str) -> None:
    Carrier.status, Carrier.body = 200, {"line_type_intelligence": {"type": "landline"}}
    assert sender(address).line_type("+12025550143") == "landline"
    assert Carrier.asked[0][1] == "/v2/PhoneNumbers/+12025550143"
    Carrier.status = 503
    assert sender(address).line_type("+12025550143") is None


def test_only_another_carrier_gets_another_host() -> None:
    other = CarrierHttp("https://carrier.example/base/", (1, 1))
    assert other._moved("https://lookups.twilio.com/v2/x?a=1") == "https://carrier.example/base/v2/x?a=1"
    assert other._moved("https://pricing.twilio.com/v1/y") == "https://carrier.example/base/v1/y"
    assert CarrierHttp(REAL, (1, 1))._moved("https://lookups.twilio.com/v2/x") == "https://lookups.twilio.com/v2/x"


def test_no_number_is_logged(address: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("twilio.http_client").setLevel(logging.DEBUG)
    Carrier.status, Carrier.body = 200, {"messages": []}
    carrier = sender(address)
    carrier.find_by_token("+12025550143", "tok", NOW)
    assert "2025550143" not in "".join(record.getMessage() for record in caplog.records if "twilio" in record.name)


def test_statuses_and_codes_have_safe_defaults() -> None:
    assert [reached(word) for word in ("queued", "SENT", "delivered", "read", "failed", "new word")] == [
        "sent", "sent", "delivered", "delivered", "undelivered", None,
    ]  # fmt: skip
    assert meaning(21610) == "the number opted out"
    assert meaning(99999) == meaning(None) == "a reason we do not know"
    assert ours_to_mend(30007)
    assert not ours_to_mend(None)
    assert all(words and not words.endswith(".") for words, _ in CODES.values())
