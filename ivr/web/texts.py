"""Text webhooks: what people write to us, and the carrier's receipts."""

from flask import Blueprint, Response, request

from ivr.carrier import inbound, standby
from ivr.carrier.twiml import EMPTY
from ivr.jobs.answer_text import answer_text
from ivr.jobs.note_receipt import note_receipt
from ivr.watching import webhooks
from ivr.web import errors
from ivr.web.errors import no_content, twiml
from ivr.web.guards import signed_by_carrier, wiring

texts = Blueprint("texts", __name__, url_prefix="/sms")
texts.before_request(signed_by_carrier)
texts.register_error_handler(Exception, errors.text_failed)


@texts.post("/incoming")
@texts.post("/fallback")
def incoming() -> Response:
    """A text comes in; the fallback is the same once more, and a MessageSid is answered once."""
    message = inbound.message(request.form)
    if message is None:
        return twiml(EMPTY)
    return twiml(standby.reply(answer_text(wiring(), message)))


@texts.post("/status")
def status() -> Response:
    """A receipt. The address holds our text's id; 204, known or not."""
    receipt = inbound.receipt(request.form)
    if receipt is not None:
        text_id = inbound.our_id(request.args)
        webhooks.note_text(text_id)
        note_receipt(wiring(), text_id, receipt.message_sid, receipt.status, receipt.code)
    return no_content()
