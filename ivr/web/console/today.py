"""Today: what goes on now, the switches that stop offers, and incidents."""

from datetime import datetime, timedelta

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ivr.console import incidents, switches
from ivr.console import today as figures
from ivr.console.actors import at_console
from ivr.console.errors import Wrong
from ivr.console.incidents import Wanted
from ivr.web.console import forms
from ivr.web.console.forms import Form
from ivr.web.console.guards import page as for_role
from ivr.web.console.guards import staff, wiring
from ivr.web.console.words import gettext as _
from ivr.web.console.words import language, zone

today = Blueprint("today", __name__)

LASTS = timedelta(hours=2)  # what the form proposes


@today.get("/today")
@for_role("viewer")
def page() -> Response:
    """The whole page; two parts of it look again by themselves."""
    return _page(Form())


@today.get("/today/now")
@for_role("viewer")
def now() -> Response:
    """The part with the figures."""
    return make_response(render_template("today/now.html", now=figures.now(wiring())))


@today.get("/today/controls")
@for_role("viewer")
def controls() -> Response:
    """The part with the switches and the incidents of now."""
    with wiring().pool.connection() as conn:
        found = figures.controls(conn, wiring(), language())
    return make_response(render_template("today/controls.html", controls=found))


@today.post("/today/offers")
@for_role("editor")
def pull() -> Response:
    """A switch: `queue` ("" for all), `stopped` on or off, `why`."""
    form = forms.posted()
    stopped = form["stopped"] == "on"
    try:
        with wiring().pool.connection() as conn:
            switches.pull(conn, wiring(), at_console(staff()), form["queue"], stopped=stopped, why=form["why"])
    except Wrong as wrong:
        return _page(form.wrong(wrong.problems), 422)
    return _done(
        _("Offers are stopped, from the next turn of every call on.") if stopped else _("Offers go on by this switch.")
    )


@today.get("/today/incidents")
@for_role("viewer")
def past() -> Response:
    """Every incident of late."""
    with wiring().pool.connection() as conn:
        current, over = incidents.listed(conn, wiring().clock())
        leaves = figures.leaf_names(figures.live_plan(conn, wiring()), language())
    return make_response(render_template("today/incidents.html", current=current, over=over, leaves=leaves))


@today.get("/today/incidents/new")
@for_role("editor")
def new() -> Response:
    """The form that begins one."""
    until = (wiring().clock() + LASTS).astimezone(zone())
    return _form(Form({"until": until.strftime("%Y-%m-%dT%H:%M")}))


@today.post("/today/incidents")
@for_role("editor")
def begin() -> Response:
    """Begin one."""
    form = Form({**request.form.to_dict(), "ticked": request.form.getlist("at")})
    try:
        with wiring().pool.connection() as conn:
            incidents.begin(conn, wiring(), at_console(staff()), _wanted(form))
    except Wrong as wrong:
        return _form(form.wrong(wrong.problems), 422)
    return _done(_("Callers hear of it from their next turn on."))


@today.post("/today/incidents/<int:number>/end")
@for_role("editor")
def end(number: int) -> Response:
    """End one before its time."""
    form = forms.posted()
    try:
        with wiring().pool.connection() as conn:
            incidents.end(conn, wiring(), at_console(staff()), number, form["why"])
    except Wrong as wrong:
        return _page(form.wrong(wrong.problems), 422)
    return _done(_("The incident is over: nobody hears of it any more."))


def _page(form: Form, status: int = 200) -> Response:
    told = figures.now(wiring())
    with wiring().pool.connection() as conn:
        found = figures.controls(conn, wiring(), language())
    return make_response(render_template("today/page.html", form=form, now=told, controls=found), status)


def _form(form: Form, status: int = 200) -> Response:
    with wiring().pool.connection() as conn:
        plan = wiring().plans.live(conn)
    tree = incidents.branches(plan, language())
    shown = render_template("today/incident.html", form=form, languages=plan.languages, tree=tree, zone=zone())
    return make_response(shown, status)


def _wanted(form: Form) -> Wanted:
    with wiring().pool.connection() as conn:
        plan = wiring().plans.live(conn)
    codes = [one.code for one in plan.languages]
    return Wanted(
        message={code: form[f"message-{code}"] for code in codes},
        news={code: form[f"news-{code}"] for code in codes},
        leaves=None if form["everyone"] else incidents.leaves_below(plan, form.value("ticked")),
        until=_time(form["until"]),
        why=form["why"],
    )


def _time(typed: str) -> datetime | None:
    """A time in the site's zone, as a browser sends it."""
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=zone())
    except ValueError:
        return None


def _done(words: str) -> Response:
    flash(words)
    return redirect(url_for("today.page"), 303)
