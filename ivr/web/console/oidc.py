"""Signing in at the company's OpenID Connect issuer: there and back (authorization code with PKCE)."""

import structlog
from flask import Blueprint, flash, redirect, url_for
from werkzeug.wrappers import Response

from ivr.console import issuer
from ivr.console.errors import Wrong
from ivr.web.console import issuers, sessions
from ivr.web.console.guards import public, wiring
from ivr.web.console.words import gettext as _
from ivr.web.console.words import told

log = structlog.get_logger()

oidc = Blueprint("oidc", __name__)


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
    client = issuers.client()
    try:
        going: Response = client.authorize_redirect(back)
    except issuers.FAILURES as error:
        return _failed(error)
    return going


@oidc.get("/oidc/back")
@public
def back() -> Response:
    """And back: the answer is exchanged for who it is, which the issuer signs."""
    client, configured = issuers.client(), wiring().settings.oidc_issuer
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
    except issuers.FAILURES as error:
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
