"""The phone put together from the settings."""

from flask import Flask

from config.settings import Settings
from ivr.phone.desk import desk
from ivr.phone.engine import Carrier, Crowd
from ivr.phone.rest import rest
from ivr.phone.ticker import Ticker

DESK_CROWD = Crowd(ahead=6, every_s=45.0)


class Refused(Exception):
    """The test phone may not run with these settings."""


def carrier_of(settings: Settings) -> Carrier:
    """The carrier for the settings' account and public URL. Raises Refused."""
    if settings.test_phone == "off" or (settings.production and settings.test_phone != "on"):
        raise Refused("The test phone is off (TEST_PHONE). In production it runs only with TEST_PHONE=on.")
    carrier = Carrier(
        settings.twilio_account_sid,
        settings.twilio_auth_token[0].get_secret_value(),
        settings.public_base_url,
        *([settings.twilio_sender_number] if settings.twilio_sender_number else []),
    )
    carrier.crowd = DESK_CROWD
    return carrier


def phone_app(settings: Settings, carrier: Carrier) -> tuple[Flask, Ticker]:
    """The whole phone: REST and desk in one app, and the ticker, not yet started."""
    app = Flask("ivr.phone", template_folder="templates", static_folder="static")
    app.json.sort_keys = False  # type: ignore[attr-defined]
    keys = {}
    if settings.twilio_api_key_sid and settings.twilio_api_key_secret:
        keys[settings.twilio_api_key_sid] = settings.twilio_api_key_secret.get_secret_value()
    ticker = Ticker(carrier)
    app.register_blueprint(rest(carrier, keys))
    app.register_blueprint(desk(carrier, ticker, settings.public_base_url))
    return app, ticker
