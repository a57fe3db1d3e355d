"""Menus: the published one with its numbers, drafts of the next one, publishing and going back."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ivr.console import menus as work
from ivr.console.actors import Actor, at_console
from ivr.console.errors import Conflict, Missing, Wrong
from ivr.console.menus import Change, DraftView, SetAside
from ivr.planfile import editing
from ivr.planfile.document import NotThere, values_of
from ivr.planfile.tree import MOST_BYTES
from ivr.web.console import forms, menu_forms
from ivr.web.console.forms import Form
from ivr.web.console.guards import page as for_role
from ivr.web.console.guards import staff, wiring
from ivr.web.console.words import gettext as _
from models import drafts, plans

menus = Blueprint("menus", __name__)

Again = Callable[[Form, int], Response]


def _by() -> Actor:
    return at_console(staff())


def _to(endpoint: str, **values: Any) -> Response:
    return redirect(url_for(f"menus.{endpoint}", **values), 303)


def _shown(template: str, status: int = 200, **values: Any) -> Response:
    return make_response(render_template(f"menus/{template}.html", **values), status)


def _view(draft_id: int) -> DraftView:
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
    return _shown("tree", status, live=live, drafts=open_drafts, thrown_away=thrown_away, form=form)


@menus.post("/menus/drafts")
@for_role("editor")
def begin() -> Response:
    """A draft of the live menu."""
    form = forms.posted()
    try:
        with wiring().pool.connection() as conn:
            made = work.begin(conn, wiring(), _by(), form["name"])
    except Wrong as wrong:
        return _tree(form.wrong(wrong.problems), 422)
    return _to("draft", draft_id=made)


@menus.post("/menus/drafts/import")
@for_role("editor")
def bring() -> Response:
    """A draft from a file."""
    form, file = forms.posted(), request.files.get("file")
    raw = file.stream.read(MOST_BYTES + 1) if file else b""
    name = form["name"] or (file.filename or "")[:60] if file else form["name"]
    try:
        with wiring().pool.connection() as conn:
            made = work.bring(conn, wiring(), _by(), name, raw)
    except Wrong as wrong:
        return _tree(form.wrong(wrong.problems), 422)
    return _to("draft", draft_id=made)


@menus.get("/menus/plans")
@for_role("viewer")
def history() -> Response:
    """Every version that was live."""
    return _history(Form(), 200)


def _history(form: Form, status: int) -> Response:
    with wiring().pool.connection() as conn:
        versions = plans.history(conn)
    return _shown("history", status, versions=versions, form=form)


@menus.get("/menus/plans/<int:version>")
@for_role("viewer")
def plan(version: int) -> Response:
    """What a version changed, and its text."""
    with wiring().pool.connection() as conn:
        changes, text = work.between(conn, version), plans.yaml(conn, version)
        about = next(one for one in plans.history(conn) if one.version == version)
    return _shown("plan", about=about, changes=changes, text=text)


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
            new = work.rollback(conn, wiring(), _by(), version, form["why"])
    except Wrong as wrong:
        return _history(form.wrong(wrong.problems), 422)
    flash(_("Version %(old)s is live again, as version %(new)s. New calls hear it at once.", old=version, new=new))
    return _to("tree")


def _file(text: str, name: str) -> Response:
    answer = make_response(text)
    answer.headers["Content-Type"] = "application/yaml; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _pairs(names: list[str]) -> list[tuple[str, str]]:
    """Names as a list to choose from."""
    return [("", "–"), *((name, name) for name in names)]


# ---- a draft


@menus.get("/menus/draft/<int:draft_id>")
@for_role("viewer")
def draft(draft_id: int) -> Response:
    """The draft as a tree, each problem at its place."""
    return _draft(draft_id, Form(), 200)


def _draft(draft_id: int, form: Form, status: int, *, trial: int | None = None) -> Response:
    view = _view(draft_id)
    phone = f"http://{request.host.partition(':')[0]}:{wiring().settings.phone_port}/?plan={trial}" if trial else ""
    return _shown("draft", status, view=view, draft=view.draft, form=form, phone=phone, trial=trial)


def _edited(draft_id: int, form: Form, change: Change, again: Again, done: str) -> Response:
    """One change to a draft: done, merged, set aside or refused."""
    try:
        with wiring().pool.connection() as conn:
            saved = work.edit(conn, wiring(), _by(), draft_id, _revision(form), change)
    except SetAside as aside:
        return _to("merge", draft_id=draft_id, save=aside.save_id)
    except Wrong as wrong:
        return again(form.wrong(wrong.problems), 422)
    flash(done)
    if saved.merged_with:
        flash(_("%(who)s had saved this draft meanwhile: both changes are in it now.", who=saved.merged_with))
    return _to("draft", draft_id=draft_id)


def _revision(form: Form) -> int:
    given = form["revision"]
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else -1


def _at() -> tuple[str, ...]:
    """The path of a choice, as the address or the form has it."""
    given = request.values.get("at", "")
    return tuple(given.split(".")) if given else ()


@menus.get("/menus/draft/<int:draft_id>/choice")
@for_role("editor")
def choice(draft_id: int) -> Response:
    """The form of one choice."""
    view = _view(draft_id)
    try:
        fields = editing.choice_fields(view.data, _at())
    except (NotThere, IndexError):
        raise Missing("no such choice") from None
    return _choice_form(view, Form(menu_forms.of_choice(fields, view.tree.languages)), 200, new=False)


@menus.post("/menus/draft/<int:draft_id>/choice")
@for_role("editor")
def change_choice(draft_id: int) -> Response:
    """A choice reworded, with other synonyms, leading elsewhere."""
    form, view, path = forms.posted(), _view(draft_id), _at()
    if not path:
        raise Missing("no such choice")
    return _edited(
        draft_id,
        form,
        lambda text: editing.change_choice(text, path, menu_forms.choice(form, view.tree.languages)),
        lambda wrong, status: _choice_form(view, wrong, status, new=False),
        _("The choice is changed."),
    )


@menus.get("/menus/draft/<int:draft_id>/add")
@for_role("editor")
def new_choice(draft_id: int) -> Response:
    """The form of a new choice."""
    view = _view(draft_id)
    key = menu_forms.free_key(view.data, _at())
    return _choice_form(view, Form({"leads_to": "leaf", "key": key, "revision": view.draft.revision}), 200, new=True)


@menus.post("/menus/draft/<int:draft_id>/add")
@for_role("editor")
def add_choice(draft_id: int) -> Response:
    """A new choice, last in its menu."""
    form, view, path = forms.posted(), _view(draft_id), _at()

    def change(text: str) -> str:
        named = menu_forms.choice(form, view.tree.languages)
        return editing.add_choice(text, path, menu_forms.with_ids(named, values_of(text), path))

    return _edited(
        draft_id,
        form,
        change,
        lambda wrong, status: _choice_form(view, wrong, status, new=True),
        _("The choice is added."),
    )


def _choice_form(view: DraftView, form: Form, status: int, *, new: bool) -> Response:
    found = [one for one in menu_forms.walked(view.tree.branches) if one.path == _at()]
    return _shown(
        "choice",
        status,
        view=view,
        draft=view.draft,
        form=form,
        new=new,
        at=".".join(_at()),
        branch=found[0] if found else None,
        queues=_pairs(menu_forms.names(view.data, "queues")),
    )


@menus.post("/menus/draft/<int:draft_id>/move")
@for_role("editor")
def move(draft_id: int) -> Response:
    """A choice goes up, down, in, out, or (dragged) to any place."""
    form, path = forms.posted(), _at()

    def change(text: str) -> str:
        if form["how"] != "to":
            return editing.move_choice(text, path, form["how"])
        menu = tuple(form["menu"].split(".")) if form["menu"] else ()
        return editing.move_to(text, path, menu, after=form["after"] or None, first=not form["after"])

    if not path:
        raise Missing("no such choice")
    return _edited(draft_id, form, change, lambda wrong, status: _draft(draft_id, wrong, status), _("Moved."))


@menus.post("/menus/draft/<int:draft_id>/remove")
@for_role("editor")
def remove(draft_id: int) -> Response:
    """A choice is taken away with all below it."""
    form, path = forms.posted(), _at()
    if not path:
        raise Missing("no such choice")
    return _edited(
        draft_id,
        form,
        lambda text: editing.remove_choice(text, path),
        lambda wrong, status: _draft(draft_id, wrong, status),
        _("The choice is taken away."),
    )


@menus.get("/menus/draft/<int:draft_id>/wording")
@for_role("editor")
def wording(draft_id: int) -> Response:
    """Every sentence in every language, side by side."""
    view = _view(draft_id)
    return _wording_form(view, Form(menu_forms.of_wording(view.data, view.tree.languages)), 200)


@menus.post("/menus/draft/<int:draft_id>/wording")
@for_role("editor")
def change_wording(draft_id: int) -> Response:
    """Sentences reworded."""
    form, view = forms.posted(), _view(draft_id)

    def change(text: str) -> str:
        return editing.set_wording(text, menu_forms.reworded(form, values_of(text), view.tree.languages))

    return _edited(
        draft_id, form, change, lambda wrong, status: _wording_form(view, wrong, status), _("The wording is changed.")
    )


def _wording_form(view: DraftView, form: Form, status: int) -> Response:
    groups = menu_forms.sentences()
    return _shown("wording", status, view=view, draft=view.draft, form=form, groups=groups)


@menus.get("/menus/draft/<int:draft_id>/queues")
@for_role("editor")
def queues(draft_id: int) -> Response:
    """Queues, opening hours, and what stands at the top."""
    view = _view(draft_id)
    return _queues(view, Form(menu_forms.of_top(view.data)), 200)


def _queues(view: DraftView, form: Form, status: int) -> Response:
    names = {group: menu_forms.names(view.data, group) for group in ("queues", "hours")}
    choices = _pairs(names["queues"])
    return _shown("queues", status, view=view, draft=view.draft, form=form, queue_choices=choices, **names)


@menus.post("/menus/draft/<int:draft_id>/queues")
@for_role("editor")
def change_top(draft_id: int) -> Response:
    """Brand, community, number to call back, default queue."""
    form, view = forms.posted(), _view(draft_id)
    return _edited(
        draft_id,
        form,
        lambda text: editing.set_top(text, {key: form[key] for key in menu_forms.TOP}),
        lambda wrong, status: _queues(view, wrong, status),
        _("Saved."),
    )


@menus.get("/menus/draft/<int:draft_id>/queue")
@for_role("editor")
def queue(draft_id: int) -> Response:
    """The form of a queue; without a name: of a new one."""
    view, name = _view(draft_id), request.args.get("name", "")
    try:
        values = menu_forms.of_queue(editing.queue_fields(view.data, name)) if name else {}
    except NotThere:
        raise Missing("no such queue") from None
    return _queue_form(view, Form(values), 200, name=name)


@menus.post("/menus/draft/<int:draft_id>/queue")
@for_role("editor")
def change_queue(draft_id: int) -> Response:
    """A queue changed or added."""
    form, view = forms.posted(), _view(draft_id)
    return _edited(
        draft_id,
        form,
        lambda text: editing.set_queue(text, menu_forms.queue(form, view.tree.languages)),
        lambda wrong, status: _queue_form(view, wrong, status, name=request.args.get("name", "")),
        _("The queue is saved."),
    )


def _queue_form(view: DraftView, form: Form, status: int, *, name: str) -> Response:
    hours = _pairs(menu_forms.names(view.data, "hours"))
    return _shown("queue", status, view=view, draft=view.draft, form=form, name=name, hours=hours)


@menus.get("/menus/draft/<int:draft_id>/hours")
@for_role("editor")
def hours(draft_id: int) -> Response:
    """The form of opening hours; without a name: of new ones."""
    view, name = _view(draft_id), request.args.get("name", "")
    try:
        values = menu_forms.of_hours(editing.hours_fields(view.data, name)) if name else {}
    except NotThere:
        raise Missing("no such hours") from None
    return _hours_form(view, Form(values), 200, name=name)


@menus.post("/menus/draft/<int:draft_id>/hours")
@for_role("editor")
def change_hours(draft_id: int) -> Response:
    """Opening hours changed or added."""
    form, view = forms.posted(), _view(draft_id)
    return _edited(
        draft_id,
        form,
        lambda text: editing.set_hours(text, menu_forms.hours(form, view.tree.languages)),
        lambda wrong, status: _hours_form(view, wrong, status, name=request.args.get("name", "")),
        _("The hours are saved."),
    )


def _hours_form(view: DraftView, form: Form, status: int, *, name: str) -> Response:
    return _shown("hours", status, view=view, draft=view.draft, form=form, name=name)


@menus.post("/menus/draft/<int:draft_id>/remove-queue")
@for_role("editor")
def remove_queue(draft_id: int) -> Response:
    """A queue, or hours, are taken away."""
    form, view = forms.posted(), _view(draft_id)
    take = editing.remove_hours if form["kind"] == "hours" else editing.remove_queue
    return _edited(
        draft_id,
        form,
        lambda text: take(text, form["name"]),
        lambda wrong, status: _queues(view, wrong, status),
        _("Taken away."),
    )


@menus.get("/menus/draft/<int:draft_id>/text")
@for_role("editor")
def text(draft_id: int) -> Response:
    """The very same menu as a text."""
    view = _view(draft_id)
    return _text(view, Form({"yaml": view.draft.yaml}), 200)


def _text(view: DraftView, form: Form, status: int) -> Response:
    return _shown("text", status, view=view, draft=view.draft, form=form)


@menus.post("/menus/draft/<int:draft_id>/text")
@for_role("editor")
def change_text(draft_id: int) -> Response:
    """The whole text anew."""
    form, view = forms.posted(), _view(draft_id)
    return _edited(
        draft_id,
        form,
        lambda _old: str(form.value("yaml")),
        lambda wrong, status: _text(view, wrong, status),
        _("The text is saved."),
    )


@menus.get("/menus/draft/<int:draft_id>/menu.yaml")
@for_role("viewer")
def draft_file(draft_id: int) -> Response:
    """The draft as a file."""
    return _file(_view(draft_id).draft.yaml, f"draft-{draft_id}.yaml")


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
    return _shown("merge", status, merging=found, draft=found.draft, places=places, form=form)


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
            work.settle(conn, wiring(), _by(), draft_id, _revision(form), save_id=_save_id(), take=take)
    except (Wrong, Conflict) as wrong:
        return _merge(draft_id, form.wrong(wrong.problems), 422)
    flash(_("The two are together now."))
    return _to("draft", draft_id=draft_id)


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
    return _shown("publish", status, view=view, draft=view.draft, form=form, changes=changes, rehearse=rehearse)


@menus.post("/menus/draft/<int:draft_id>/publish")
@for_role("editor")
def publish(draft_id: int) -> Response:
    """The draft goes live."""
    form = forms.posted()
    try:
        with wiring().pool.connection() as conn:
            version = work.publish(conn, wiring(), _by(), draft_id, _revision(form), form["why"])
    except Wrong as wrong:
        return _publishing(draft_id, form.wrong(wrong.problems), 422)
    flash(_("Version %(version)s is live: new calls hear it, calls under way finish on theirs.", version=version))
    return _to("tree")


@menus.post("/menus/draft/<int:draft_id>/discard")
@for_role("editor")
def discard(draft_id: int) -> Response:
    """Thrown away; kept for 90 days."""
    form = forms.posted()
    try:
        with wiring().pool.connection() as conn:
            work.discard(conn, wiring(), _by(), draft_id, form["why"])
    except Wrong as wrong:
        return _draft(draft_id, form.wrong(wrong.problems), 422)
    flash(_("The draft is thrown away. For 90 days it can be brought back."))
    return _to("tree")


@menus.post("/menus/draft/<int:draft_id>/reopen")
@for_role("editor")
def reopen(draft_id: int) -> Response:
    """Brought back."""
    try:
        with wiring().pool.connection() as conn:
            work.reopen(conn, wiring(), _by(), draft_id)
    except Wrong as wrong:
        return _draft(draft_id, Form().wrong(wrong.problems), 422)
    return _to("draft", draft_id=draft_id)


@menus.post("/menus/draft/<int:draft_id>/try")
@for_role("editor")
def try_out(draft_id: int) -> Response:
    """The draft as the test phone can call it."""
    try:
        with wiring().pool.connection() as conn:
            trial = work.try_out(conn, wiring(), _by(), draft_id)
    except Wrong as wrong:
        return _draft(draft_id, Form().wrong(wrong.problems), 422)
    return _draft(draft_id, Form(), 200, trial=trial)
