"""Settings and going live: the checklist, webhooks out, and erasing a number."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ivr import doctor, opt_in
from ivr.call.facts import FACTS
from ivr.console import hooks, privacy
from ivr.console.actors import at_console
from ivr.console.errors import Wrong
from ivr.jobs.send_hooks import send_test
from ivr.web.console import findings, forms
from ivr.web.console.forms import Form
from ivr.web.console.guards import page as for_role
from ivr.web.console.guards import staff, wiring
from ivr.web.console.words import gettext as _
from ivr.web.console.words import said

settings = Blueprint("settings", __name__)


@settings.get("/settings")
@for_role("admin")
def page() -> Response:
    """What is still to be done, and who is told of what."""
    return _page(Form())


def _page(form: Form, status: int = 200, **more: object) -> Response:
    with wiring().pool.connection() as conn:
        listed = hooks.listed(conn)
    plan = doctor.live_plan(wiring())
    link = f"{wiring().settings.link_base_url}/r/{doctor.TOKEN_LIKE}"
    registration = opt_in.script(plan, link) if plan else None
    known = wiring().settings
    phone = f"http://{request.host.partition(':')[0]}:{known.phone_port}/" if known.test_phone == "on" else ""
    shown = render_template(
        "settings/page.html", form=form, hooks=listed, facts=FACTS, registration=registration, phone=phone, **more
    )
    return make_response(shown, status)


@settings.post("/settings/check")
@for_role("admin")
def check() -> Response:
    """Look at every part now; changes nothing."""
    return _page(Form(), findings=list(doctor.examine(wiring())))


@settings.post("/settings/webhooks")
@for_role("admin")
def add_hook() -> Response:
    """A new webhook; its secret is shown this once."""
    form = Form({**forms.posted().values, "facts": request.form.getlist("facts")})
    try:
        with wiring().pool.connection() as conn:
            _number, secret = hooks.make(
                conn, wiring(), at_console(staff()), url=form["url"], names=form.value("facts"), why=form["why"]
            )
    except Wrong as wrong:
        return _page(form.wrong(wrong.problems), 422)
    return make_response(render_template("settings/secret.html", secret=secret))


@settings.post("/settings/webhooks/<int:hook_id>/secret")
@for_role("admin")
def rotate_hook(hook_id: int) -> Response:
    """Another secret, shown this once."""
    form = forms.posted()
    try:
        with wiring().pool.connection() as conn:
            secret = hooks.rotate(conn, wiring(), at_console(staff()), hook_id, form["why"])
    except Wrong as wrong:
        return _page(Form({}, {"": wrong.problems["why"]}), 422)
    return make_response(render_template("settings/secret.html", secret=secret))


@settings.post("/settings/webhooks/<int:hook_id>/switch")
@for_role("admin")
def switch_hook(hook_id: int) -> Response:
    """Off, or on again."""
    form = forms.posted()
    try:
        with wiring().pool.connection() as conn:
            hooks.switch(conn, wiring(), at_console(staff()), hook_id, on=form["on"] == "on", why=form["why"])
    except Wrong as wrong:
        return _page(Form({}, {"": wrong.problems["why"]}), 422)
    return redirect(url_for("settings.page"), 303)


@settings.post("/settings/webhooks/<int:hook_id>/remove")
@for_role("admin")
def remove_hook(hook_id: int) -> Response:
    """Forget it."""
    form = forms.posted()
    try:
        with wiring().pool.connection() as conn:
            hooks.remove(conn, wiring(), at_console(staff()), hook_id, form["why"])
    except Wrong as wrong:
        return _page(Form({}, {"": wrong.problems["why"]}), 422)
    return redirect(url_for("settings.page"), 303)


@settings.post("/settings/webhooks/<int:hook_id>/test")
@for_role("admin")
def test_hook(hook_id: int) -> Response:
    """Send a message of no meaning."""
    with wiring().pool.connection() as conn:
        found = hooks.read(conn, hook_id).hook
    problem = send_test(wiring(), found)
    flash(
        _("It was taken.") if problem is None else _("It was not taken: %(why)s.", why=said(problem, findings.SOURCES))
    )
    return redirect(url_for("settings.page"), 303)


@settings.post("/settings/erase")
@for_role("admin")
def erase() -> Response:
    """Forget whoever has a number."""
    form = forms.posted()
    try:
        done = privacy.erase_number(
            wiring(), at_console(staff()), number=form["number"], again=form["again"], why=form["erase-why"]
        )
    except Wrong as wrong:
        named = {"erase-why" if name == "why" else name: words for name, words in wrong.problems.items()}
        return _page(form.wrong(named), 422)
    return make_response(render_template("settings/erased.html", done=done))
