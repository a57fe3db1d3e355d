"""The forms of a draft of the menu: choices, wording, queues, hours, and the text as a whole."""

from collections.abc import Callable

from flask import flash, request
from werkzeug.wrappers import Response

from ivr.console import menus as work
from ivr.console.errors import Missing, Wrong
from ivr.console.menus import Change, DraftView, SetAside
from ivr.planfile import editing
from ivr.planfile.document import NotThere, values_of
from ivr.web.console import forms, menu_forms
from ivr.web.console.forms import Form
from ivr.web.console.guards import page as for_role
from ivr.web.console.guards import wiring
from ivr.web.console.menus import by_whom, draft_page, lead_to, menus, revision_of, shown, view_of
from ivr.web.console.words import gettext as _

__all__ = ["menus"]

Again = Callable[[Form, int], Response]


def _pairs(names: list[str]) -> list[tuple[str, str]]:
    """Names as a list to choose from."""
    return [("", "–"), *((name, name) for name in names)]


def _edited(draft_id: int, form: Form, change: Change, again: Again, done: str) -> Response:
    """One change to a draft: done, merged, set aside or refused."""
    try:
        with wiring().pool.connection() as conn:
            saved = work.edit(conn, wiring(), by_whom(), draft_id, revision_of(form), change)
    except SetAside as aside:
        return lead_to("merge", draft_id=draft_id, save=aside.save_id)
    except Wrong as wrong:
        return again(form.wrong(wrong.problems), 422)
    flash(done)
    if saved.merged_with:
        flash(_("%(who)s had saved this draft meanwhile: both changes are in it now.", who=saved.merged_with))
    return lead_to("draft", draft_id=draft_id)


def _at() -> tuple[str, ...]:
    """The path of a choice, as the address or the form has it."""
    given = request.values.get("at", "")
    return tuple(given.split(".")) if given else ()


@menus.get("/menus/draft/<int:draft_id>/choice")
@for_role("editor")
def choice(draft_id: int) -> Response:
    """The form of one choice."""
    view = view_of(draft_id)
    try:
        fields = editing.choice_fields(view.data, _at())
    except (NotThere, IndexError):
        raise Missing("no such choice") from None
    return _choice_form(view, Form(menu_forms.of_choice(fields, view.tree.languages)), 200, new=False)


@menus.post("/menus/draft/<int:draft_id>/choice")
@for_role("editor")
def change_choice(draft_id: int) -> Response:
    """A choice reworded, with other synonyms, leading elsewhere."""
    form, view, path = forms.posted(), view_of(draft_id), _at()
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
    view = view_of(draft_id)
    key = menu_forms.free_key(view.data, _at())
    return _choice_form(view, Form({"leads_to": "leaf", "key": key, "revision": view.draft.revision}), 200, new=True)


@menus.post("/menus/draft/<int:draft_id>/add")
@for_role("editor")
def add_choice(draft_id: int) -> Response:
    """A new choice, last in its menu."""
    form, view, path = forms.posted(), view_of(draft_id), _at()

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
    return shown(
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
    return _edited(draft_id, form, change, lambda wrong, status: draft_page(draft_id, wrong, status), _("Moved."))


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
        lambda wrong, status: draft_page(draft_id, wrong, status),
        _("The choice is taken away."),
    )


@menus.get("/menus/draft/<int:draft_id>/wording")
@for_role("editor")
def wording(draft_id: int) -> Response:
    """Every sentence in every language, side by side."""
    view = view_of(draft_id)
    return _wording_form(view, Form(menu_forms.of_wording(view.data, view.tree.languages)), 200)


@menus.post("/menus/draft/<int:draft_id>/wording")
@for_role("editor")
def change_wording(draft_id: int) -> Response:
    """Sentences reworded."""
    form, view = forms.posted(), view_of(draft_id)

    def change(text: str) -> str:
        return editing.set_wording(text, menu_forms.reworded(form, values_of(text), view.tree.languages))

    return _edited(
        draft_id, form, change, lambda wrong, status: _wording_form(view, wrong, status), _("The wording is changed.")
    )


def _wording_form(view: DraftView, form: Form, status: int) -> Response:
    groups = menu_forms.sentences()
    return shown("wording", status, view=view, draft=view.draft, form=form, groups=groups)


@menus.get("/menus/draft/<int:draft_id>/queues")
@for_role("editor")
def queues(draft_id: int) -> Response:
    """Queues, opening hours, and what stands at the top."""
    view = view_of(draft_id)
    return _queues(view, Form(menu_forms.of_top(view.data)), 200)


def _queues(view: DraftView, form: Form, status: int) -> Response:
    names = {group: menu_forms.names(view.data, group) for group in ("queues", "hours")}
    choices = _pairs(names["queues"])
    return shown("queues", status, view=view, draft=view.draft, form=form, queue_choices=choices, **names)


@menus.post("/menus/draft/<int:draft_id>/queues")
@for_role("editor")
def change_top(draft_id: int) -> Response:
    """Brand, community, number to call back, default queue."""
    form, view = forms.posted(), view_of(draft_id)
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
    view, name = view_of(draft_id), request.args.get("name", "")
    try:
        values = menu_forms.of_queue(editing.queue_fields(view.data, name)) if name else {}
    except NotThere:
        raise Missing("no such queue") from None
    return _queue_form(view, Form(values), 200, name=name)


@menus.post("/menus/draft/<int:draft_id>/queue")
@for_role("editor")
def change_queue(draft_id: int) -> Response:
    """A queue changed or added."""
    form, view = forms.posted(), view_of(draft_id)
    return _edited(
        draft_id,
        form,
        lambda text: editing.set_queue(text, menu_forms.queue(form, view.tree.languages)),
        lambda wrong, status: _queue_form(view, wrong, status, name=request.args.get("name", "")),
        _("The queue is saved."),
    )


def _queue_form(view: DraftView, form: Form, status: int, *, name: str) -> Response:
    hours = _pairs(menu_forms.names(view.data, "hours"))
    return shown("queue", status, view=view, draft=view.draft, form=form, name=name, hours=hours)


@menus.get("/menus/draft/<int:draft_id>/hours")
@for_role("editor")
def hours(draft_id: int) -> Response:
    """The form of opening hours; without a name: of new ones."""
    view, name = view_of(draft_id), request.args.get("name", "")
    try:
        values = menu_forms.of_hours(editing.hours_fields(view.data, name)) if name else {}
    except NotThere:
        raise Missing("no such hours") from None
    return _hours_form(view, Form(values), 200, name=name)


@menus.post("/menus/draft/<int:draft_id>/hours")
@for_role("editor")
def change_hours(draft_id: int) -> Response:
    """Opening hours changed or added."""
    form, view = forms.posted(), view_of(draft_id)
    return _edited(
        draft_id,
        form,
        lambda text: editing.set_hours(text, menu_forms.hours(form, view.tree.languages)),
        lambda wrong, status: _hours_form(view, wrong, status, name=request.args.get("name", "")),
        _("The hours are saved."),
    )


def _hours_form(view: DraftView, form: Form, status: int, *, name: str) -> Response:
    return shown("hours", status, view=view, draft=view.draft, form=form, name=name)


@menus.post("/menus/draft/<int:draft_id>/remove-queue")
@for_role("editor")
def remove_queue(draft_id: int) -> Response:
    """A queue, or hours, are taken away."""
    form, view = forms.posted(), view_of(draft_id)
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
    view = view_of(draft_id)
    return _text(view, Form({"yaml": view.draft.yaml}), 200)


def _text(view: DraftView, form: Form, status: int) -> Response:
    return shown("text", status, view=view, draft=view.draft, form=form)


@menus.post("/menus/draft/<int:draft_id>/text")
@for_role("editor")
def change_text(draft_id: int) -> Response:
    """The whole text anew."""
    form, view = forms.posted(), view_of(draft_id)
    return _edited(
        draft_id,
        form,
        lambda _old: str(form.value("yaml")),
        lambda wrong, status: _text(view, wrong, status),
        _("The text is saved."),
    )
