"""Erasing a number: nothing leads from it to anybody afterwards, and figures stay."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from psycopg import Connection

from config.settings import Settings
from ivr.carrier.erasing import Deleted, delete_records
from ivr.console import calls, privacy
from ivr.console.actors import at_terminal
from ivr.console.errors import Wrong
from ivr.wiring import Wiring
from models import audit, contacts, erase, facts, numbers, optouts, summaries, texts
from models.contacts import NewContact
from tests.ivr.web.conftest import (  # noqa: F401
    CALL,
    CALLED,
    CALLER,
    Carrier,
    Clock,
    app,
    carrier,
    clock,
    logged,
    wiring,
)

BY = at_terminal("tests")
OTHER = "+12025550155"
MESSAGE = "SM" + "1" * 32


class Twilio(BaseHTTPRequestHandler):
    """Deletes messages and calls, or does as it is told. Its lists show one answer to a text, that we have no id of,
    and one recording."""

    status: ClassVar[int] = 204
    deleted: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        wish = parse_qs(urlsplit(self.path).query)
        name = urlsplit(self.path).path.rpartition("/")[2].removesuffix(".json")
        rows: list[dict[str, str]] = []
        if name == "IncomingPhoneNumbers":
            name, rows = (
                "incoming_phone_numbers",
                [{"phone_number": CALLED, "voice_url": "http://127.0.0.1:8000/voice"}],
            )
        elif name == "Messages" and wish == {"To": [CALLER], "From": [CALLED]}:
            rows = [{"sid": "SManswer"}]
        elif name == "Recordings" and wish["CallSid"] == [CALL]:
            rows = [{"sid": "REone"}]
        body = json.dumps({name.lower(): rows, "next_page_uri": None}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_DELETE(self) -> None:
        self.deleted.append(self.path.rpartition("/")[2])
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(autouse=True)
def twilio() -> Iterator[str]:
    Twilio.status, Twilio.deleted = 204, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Twilio)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def settings(settings: Settings, twilio: str) -> Settings:
    return settings.model_copy(update={"twilio_api_base_url": twilio})


@pytest.fixture(name="site")
def _site(wiring: Wiring, carrier: Carrier, clock: Clock) -> Wiring:  # noqa: F811
    """A caller who said something, was sent a text, stopped texts and came by chat as well; and another caller."""
    carrier.call("/voice/incoming", CallStatus="ringing")
    carrier.call("/voice/menu?turn=1", Digits="3")
    carrier.post("/voice/incoming", {"CallSid": "CA" + "2" * 32, "From": OTHER, "To": CALLED, "CallStatus": "ringing"})
    key, now = wiring.numbers.key(CALLER), clock()
    with wiring.pool.connection() as conn:
        conn.execute(
            "INSERT INTO transcripts (call_sid, turn, sealed, at) VALUES (%s, 1, 'x', %s), (%s, 1, 'x', %s)",
            (CALL, now, "CA" + "2" * 32, now),
        )
        number_id = numbers.keep(conn, key, wiring.numbers.seal(CALLER), now)
        _text(conn, "text-1", key, number_id, now)
        conn.execute("UPDATE texts SET status = 'sent', message_sid = %s WHERE id = 'text-1'", (MESSAGE,))
        _text(conn, "text-2", key, number_id, now)
        conn.execute(
            "INSERT INTO inbound_texts (message_sid, number_key, at, kind, reply)"
            " VALUES ('SMin', %s, %s, 'stop', 'ok')",
            (key, now),
        )
        numbers.link(conn, key, wiring.numbers.key(OTHER))
        optouts.opt_out(conn, key, now, "reply")
        number = contacts.begin(conn, "chat", "a file", "tests", now)
        contacts.add(conn, number, "chat", [NewContact(key, now, "slow")])
    clock.on(timedelta(minutes=10).total_seconds())
    return wiring


def _text(conn: Connection, text_id: str, key: str, number_id: int, now: object) -> None:
    conn.execute(
        "INSERT INTO texts (id, call_sid, article_id, caller_key, to_key, number_id, from_number, language, topic,"
        " body, segments, token, status, due_at, created_at, expires_at, prefix_key)"
        " VALUES (%(id)s, %(call)s, %(id)s, %(key)s, %(key)s, %(number)s, %(from)s, 'en', 'your router',"
        " 'Lumora: https://...', 1, %(id)s, 'queued', %(now)s, %(now)s, %(now)s, 'prefix')",
        {"id": text_id, "call": CALL, "key": key, "number": number_id, "from": CALLED, "now": now},
    )


def erased(site: Wiring, **typed: str) -> privacy.Erased:
    return privacy.erase_number(
        site, BY, **{"number": CALLER, "again": "+1 202 555 0143", "why": "asked by letter", **typed}
    )


def test_nothing_leads_from_the_number_to_anybody_and_the_figures_stay(site: Wiring) -> None:
    with site.pool.connection() as conn:
        happened, called = facts.count(conn), summaries.calls(conn)
    done = erased(site)
    assert done.proven
    assert done.left == dict.fromkeys(erase.LOOK_UPS, 0)
    assert done.at_carrier == Deleted(texts=3, calls=1, recordings=1)
    assert sorted(Twilio.deleted) == [f"{one}.json" for one in (CALL, "REone", MESSAGE, "SManswer", "SMin")]
    assert done.removed == {
        "transcripts": 1, "calls": 1, "summaries": 0, "texts": 2, "replies": 1, "contacts": 1, "links": 1,
        "numbers": 1, "kept aside": 0, "studies": 0,
    }  # fmt: skip
    with site.pool.connection() as conn:
        assert conn.execute("SELECT call_sid FROM transcripts").fetchall() == [("CA" + "2" * 32,)]
        assert conn.execute("SELECT sealed FROM numbers WHERE number_key LIKE 'erased-%'").fetchall() == [(None,)]
        assert conn.execute("SELECT DISTINCT body, topic, message_sid FROM texts").fetchall() == [("", "", None)]
        assert [text.status for text in texts.of_call(conn, CALL)] == ["sent", "canceled"]
        assert conn.execute("SELECT state, reply FROM calls WHERE call_sid = %s", (CALL,)).fetchone() == ("{}", "")
        assert facts.count(conn) == happened + 1  # the text that was canceled is one
        assert summaries.calls(conn) == called
        assert erase.look_up(conn, site.numbers.key(OTHER))["calls"] == 1


def test_the_database_no_longer_holds_the_key_but_for_the_stop(site: Wiring) -> None:
    done = erased(site)
    key = site.numbers.key(CALLER)
    with site.pool.connection() as conn:
        tables = conn.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        ).fetchall()
        holding = [
            name
            for (name,) in tables
            if conn.execute(f'SELECT FROM "{name}" AS t WHERE t::text LIKE %s', (f"%{key}%",)).fetchall()
        ]
        assert optouts.is_out(conn, key)
    assert holding == ["optouts"]
    assert done.opted_out


def test_calls_of_one_who_was_erased_still_belong_together(site: Wiring) -> None:
    erased(site)
    with site.pool.connection() as conn:
        call, contact = conn.execute(
            "SELECT c.caller_key, t.caller_key FROM calls c, contacts t WHERE c.call_sid = %s", (CALL,)
        ).fetchall()[0]
    assert call == contact
    assert call.startswith("erased-")


def test_the_audit_log_tells_of_it_without_the_number(site: Wiring) -> None:
    erased(site)
    with site.pool.connection() as conn:
        (line,) = audit.find(conn, limit=1)
    assert (line.what, line.on, line.why) == ("number.erased", "a number ending in 43", "asked by letter")
    assert line.after["transcripts"] == 1


def test_a_number_in_the_reason_does_not_stay_in_the_audit_log(site: Wiring) -> None:
    with site.pool.connection() as conn:
        calls.unmask(conn, site, BY, CALL, "to call +12025550143 back")
    erased(site, why="asked by phone, from (202) 555-0143 and +12025550143")
    with site.pool.connection() as conn:
        reasons = [line.why for line in audit.find(conn, limit=2)]
    assert reasons == ["asked by phone, from *** and ***", "to call *** back"]


def test_where_the_carrier_cannot_delete_nothing_is_erased_and_it_can_be_tried_again(site: Wiring) -> None:
    Twilio.status = 500
    with pytest.raises(Wrong, match="Nothing was erased here yet"):
        erased(site)
    with site.pool.connection() as conn:
        assert erase.look_up(conn, site.numbers.key(CALLER))["calls"] == 1
    Twilio.status = 404
    assert erased(site).at_carrier == Deleted()


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"number": "202 555 0143"}, "number"),
        ({"number": "+1 (anonymous)"}, "number"),
        ({"number": ""}, "number"),
        ({"again": OTHER}, "again"),
        ({"why": " "}, "why"),
    ],
)
def test_what_was_typed_wrong_erases_nothing(site: Wiring, typed: dict[str, str], field: str) -> None:
    with pytest.raises(Wrong) as caught:
        erased(site, **typed)
    assert set(caught.value.problems) == {field}
    with site.pool.connection() as conn:
        assert erase.look_up(conn, site.numbers.key(CALLER))["calls"] == 1


def test_a_number_that_is_calling_now_is_not_erased(site: Wiring, carrier: Carrier) -> None:  # noqa: F811
    carrier.call("/voice/menu?turn=2", Digits="1")
    with pytest.raises(Wrong, match="is in a call"):
        erased(site)


def test_a_number_that_calls_while_the_carrier_deletes_is_not_erased(
    site: Wiring,
    carrier: Carrier,  # noqa: F811 - the fixture imported above
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def meanwhile(*given: Any, **named: Any) -> Deleted:
        carrier.call("/voice/menu?turn=2", Digits="1")
        return delete_records(*given, **named)

    monkeypatch.setattr("ivr.console.privacy.delete_records", meanwhile)
    with pytest.raises(Wrong, match="is in a call"):
        erased(site)
    with site.pool.connection() as conn:
        assert erase.look_up(conn, site.numbers.key(CALLER))["calls"] == 1


def test_the_command_prints_what_was_removed(site: Wiring, app: Flask) -> None:  # noqa: F811
    command = ["privacy", "erase", CALLER, "--why", "asked by letter", "--yes"]
    done = app.test_cli_runner().invoke(args=command)
    assert done.exit_code == 0, done.output
    assert "transcripts: 1\n" in done.output
    assert "recordings deleted at the carrier: 1\n" in done.output
    assert "looked up again: nothing leads from the number to anybody" in done.output
