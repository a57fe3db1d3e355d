"""The Flask application."""

from flask import Flask

from config import logs
from config.settings import load_or_exit
from ivr import cli, web
from ivr import wiring as wirings
from ivr.wiring import Wiring


def create_app(wiring: Wiring | None = None) -> Flask:
    """The application around a wiring; built from the settings where none is given."""
    if wiring is None:
        settings = load_or_exit()
        logs.configure(settings)
        wiring = wirings.build(settings)
    app = Flask(__name__, template_folder="web/templates", static_folder="web/static")
    app.extensions["offhold"] = wiring
    app.secret_key = wiring.settings.session_secret.get_secret_value()
    web.install(app)
    for blueprint in web.blueprints:
        app.register_blueprint(blueprint)
    cli.install(app)
    return app


def serve() -> Flask:
    """The application of a web process: encoder and index loaded, the database's hash key checked."""
    app = create_app()
    wiring: Wiring = app.extensions["offhold"]
    wiring.check_hash_key()
    wiring.warm()
    return app
