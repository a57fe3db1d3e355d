"""Mapping: what callers get at each leaf, and what may be offered there."""

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ivr.console import mapping as work
from ivr.console import menus, reasons
from ivr.console.actors import at_console
from ivr.console.errors import Missing, Wrong
from ivr.console.menus import SetAside
from ivr.web.console import forms
from ivr.web.console.forms import Form
from ivr.web.console.guards import page as for_role
from ivr.web.console.guards import staff, wiring
from ivr.web.console.words import gettext as _
from ivr.web.console.words import language
from models import drafts
from models.drafts import Draft

mapping = Blueprint("mapping", __name__)


@mapping.get("/mapping")
@for_role("viewer")
def page() -> Response:
    """All leaves, those that find nothing at the top."""
    return _page(Form())


def _page(form: Form, status: int = 200) -> Response:
    try:
        with wiring().pool.connection() as conn:
            mapped = work.look(conn, wiring(), language())
    except LookupError:
        mapped = None
    return make_response(render_template("mapping/page.html", mapped=mapped, form=form, reasons=reasons), status)


@mapping.post("/mapping/compute")
@for_role("editor")
def compute() -> Response:
    """Have it worked out anew."""
    try:
        with wiring().pool.connection() as conn:
            work.ask(conn, wiring(), at_console(staff()))
    except Wrong as wrong:
        return _page(Form().wrong(wrong.problems), 422)
    flash(_("It is being worked out. Look again in a moment."))
    return redirect(url_for("mapping.page"), 303)


@mapping.get("/mapping/<leaf_id>")
@for_role("viewer")
def leaf(leaf_id: str) -> Response:
    """One leaf: each question, each candidate, and what a draft may change."""
    return _leaf(leaf_id, Form(), _draft_id(request.args.get("draft", "")))


def _leaf(leaf_id: str, form: Form, draft_id: int | None, status: int = 200) -> Response:
    with wiring().pool.connection() as conn:
        try:
            mapped = work.look(conn, wiring(), language())
        except LookupError:
            raise Missing("nothing is published") from None
        view, open_drafts = work.leaf_view(mapped, leaf_id), drafts.listed(conn)
    draft = next((one for one in open_drafts if one.id == draft_id), None)
    shown: dict[str, Any] = {"mapped": mapped, "view": view, "drafts": open_drafts, "draft": draft, "form": form}
    return make_response(
        render_template("mapping/leaf.html", **shown, leaf=_leaf_of(draft, leaf_id) or view.leaf, reasons=reasons),
        status,
    )


def _leaf_of(draft: Draft | None, leaf_id: str) -> Any:
    """The leaf as the draft has it."""
    plan = menus.reading(draft.yaml).plan if draft else None
    found = plan.leaves().get(leaf_id) if plan else None
    return found[1] if found else None


@mapping.post("/mapping/<leaf_id>")
@for_role("editor")
def change(leaf_id: str) -> Response:
    """Pin, forbid, restrict, never offer: in a draft, not in what is live."""
    form = forms.posted()
    draft_id, revision = _draft_id(form["draft"]), _draft_id(form["revision"])
    tags = tuple(form["tags"].replace(",", " ").split())
    try:
        with wiring().pool.connection() as conn:
            wanted = work.Change(leaf_id, form["how"], form["article"], tags)
            draft_id, saved = work.change(conn, wiring(), at_console(staff()), draft_id, revision, wanted)
    except SetAside as aside:
        return redirect(url_for("menus.merge", draft_id=draft_id, save=aside.save_id), 303)
    except Wrong as wrong:
        return _leaf(leaf_id, form.wrong(wrong.problems), draft_id, 422)
    flash(_("It is in the draft. Callers hear it when the draft is published."))
    if saved.merged_with:
        flash(_("%(who)s had saved this draft meanwhile: both changes are in it now.", who=saved.merged_with))
    return redirect(url_for("mapping.leaf", leaf_id=leaf_id, draft=draft_id), 303)


def _draft_id(given: str) -> int | None:
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 10):
        raise Missing("no such draft")
    return int(given)
