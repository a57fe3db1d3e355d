"""Flask: thin. A view parses, makes one call, and renders."""

from flask import Flask

from ivr.web import errors, guards
from ivr.web.agent import agent
from ivr.web.environment import WithoutEnvironment
from ivr.web.health import health
from ivr.web.links import links
from ivr.web.music import music
from ivr.web.request import ShortRequest
from ivr.web.texts import texts
from ivr.web.voice import voice

blueprints = (voice, texts, links, music, health, agent)


def install(app: Flask) -> None:
    """Guards and error pages."""
    app.request_class = ShortRequest
    app.wsgi_app = WithoutEnvironment(app.wsgi_app)  # type: ignore[method-assign]
    guards.install(app)
    errors.install(app)
