"""The ways in: the front door, signing in, and the page behind a one-time link."""

import structlog
from flask import Blueprint, abort, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from ivr.console import codes, passwords
from ivr.console import staff as accounts
from ivr.console.errors import Wrong, sentence
from ivr.web.console import forms, issuers, navigation, sessions
from ivr.web.console.forms import Form
from ivr.web.console.guards import page, public, staff, staff_or_none, wiring
from ivr.web.console.throttle import throttle
from ivr.web.console.words import LANGUAGES, language
from ivr.web.console.words import gettext as _

log = structlog.get_logger()

entry = Blueprint("entry", __name__)

TOO_OFTEN = sentence("That was tried too often. Wait five minutes; from elsewhere you can sign in meanwhile.")
BUSY = sentence("Many people are signing in just now. Try again in a moment.")


@entry.get("/")
@page("viewer")
def front() -> Response:
    """On to the first page this person may see."""
    return redirect(url_for(navigation.first(staff())), 303)


@entry.get("/sign-in")
@public
def sign_in() -> Response:
    """The form."""
    if staff_or_none():
        return redirect(_onward(), 303)
    return _sign_in_page(Form({"next": request.args.get("next", "")}))


@entry.post("/sign-in")
@public
def sign_in_now() -> Response:
    """Address, password and code in one form: it never says which of them was wrong."""
    form = forms.posted()
    if not throttle().may_try(form["email"]):
        return _sign_in_page(form.wrong({"": TOO_OFTEN}), 429)
    try:
        person = accounts.sign_in(wiring(), form["email"], str(form.value("password")), form["code"])
        with wiring().pool.connection() as conn:
            sessions.begin(conn, person.id)
    except Wrong as wrong:
        log.warning("sign_in_refused")
        return _sign_in_page(form.wrong(wrong.problems), 422)
    except passwords.Busy:
        return _sign_in_page(form.wrong({"": BUSY}), 429)
    throttle().got_in(form["email"])
    log.info("signed_in", staff_id=person.id)
    return redirect(_onward(), 303)


def _sign_in_page(form: Form, status: int = 200) -> Response:
    with wiring().pool.connection() as conn:
        nobody_yet = not accounts.anyone(conn)
    body = render_template("entry/sign_in.html", form=form, oidc=issuers.offered(), nobody_yet=nobody_yet)
    return make_response(body, status)


def _onward() -> str:
    """Where the person wanted to go, if that is a page of the console."""
    wanted = request.values.get("next", "")
    inside = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return request.script_root + wanted if inside else url_for("entry.front")


@entry.post("/language")
@public
def choose_language() -> Response:
    """The language of the pages before one is signed in; of the account afterwards."""
    chosen = request.form.get("language", "")
    if chosen not in LANGUAGES:
        abort(400)
    session[sessions.LANGUAGE] = chosen
    person = staff_or_none()
    if person:
        with wiring().pool.connection() as conn:
            accounts.change_own(conn, wiring(), person, name=person.name, language=chosen)
    return redirect(_onward(), 303)


@entry.get("/join/<token>")
@public
def join(token: str) -> Response:
    """The page behind a one-time link. Opening it changes nothing: those who look at links before people do use none
    up."""
    return _join_page(token, Form())


@entry.post("/join/<token>")
@public
def join_now(token: str) -> Response:
    """Password and authenticator chosen; signed in, and the recovery codes told this once."""
    form = forms.posted()
    try:
        joined = accounts.join(
            wiring(), token, email=form["email"], name=form["name"], password=str(form.value("password")),
            code=form["code"], language=language(),
        )  # fmt: skip
        with wiring().pool.connection() as conn:
            sessions.begin(conn, joined.staff_id)
    except Wrong as wrong:
        return _join_page(token, form.wrong(wrong.problems), 422)
    except passwords.Busy:
        return _join_page(token, form.wrong({"": BUSY}), 429)
    return make_response(render_template("entry/recovery_codes.html", codes=joined.recovery_codes))


def _join_page(token: str, form: Form, status: int = 200) -> Response:
    with wiring().pool.connection() as conn:
        found = accounts.invitation(conn, wiring(), token)
    if not form.values and found.person:
        form = Form({"name": found.person.name})
    about = found.person.email if found.person else form["email"] or _("set-up")
    address = codes.address(found.secret, about, "Offhold")
    body = render_template(
        "entry/join.html", form=form, person=found.person, secret=" ".join(_fours(found.secret)),
        picture=codes.picture(address), least=passwords.LEAST_LETTERS,
    )  # fmt: skip
    return make_response(body, status)


def _fours(text: str) -> list[str]:
    return [text[start : start + 4] for start in range(0, len(text), 4)]
