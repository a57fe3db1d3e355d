"""What stands before a view. Deny by default: an unsigned webhook sees nothing of us."""

from typing import cast

import structlog
from flask import Flask, Response, current_app, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from ivr.carrier import inbound
from ivr.carrier.signature import FORM, Signatures
from ivr.watching import webhooks
from ivr.web.request import ShortRequest
from ivr.wiring import Wiring

LARGEST_BODY = 64 * 1024
_SIGNATURES = "offhold_signatures"

log = structlog.get_logger()


def wiring() -> Wiring:
    """What this process works with."""
    found: Wiring = current_app.extensions["offhold"]
    return found


def install(app: Flask) -> None:
    """Keep the account's signatures at hand, and bound every body."""
    settings = app.extensions["offhold"].settings
    tokens = [token.get_secret_value() for token in settings.twilio_auth_token]
    app.extensions[_SIGNATURES] = Signatures(tokens, settings.public_base_url)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY


def signed_by_carrier() -> Response | None:
    """`before_request` of every webhook: 403 unless the carrier signed it for our account."""
    try:
        genuine = _genuine(cast(ShortRequest, request._get_current_object()))  # type: ignore[attr-defined]
    except HTTPException:  # a body that is too long or cut off cannot have been signed
        genuine = False
    if genuine:
        webhooks.note_ids(inbound.call_sid(request.form), inbound.message_sid(request.form))
        return None
    log.warning("signature_refused", path=request.path)
    return Response("Forbidden: the signature does not fit.\n", 403, mimetype="text/plain")


def _genuine(request: ShortRequest) -> bool:
    is_form = request.is_form
    # Read first: a multipart body that is taken apart as a form would leave nothing here, and no body needs no hash.
    body = b"" if is_form else request.get_data()
    form = request.form if is_form else MultiDict()
    signatures: Signatures = current_app.extensions[_SIGNATURES]
    return signatures.genuine(
        request.path,
        request.environ.get("QUERY_STRING", ""),
        headers=request.headers,
        content_type=FORM if is_form else request.mimetype,
        form=form,
        body=body,
    ) and (not is_form or form.get("AccountSid") == wiring().settings.twilio_account_sid)
