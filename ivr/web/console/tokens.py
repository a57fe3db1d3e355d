"""Tokens of the API: make one, see it once, revoke it."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ivr.console import tokens as api_tokens
from ivr.console.errors import Wrong, sentence
from ivr.web.console import forms
from ivr.web.console.forms import Form
from ivr.web.console.guards import page as for_role
from ivr.web.console.guards import staff, wiring
from ivr.web.console.words import gettext as _
from ivr.web.console.words import told

tokens = Blueprint("tokens", __name__)

#: what a token may be for, in words
SCOPES = {
    "read": sentence("Read everything but money and numbers"),
    "menus": sentence("Change menus, mappings, switches and incidents"),
    "articles": sentence("Change articles and sources"),
    "calls": sentence("Read calls and their stories"),
    "finance": sentence("Read and change what concerns money"),
    "admin": sentence("Everything, staff and settings included"),
}


def _page(form: Form, chosen: list[str], status: int = 200) -> Response:
    with wiring().pool.connection() as conn:
        found = api_tokens.everything(conn)
    scopes = [(scope, told(words), scope in chosen) for scope, words in SCOPES.items()]
    return make_response(render_template("tokens/page.html", form=form, tokens=found, scopes=scopes), status)


@tokens.get("/tokens")
@for_role("admin")
def page() -> Response:
    """All tokens, and the form that makes one."""
    return _page(Form(), ["read"])


@tokens.post("/tokens")
@for_role("admin")
def make() -> Response:
    """A new token, shown this once."""
    form, chosen = forms.posted(), request.form.getlist("scopes")
    try:
        with wiring().pool.connection() as conn:
            token = api_tokens.make(conn, wiring(), staff(), name=form["name"], scopes=chosen, why=form["why"])
    except Wrong as wrong:
        return _page(form.wrong(wrong.problems), chosen, 422)
    return make_response(render_template("tokens/made.html", name=form["name"], token=token))


@tokens.post("/tokens/<int:token_id>/revoke")
@for_role("admin")
def revoke(token_id: int) -> Response:
    """End a token."""
    form = forms.posted()
    try:
        with wiring().pool.connection() as conn:
            api_tokens.revoke(conn, wiring(), staff(), token_id, form["why"])
    except Wrong as wrong:
        return _page(Form({}, {"": wrong.problems["why"]}), ["read"], 422)
    flash(_("The token is revoked: it opens nothing any more."))
    return redirect(url_for("tokens.page"), 303)
