"""The accounts: who has one, inviting, roles, switching off, starting anew."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ivr.console import links
from ivr.console import staff as accounts
from ivr.console.errors import Wrong
from ivr.console.roles import NAMES, ROLES
from ivr.web.console import forms
from ivr.web.console.forms import Form
from ivr.web.console.guards import page as for_role
from ivr.web.console.guards import staff as me
from ivr.web.console.guards import wiring
from ivr.web.console.words import gettext as _
from ivr.web.console.words import told

staff = Blueprint("staff", __name__)


def _page(form: Form, status: int = 200) -> Response:
    with wiring().pool.connection() as conn:
        people = accounts.everyone(conn)
    roles = [(role, told(NAMES[role])) for role in ROLES]
    return make_response(render_template("staff/page.html", form=form, people=people, roles=roles), status)


def _link_page(name: str, token: str) -> Response:
    """The link, told this once: it stands in no redirect and no cookie."""
    link = links.address(wiring().settings.public_base_url, token)
    days = links.INVITATION_LASTS.days
    return make_response(render_template("staff/link.html", name=name, link=link, days=days))


@staff.get("/staff")
@for_role("admin")
def page() -> Response:
    """Everyone, and the form that invites."""
    return _page(Form({"role": "viewer"}))


@staff.post("/staff")
@for_role("admin")
def invite() -> Response:
    """A new account, opened by a link that is handed over."""
    form = forms.posted()
    try:
        with wiring().pool.connection() as conn:
            _id, token = accounts.invite(
                conn, wiring(), me(), email=form["email"], name=form["name"], role=form["role"]
            )
    except Wrong as wrong:
        return _page(form.wrong(wrong.problems), 422)
    return _link_page(form["name"], token)


@staff.post("/staff/<int:staff_id>/role")
@for_role("admin")
def role(staff_id: int) -> Response:
    """Another role."""
    form = forms.posted()
    try:
        with wiring().pool.connection() as conn:
            accounts.change_role(conn, wiring(), me(), staff_id, form["role"], form["why"])
    except Wrong as wrong:
        return _refused(wrong)
    return _done(_("The role is changed. Whoever it is signs in anew."))


@staff.post("/staff/<int:staff_id>/switch")
@for_role("admin")
def switch(staff_id: int) -> Response:
    """Switch an account off, or on again."""
    form = forms.posted()
    active = form["active"] == "on"
    try:
        with wiring().pool.connection() as conn:
            accounts.switch(conn, wiring(), me(), staff_id, active=active, why=form["why"])
    except Wrong as wrong:
        return _refused(wrong)
    return _done(_("The account is switched on.") if active else _("The account is switched off."))


@staff.post("/staff/<int:staff_id>/reset")
@for_role("admin")
def reset(staff_id: int) -> Response:
    """Start anew: a link for another password and authenticator."""
    try:
        with wiring().pool.connection() as conn:
            token = accounts.reset(conn, wiring(), me(), staff_id, request.form.get("why", ""))
            name = next(person.name for person in accounts.everyone(conn) if person.id == staff_id)
    except Wrong as wrong:
        return _refused(wrong)
    return _link_page(name, token)


def _refused(wrong: Wrong) -> Response:
    """The page again, with the problem at its top: these forms hold a word or two."""
    return _page(Form({"role": "viewer"}, {"": next(iter(wrong.problems.values()))}), 422)


def _done(words: str) -> Response:
    flash(words)
    return redirect(url_for("staff.page"), 303)
