"""Try it: a sentence at a place of the menu, and what a caller would be offered."""

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response

from ivr.console import reasons
from ivr.console import trying as work
from ivr.console.errors import Missing, Wrong
from ivr.console.trying import Trial, Wanted
from ivr.web.console import forms
from ivr.web.console.forms import Form
from ivr.web.console.guards import page as for_role
from ivr.web.console.guards import wiring
from ivr.web.console.words import LANGUAGES, language
from ivr.web.console.words import gettext as _
from models import drafts

trying = Blueprint("trying", __name__)


@trying.get("/try")
@for_role("viewer")
def page() -> Response:
    """The form; the address may name a draft, a leaf and a language."""
    given = {name: request.args.get(name, "") for name in ("draft", "leaf", "language")}
    return _page(Form(given), None)


@trying.post("/try")
@for_role("viewer")
def search() -> Response:
    """What was found. Nothing is kept of it."""
    form = forms.posted()
    wanted = Wanted(form["leaf"], form["language"], form["words"], _number(form["draft"]))
    try:
        with wiring().pool.connection() as conn:
            trial = work.try_out(conn, wiring(), wanted)
    except Wrong as wrong:
        return _page(form.wrong(wrong.problems), None, 422)
    return _page(form, trial)


def _page(form: Form, trial: Trial | None, status: int = 200) -> Response:
    draft_id = _number(form["draft"])
    with wiring().pool.connection() as conn:
        open_drafts = drafts.listed(conn)
        try:
            plan = work.plan_of(conn, wiring(), draft_id)
        except Wrong as wrong:
            form, plan, status = form.wrong({**form.problems, **wrong.problems}), None, 422 if draft_id else status
    return make_response(
        render_template(
            "trying/page.html",
            form=form,
            trial=trial,
            drafts=[(one.id, _("Draft: %(name)s", name=one.name)) for one in open_drafts],
            draft_id=draft_id,
            languages=[(one.code, LANGUAGES.get(one.code, one.code)) for one in plan.languages] if plan else [],
            leaves=[(one.leaf.id, " › ".join(one.labels)) for one in work.places(plan, language())] if plan else [],
            reasons=reasons,
            phone=f"http://{request.host.partition(':')[0]}:{wiring().settings.phone_port}/"
            if wiring().settings.test_phone == "on"
            else "",
        ),
        status,
    )


def _number(given: str) -> int | None:
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 10):
        raise Missing("no such draft")
    return int(given)
