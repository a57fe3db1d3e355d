"""The REST API: an application of its own, mounted at /api."""

from flask import Blueprint, Flask

from ivr.web.api import guards
from ivr.wiring import Wiring

blueprints: tuple[Blueprint, ...] = ()

LARGEST_BODY = 2 * 1024 * 1024


def create_api(wiring: Wiring) -> Flask:
    """The application that is mounted at /api. It knows no cookies: a token comes with every request."""
    app = Flask(__name__, static_folder=None)
    app.extensions["offhold"] = wiring
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    guards.install(app)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    return app
