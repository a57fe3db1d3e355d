"""Signing in at the company's OpenID Connect issuer: there and back (authorization code with PKCE)."""

from typing import Any

import requests
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Blueprint, Flask, abort, current_app, flash, redirect, url_for
from joserfc.errors import JoseError
from werkzeug.wrappers import Response

from config.settings import Settings
from ivr.console import issuer
from ivr.console.errors import Wrong
from ivr.web.console import sessions
from ivr.web.console.guards import public, wiring
from ivr.web.console.words import gettext as _
from ivr.web.console.words import told

log = structlog.get_logger()

oidc = Blueprint("oidc", __name__)

WITHIN_S = 5
_NAME = "offhold_oidc"
#: whatever goes wrong on the way: the issuer is away, answers nonsense, or somebody made the answer up
_FAILURES = (AuthlibBaseError, JoseError, requests.RequestException, ValueError, KeyError, TypeError, RuntimeError)


def install(app: Flask, settings: Settings) -> None:
    """Nothing is asked of the issuer before somebody signs in there."""
    app.extensions[_NAME] = None
    if settings.oidc_issuer is None or settings.oidc_client_secret is None:
        return
    registry = OAuth(app)
    app.extensions[_NAME] = registry.register(
        "oidc",
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        server_metadata_url=f"{settings.oidc_issuer}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "default_timeout": WITHIN_S,
        },
    )


def offered() -> bool:
    """Whether one can sign in at an issuer."""
    return current_app.extensions[_NAME] is not None


def _client() -> Any:
    return current_app.extensions[_NAME] or abort(404)


def _back_with(words: str) -> Response:
    flash(words, "problem")
    return redirect(url_for("entry.sign_in"), 303)


def _failed(error: Exception) -> Response:
    log.warning("oidc_failed", why=type(error).__name__)
    return _back_with(_("Signing in there did not work. Try again, or use your password here."))


@oidc.get("/oidc")
@public
def there() -> Response:
    """To the issuer."""
    back = f"{wiring().settings.public_base_url}/console/oidc/back"
    client = _client()
    try:
        going: Response = client.authorize_redirect(back)
    except _FAILURES as error:
        return _failed(error)
    return going


@oidc.get("/oidc/back")
@public
def back() -> Response:
    """And back: the answer is exchanged for who it is, which the issuer signs."""
    client, configured = _client(), wiring().settings.oidc_issuer
    try:
        token = client.authorize_access_token()
        claims = dict(token["userinfo"])
        if str(claims["iss"]).rstrip("/") != configured:
            raise ValueError("another issuer")
        if wiring().settings.oidc_role_claim not in claims and "userinfo_endpoint" in client.load_server_metadata():
            more = dict(client.userinfo(token=token))
            if more.get("sub") != claims["sub"]:
                raise ValueError("another person")
            claims = {**more, **claims}
    except _FAILURES as error:
        return _failed(error)
    try:
        with wiring().pool.connection() as conn:
            person = issuer.came(conn, wiring(), str(configured), claims)
            sessions.begin(conn, person.id)
    except Wrong as wrong:
        log.warning("oidc_refused")
        return _back_with(told(wrong.problems[""]))
    log.info("signed_in", staff_id=person.id)
    return redirect(url_for("entry.front"), 303)
