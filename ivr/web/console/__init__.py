"""The console: a Flask application of its own, so that none of its hooks ever runs for a webhook."""

from flask import Flask
from werkzeug.wrappers import Response

from ivr.web.console import failures, guards, issuers, navigation, sessions, throttle, words
from ivr.web.console.account import account
from ivr.web.console.articles import articles
from ivr.web.console.audit import audit
from ivr.web.console.calls import calls
from ivr.web.console.entry import entry
from ivr.web.console.finance import finance
from ivr.web.console.mapping import mapping
from ivr.web.console.menu_edits import menus
from ivr.web.console.offer_rules import settings as settings_pages
from ivr.web.console.oidc import oidc
from ivr.web.console.rehearsal import rehearsal
from ivr.web.console.reviews import reviews
from ivr.web.console.sources import sources
from ivr.web.console.staff import staff
from ivr.web.console.today import today
from ivr.web.console.tokens import tokens
from ivr.web.console.trying import trying
from ivr.web.console.voice import voice
from ivr.wiring import Wiring

blueprints = (
    entry,
    today,
    menus,
    articles,
    sources,
    reviews,
    mapping,
    trying,
    rehearsal,
    calls,
    finance,
    voice,
    oidc,
    account,
    staff,
    tokens,
    audit,
    settings_pages,
)  # fmt: skip

MB = 1024 * 1024
LARGEST_BODY = 16 * MB  # a file that is uploaded
LARGEST_FORM = 2 * MB  # all that is typed: a whole menu, percent-encoded

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def create_console(wiring: Wiring) -> Flask:
    """The application that is mounted at /console."""
    app = Flask(__name__, template_folder="templates", static_folder="static")
    app.url_map.merge_slashes = False  # as at the door
    app.extensions["offhold"] = wiring
    settings = wiring.settings
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_BODY, MAX_FORM_MEMORY_SIZE=LARGEST_FORM)
    sessions.install(
        app, secret=settings.session_secret.get_secret_value(), https=settings.public_base_url.startswith("https:")
    )
    guards.install(app)
    words.install(app)
    failures.install(app)
    throttle.install(app, wiring)
    issuers.install(app, settings)
    app.context_processor(lambda: {"staff": guards.staff_or_none(), "navigation": navigation})
    app.after_request(_hardened)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    return app


def _hardened(response: Response) -> Response:
    """No frame, no foreign script, and no cache but for the style sheet."""
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.update({
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex, nofollow",
        "Cross-Origin-Opener-Policy": "same-origin",
    })  # fmt: skip
    return response
