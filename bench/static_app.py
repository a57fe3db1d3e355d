"""The bare alternative: the same server, a route that checks the signature and answers a fixed document."""

from flask import Flask, Response, request

from config.settings import load_or_exit
from ivr.carrier.signature import FORM, Signatures
from ivr.server import granian

DOCUMENT = (
    '<?xml version="1.0" encoding="UTF-8"?><Response><Gather input="dtmf" numDigits="1" action="/static">'
    "<Say>Press 1.</Say></Gather></Response>"
)


def serve() -> Flask:
    """The application of a process."""
    settings = load_or_exit()
    signatures = Signatures(
        [token.get_secret_value() for token in settings.twilio_auth_token], settings.public_base_url
    )
    app = Flask(__name__)

    @app.post("/static")
    def static_document() -> Response:
        query = request.environ.get("QUERY_STRING", "")
        genuine = signatures.genuine(
            request.path, query, headers=request.headers, content_type=FORM, form=request.form, body=b""
        )
        return Response(DOCUMENT if genuine else "no", 200 if genuine else 403, mimetype="text/xml")

    return app


if __name__ == "__main__":
    granian(load_or_exit(), "bench.static_app:serve").serve()
