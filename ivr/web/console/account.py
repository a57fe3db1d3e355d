"""One's own account, and signing out."""

from flask import Blueprint, flash, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response

from ivr.console import passwords
from ivr.console import staff as accounts
from ivr.console.errors import Wrong, sentence
from ivr.web.console import forms, sessions
from ivr.web.console.forms import Form
from ivr.web.console.guards import page as for_role
from ivr.web.console.guards import staff, wiring
from ivr.web.console.throttle import throttle
from ivr.web.console.words import LANGUAGES
from ivr.web.console.words import gettext as _

account = Blueprint("account", __name__)

BUSY = sentence("Many people are signing in just now. Try again in a moment.")


def _page(form: Form, status: int = 200) -> Response:
    with wiring().pool.connection() as conn:
        left = accounts.recovery_codes_left(conn, staff())
    values = {"name": staff().name, "language": staff().language, **form.values}
    body = render_template(
        "account/page.html", form=Form(values, form.problems), left=left, languages=list(LANGUAGES.items())
    )
    return make_response(body, status)


def _count_try() -> None:
    """Who sits at somebody else's open page guesses no password there either."""
    if not throttle().may_try(f"own:{staff().id}"):
        raise Wrong({"password_now": sentence("That was tried too often. Wait five minutes.")})


@account.get("/account")
@for_role("viewer")
def page() -> Response:
    """Name, language, password, recovery codes."""
    return _page(Form())


@account.post("/account")
@for_role("viewer")
def change() -> Response:
    """Another name or language."""
    form = forms.posted()
    if form["language"] not in LANGUAGES:
        return _page(form.wrong({"language": sentence("Choose a language.")}), 422)
    try:
        with wiring().pool.connection() as conn:
            accounts.change_own(conn, wiring(), staff(), name=form["name"], language=form["language"])
    except Wrong as wrong:
        return _page(form.wrong(wrong.problems), 422)
    flash(_("Saved."))
    return redirect(url_for("account.page"), 303)


@account.post("/account/password")
@for_role("viewer")
def change_password() -> Response:
    """Another password; every other session of this person ends."""
    form = forms.posted()
    try:
        _count_try()
        now, new = str(form.value("password_now")), str(form.value("password"))
        accounts.change_password(wiring(), staff(), now=now, new=new)
        with wiring().pool.connection() as conn:
            sessions.end_others(conn, staff().id)
    except Wrong as wrong:
        return _page(form.wrong(wrong.problems), 422)
    except passwords.Busy:
        return _page(form.wrong({"": BUSY}), 429)
    flash(_("Your password is changed, and you are signed out everywhere else."))
    return redirect(url_for("account.page"), 303)


@account.post("/account/recovery-codes")
@for_role("viewer")
def new_recovery_codes() -> Response:
    """New recovery codes, shown this once."""
    form = forms.posted()
    try:
        _count_try()
        fresh = accounts.new_recovery_codes(wiring(), staff(), password=str(form.value("password_now")))
    except Wrong as wrong:
        return _page(form.wrong({"codes": next(iter(wrong.problems.values()))}), 422)
    except passwords.Busy:
        return _page(form.wrong({"": BUSY}), 429)
    return make_response(render_template("entry/recovery_codes.html", codes=fresh))


@account.post("/sign-out")
@for_role("viewer")
def sign_out() -> Response:
    """The session is over, here and in the database."""
    with wiring().pool.connection() as conn:
        sessions.end(conn)
    flash(_("You are signed out."))
    return redirect(url_for("entry.sign_in"), 303)
