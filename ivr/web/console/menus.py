"""Menus: the published one with its numbers, drafts of the next one, publishing and going back. The forms that change
a draft are in `menu_edits`."""

from typing import Any

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ivr.console import menus as work
from ivr.console.actors import Actor, at_console
from ivr.console.errors import Conflict, Missing, Wrong
from ivr.console.menus import DraftView
from ivr.planfile.tree import MOST_BYTES
from ivr.web.console import forms, menu_forms
from ivr.web.console.forms import Form
from ivr.web.console.guards import page as for_role
from ivr.web.console.guards import staff, wiring
from ivr.web.console.words import gettext as _
from models import drafts, plans

menus = Blueprint("menus", __name__)


def by_whom() -> Actor:
    return at_console(staff())


def lead_to(endpoint: str, **values: Any) -> Response:
    return redirect(url_for(f"menus.{endpoint}", **values), 303)


def shown(template: str, status: int = 200, **values: Any) -> Response:
    return make_response(render_template(f"menus/{template}.html", **values), status)


def view_of(draft_id: int) -> DraftView:
    with wiring().pool.connection() as conn:
        return work.draft(conn, draft_id)


# ---- the published menu


@menus.get("/menus")
@for_role("viewer")
def tree() -> Response:
    """The published menu, read aloud, with what callers chose; and the drafts."""
    return _tree(Form())


def _tree(form: Form, status: int = 200) -> Response:
    with wiring().pool.connection() as conn:
        live = work.live(conn, wiring())
        open_drafts, thrown_away = drafts.listed(conn), drafts.listed(conn, closed=True)
    return shown("tree", status, live=live, drafts=open_drafts, thrown_away=thrown_away, form=form)


@menus.post("/menus/drafts")
@for_role("editor")
def begin() -> Response:
    """A draft of the live menu."""
    form = forms.posted()
    try:
        with wiring().pool.connection() as conn:
            made = work.begin(conn, wiring(), by_whom(), form["name"])
    except Wrong as wrong:
        return _tree(form.wrong(wrong.problems), 422)
    return lead_to("draft", draft_id=made)


@menus.post("/menus/drafts/import")
@for_role("editor")
def bring() -> Response:
    """A draft from a file."""
    form, file = forms.posted(), request.files.get("file")
    raw = file.stream.read(MOST_BYTES + 1) if file else b""
    name = form["name"] or (file.filename or "")[:60] if file else form["name"]
    try:
        with wiring().pool.connection() as conn:
            made = work.bring(conn, wiring(), by_whom(), name, raw)
    except Wrong as wrong:
        return _tree(form.wrong(wrong.problems), 422)
    return lead_to("draft", draft_id=made)


@menus.get("/menus/plans")
@for_role("viewer")
def history() -> Response:
    """Every version that was live."""
    return _history(Form(), 200)


def _history(form: Form, status: int) -> Response:
    with wiring().pool.connection() as conn:
        versions = plans.history(conn)
    return shown("history", status, versions=versions, form=form)


@menus.get("/menus/plans/<int:version>")
@for_role("viewer")
def plan(version: int) -> Response:
    """What a version changed, and its text."""
    with wiring().pool.connection() as conn:
        changes, text = work.between(conn, version), plans.yaml(conn, version)
        about = next(one for one in plans.history(conn) if one.version == version)
    return shown("plan", about=about, changes=changes, text=text)


@menus.get("/menus/plans/<int:version>/menu.yaml")
@for_role("viewer")
def plan_file(version: int) -> Response:
    """A version as it was published."""
    with wiring().pool.connection() as conn:
        text = plans.yaml(conn, version)
    if text is None:
        raise Missing(f"there is no plan {version}")
    return _file(text, f"menu-{version}.yaml")


@menus.post("/menus/plans/<int:version>/rollback")
@for_role("editor")
def roll_back(version: int) -> Response:
    """An older version is live again."""
    form = forms.posted()
    try:
        with wiring().pool.connection() as conn:
            new = work.rollback(conn, wiring(), by_whom(), version, form["why"])
    except Wrong as wrong:
        return _history(form.wrong(wrong.problems), 422)
    flash(_("Version %(old)s is live again, as version %(new)s. New calls hear it at once.", old=version, new=new))
    return lead_to("tree")


def _file(text: str, name: str) -> Response:
    answer = make_response(text)
    answer.headers["Content-Type"] = "application/yaml; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


# ---- a draft


@menus.get("/menus/draft/<int:draft_id>")
@for_role("viewer")
def draft(draft_id: int) -> Response:
    """The draft as a tree, each problem at its place."""
    return draft_page(draft_id, Form(), 200)


def draft_page(draft_id: int, form: Form, status: int, *, trial: int | None = None) -> Response:
    view = view_of(draft_id)
    phone = f"http://{request.host.partition(':')[0]}:{wiring().settings.phone_port}/?plan={trial}" if trial else ""
    return shown("draft", status, view=view, draft=view.draft, form=form, phone=phone, trial=trial)


def revision_of(form: Form) -> int:
    given = form["revision"]
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else -1


@menus.get("/menus/draft/<int:draft_id>/menu.yaml")
@for_role("viewer")
def draft_file(draft_id: int) -> Response:
    """The draft as a file."""
    return _file(view_of(draft_id).draft.yaml, f"draft-{draft_id}.yaml")


@menus.get("/menus/draft/<int:draft_id>/merge")
@for_role("editor")
def merge(draft_id: int) -> Response:
    """Two texts side by side where they contradict each other."""
    return _merge(draft_id, Form(), 200)


def _save_id() -> int | None:
    given = request.args.get("save", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 18 else None


def _merge(draft_id: int, form: Form, status: int) -> Response:
    with wiring().pool.connection() as conn:
        found = work.merging(conn, draft_id, _save_id())
    places = [(menu_forms.dotted(one.path), menu_forms.in_words(one)) for one in found.conflicts]
    return shown("merge", status, merging=found, draft=found.draft, places=places, form=form)


@menus.post("/menus/draft/<int:draft_id>/merge")
@for_role("editor")
def settle(draft_id: int) -> Response:
    """Each place decided: one text again."""
    form = forms.posted()
    take = {
        menu_forms.undotted(name.removeprefix("place-")): value == "mine"
        for name, value in request.form.items()
        if name.startswith("place-")
    }
    try:
        with wiring().pool.connection() as conn:
            work.settle(conn, wiring(), by_whom(), draft_id, revision_of(form), save_id=_save_id(), take=take)
    except (Wrong, Conflict) as wrong:
        return _merge(draft_id, form.wrong(wrong.problems), 422)
    flash(_("The two are together now."))
    return lead_to("draft", draft_id=draft_id)


@menus.get("/menus/draft/<int:draft_id>/publish")
@for_role("editor")
def publishing(draft_id: int) -> Response:
    """What would change, and the button."""
    return _publishing(draft_id, Form(), 200)


def _publishing(draft_id: int, form: Form, status: int) -> Response:
    with wiring().pool.connection() as conn:
        view = work.draft(conn, draft_id)
        changes = work.changes(conn, view.draft)
    rehearse = "rehearsal.page" if "rehearsal.page" in current_app.view_functions else ""
    return shown("publish", status, view=view, draft=view.draft, form=form, changes=changes, rehearse=rehearse)


@menus.post("/menus/draft/<int:draft_id>/publish")
@for_role("editor")
def publish(draft_id: int) -> Response:
    """The draft goes live."""
    form = forms.posted()
    try:
        with wiring().pool.connection() as conn:
            version = work.publish(conn, wiring(), by_whom(), draft_id, revision_of(form), form["why"])
    except Wrong as wrong:
        return _publishing(draft_id, form.wrong(wrong.problems), 422)
    flash(_("Version %(version)s is live: new calls hear it, calls under way finish on theirs.", version=version))
    return lead_to("tree")


@menus.post("/menus/draft/<int:draft_id>/discard")
@for_role("editor")
def discard(draft_id: int) -> Response:
    """Thrown away; kept for 90 days."""
    form = forms.posted()
    try:
        with wiring().pool.connection() as conn:
            work.discard(conn, wiring(), by_whom(), draft_id, form["why"])
    except Wrong as wrong:
        return draft_page(draft_id, form.wrong(wrong.problems), 422)
    flash(_("The draft is thrown away. For 90 days it can be brought back."))
    return lead_to("tree")


@menus.post("/menus/draft/<int:draft_id>/reopen")
@for_role("editor")
def reopen(draft_id: int) -> Response:
    """Brought back."""
    try:
        with wiring().pool.connection() as conn:
            work.reopen(conn, wiring(), by_whom(), draft_id)
    except Wrong as wrong:
        return draft_page(draft_id, Form().wrong(wrong.problems), 422)
    return lead_to("draft", draft_id=draft_id)


@menus.post("/menus/draft/<int:draft_id>/try")
@for_role("editor")
def try_out(draft_id: int) -> Response:
    """The draft as the test phone can call it."""
    try:
        with wiring().pool.connection() as conn:
            trial = work.try_out(conn, wiring(), by_whom(), draft_id)
    except Wrong as wrong:
        return draft_page(draft_id, Form().wrong(wrong.problems), 422)
    return draft_page(draft_id, Form(), 200, trial=trial)
