"""Rehearse: a draft over the latest real calls, before anybody hears it."""

from flask import Blueprint, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response

from ivr.console import reasons
from ivr.console import rehearsal as work
from ivr.console.actors import at_console
from ivr.console.errors import Missing, Wrong
from ivr.console.today import leaf_names, live_plan
from ivr.web.console import forms
from ivr.web.console.forms import Form
from ivr.web.console.guards import page as for_role
from ivr.web.console.guards import staff, wiring
from ivr.web.console.words import language
from models import drafts, studies

rehearsal = Blueprint("rehearsal", __name__)


@rehearsal.get("/menus/draft/<int:draft_id>/rehearsals")
@for_role("viewer")
def page(draft_id: int) -> Response:
    """The rehearsals of a draft, and the form that begins one."""
    return _page(draft_id, Form({"calls": 2000}))


def _page(draft_id: int, form: Form, status: int = 200) -> Response:
    with wiring().pool.connection() as conn:
        draft, found = drafts.read(conn, draft_id), studies.of_draft(conn, draft_id)
    if draft is None:
        raise Missing(f"there is no draft {draft_id}")
    return make_response(
        render_template("rehearsal/page.html", draft=draft, studies=found, form=form, choices=work.CHOICES), status
    )


@rehearsal.post("/menus/draft/<int:draft_id>/rehearsals")
@for_role("editor")
def begin(draft_id: int) -> Response:
    """Begin one."""
    form = forms.posted()
    calls = int(form["calls"]) if form["calls"] in map(str, work.CHOICES) else 0
    try:
        with wiring().pool.connection() as conn:
            study_id = work.ask(conn, wiring(), at_console(staff()), draft_id, calls)
    except Wrong as wrong:
        return _page(draft_id, form.wrong(wrong.problems), 422)
    return redirect(url_for("rehearsal.result", draft_id=draft_id, study_id=study_id), 303)


@rehearsal.get("/menus/draft/<int:draft_id>/rehearsals/<int:study_id>")
@for_role("viewer")
def result(draft_id: int, study_id: int) -> Response:
    """What a rehearsal came to, or how far it is."""
    return make_response(render_template("rehearsal/result.html", **_found(draft_id, study_id)))


@rehearsal.get("/menus/draft/<int:draft_id>/rehearsals/<int:study_id>/now")
@for_role("viewer")
def now(draft_id: int, study_id: int) -> Response:
    """The changing part of that page."""
    return make_response(render_template("rehearsal/now.html", **_found(draft_id, study_id)))


def _found(draft_id: int, study_id: int) -> dict[str, object]:
    with wiring().pool.connection() as conn:
        found = work.look(conn, wiring(), draft_id, study_id)
        now = leaf_names(live_plan(conn, wiring()), language())
    names = (found.figures.names if found.figures else {}) | now  # of leaves that are gone since, as it was told then
    return {
        "found": found,
        "draft": found.draft,
        "study": found.study,
        "figures": found.figures,
        "names": names,
        "reasons": reasons,
    }
