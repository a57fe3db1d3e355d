"""Text webhooks: one answer a message, a receipt in any state."""

import xml.etree.ElementTree as ET

from flask.testing import FlaskClient

from ivr.carrier.twiml import EMPTY
from ivr.wiring import Wiring
from models import texts
from tests.ivr.web.conftest import CALLED, CALLER, Carrier

MESSAGE = "SM" + "c" * 32


def test_a_text_is_answered_once_with_the_same_words(carrier: Carrier) -> None:
    form = {"MessageSid": MESSAGE, "From": CALLER, "To": CALLED, "Body": "HELP me please"}
    first = carrier.post("/sms/incoming", form)
    assert first.mimetype == "text/xml"
    assert [verb.tag for verb in ET.fromstring(first.text)] in ([], ["Message"])
    assert carrier.post("/sms/fallback", form).text == first.text


def test_stop_is_answered_by_the_carrier_and_not_by_us(carrier: Carrier) -> None:
    form = {"MessageSid": MESSAGE, "From": CALLER, "To": CALLED, "Body": "STOP"}
    assert carrier.post("/sms/incoming", form).text == EMPTY


def test_a_text_without_an_id_gets_no_answer(carrier: Carrier) -> None:
    assert carrier.post("/sms/incoming", {"From": CALLER, "Body": "1"}).text == EMPTY


def test_receipts_are_204_known_or_not_and_move_the_text(carrier: Carrier, wiring: Wiring, token: str) -> None:
    form = {"MessageSid": MESSAGE, "MessageStatus": "delivered", "To": CALLER}
    for path in ("/sms/status", "/sms/status?text=nobody", "/sms/status?text=%00", "/sms/status?text=text-1"):
        answer = carrier.post(path, form)
        assert (answer.status_code, answer.data) == (204, b"")
    carrier.post("/sms/status?text=text-1", {**form, "MessageStatus": "sent"})
    with wiring.pool.connection() as conn:
        text = texts.by_token(conn, token)
    assert text is not None
    assert (text.status, text.message_sid) == ("delivered", MESSAGE)


def test_a_reply_and_the_page_count_one_caller_helped(carrier: Carrier, browser: FlaskClient, token: str) -> None:
    assert browser.post(f"/r/{token}/solved").status_code == 200
    form = {"MessageSid": MESSAGE, "From": CALLER, "To": CALLED, "Body": "1"}
    assert carrier.post("/sms/incoming", form).status_code == 200
