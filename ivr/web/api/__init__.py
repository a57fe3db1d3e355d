"""The REST API: an application of its own, mounted at /api."""

from flask import Flask, Response, jsonify

from ivr.web.api import guards, openapi, problems, rates
from ivr.web.api.articles import articles
from ivr.web.api.calls import calls
from ivr.web.api.contacts import contacts
from ivr.web.api.finance import finance
from ivr.web.api.hooks import hooks
from ivr.web.api.leaves import leaves
from ivr.web.api.menus import menus
from ivr.web.api.operations import Group
from ivr.web.api.people import people
from ivr.web.api.reviews import reviews
from ivr.web.api.sources import sources
from ivr.web.api.today import today
from ivr.wiring import Wiring

groups: tuple[Group, ...] = (
    today,
    menus,
    leaves,
    articles,
    sources,
    reviews,
    calls,
    finance,
    contacts,
    hooks,
    people,
)  # fmt: skip

VERSION = "1"
LARGEST_BODY = 2 * 1024 * 1024


def create_api(wiring: Wiring) -> Flask:
    """The application that is mounted at /api. It knows no cookies: a token comes with every request."""
    app = Flask(__name__, static_folder=None)
    app.extensions["offhold"] = wiring
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    guards.install(app)
    rates.install(app, wiring)
    problems.install(app)
    for group in groups:
        app.register_blueprint(group.blueprint)
    _describe(app, wiring)
    return app


def _describe(app: Flask, wiring: Wiring) -> None:
    told = openapi.document(
        [one for group in groups for one in group.operations], VERSION, wiring.settings.public_base_url
    )

    @app.get("/openapi.json", provide_automatic_options=False)
    @guards.public
    def describe() -> Response:
        """What the API takes and gives."""
        return jsonify(told)
