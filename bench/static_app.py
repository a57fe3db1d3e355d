"""The bare alternative: the same server and framework, and a route that checks the signature with the carrier's own
library and answers a fixed document. Nothing of ours is in it, so that it stays the same measure."""

import hmac

from flask import Flask, Response, request
from twilio.request_validator import RequestValidator

from config.settings import load_or_exit
from ivr.server import granian

DOCUMENT = (
    '<?xml version="1.0" encoding="UTF-8"?><Response><Gather input="dtmf" numDigits="1" action="/static">'
    "<Say>Press 1.</Say></Gather></Response>"
)


def serve() -> Flask:
    """The application of a process."""
    settings = load_or_exit()
    validator = RequestValidator(settings.twilio_auth_token[0].get_secret_value())
    address = f"{settings.public_base_url}/static"
    app = Flask(__name__)

    @app.post("/static")
    def static_document() -> Response:
        wanted = validator.compute_signature(address, request.form)
        genuine = hmac.compare_digest(wanted, request.headers.get("X-Twilio-Signature", ""))
        return Response(DOCUMENT if genuine else "no", 200 if genuine else 403, mimetype="text/xml")

    return app


if __name__ == "__main__":
    granian(load_or_exit(), "bench.static_app:serve").serve()
