"""Sources: how each does; add, try, sync now, pause and remove one."""

from typing import Any

from flask import Blueprint, abort, flash, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response

from ivr.console import sources as console
from ivr.console.actors import at_console
from ivr.console.errors import Missing, Wrong
from ivr.console.sources import Trial, Wanted
from ivr.web.console import forms
from ivr.web.console.forms import Form
from ivr.web.console.guards import page as for_role
from ivr.web.console.guards import staff, wiring
from ivr.web.console.words import gettext as _
from ivr.web.console.words import told
from search.sources.trust import RULES

sources = Blueprint("sources", __name__)


@sources.get("/sources")
@for_role("viewer")
def page() -> Response:
    """All sources."""
    return _page({})


@sources.get("/sources/state")
@for_role("viewer")
def state() -> Response:
    """The part of the page that looks again by itself."""
    with wiring().pool.connection() as conn:
        found = console.everything(conn)
    return make_response(render_template("sources/state.html", sources=found))


@sources.get("/sources/new")
@for_role("editor")
def new() -> Response:
    """The form that adds one."""
    return _form(Form({"trust": "accepted", "language": "en", "every_minutes": "15"}))


@sources.post("/sources")
@for_role("editor")
def add() -> Response:
    """Try it; with `act` add keep it if it can be read. Nothing is lent from the pool while a community is asked."""
    form = forms.posted()
    wanted = _wanted(form)
    try:
        row = console.row_from(wiring(), wanted)
        trial = console.try_out(wiring(), row)
        if form["act"] != "add":
            return _form(form, trial=trial)
        with wiring().pool.connection() as conn:
            console.add(conn, wiring(), at_console(staff()), row, wanted.why)
    except Wrong as wrong:
        return _form(form.wrong(wrong.problems), 422)
    flash(_("%(name)s is added. The worker reads it for the first time within minutes.", name=row.name))
    return redirect(url_for("sources.page"), 303)


def _wanted(form: Form) -> Wanted:
    return Wanted(
        kind=form["kind"],
        url=form["url"],
        name=form["name"],
        trust=form["trust"],
        max_age_days=form["max_age_days"],
        language=form["language"],
        licence=form["licence"],
        name_authors=form["name_authors"] == "on",
        every_minutes=form["every_minutes"],
        credentials=form["credentials"],
        options=form["options"],
        may_name_keys=staff().may("admin"),
        why=form["why"],
    )


@sources.post("/sources/<name>/try")
@for_role("editor")
def try_out(name: str) -> Response:
    """Read its beginning and show what would become of it."""
    try:
        with wiring().pool.connection() as conn:
            row = console.one(conn, name).row
        trial = console.try_out(wiring(), row)
    except Missing:
        abort(404)
    except Wrong as wrong:
        return _page(wrong.problems, 422)
    return make_response(render_template("sources/tried.html", row=row, trial=trial))


@sources.post("/sources/<name>/sync")
@for_role("editor")
def sync(name: str) -> Response:
    """Have it synced now."""
    try:
        with wiring().pool.connection() as conn:
            console.sync_now(conn, wiring(), at_console(staff()), name)
    except Missing:
        abort(404)
    flash(_("The worker begins to read %(name)s within seconds.", name=name))
    return redirect(url_for("sources.page"), 303)


@sources.post("/sources/<name>/pause")
@for_role("editor")
def pause(name: str) -> Response:
    """Sync it by itself no more, or again (`paused` on or off)."""
    form = forms.posted()
    paused = form["paused"] == "on"
    try:
        with wiring().pool.connection() as conn:
            console.pause(conn, wiring(), at_console(staff()), name, paused=paused, why=form["why"])
    except Missing:
        abort(404)
    except Wrong as wrong:
        return _page({"": wrong.problems["why"]}, 422)
    flash(_("It is paused: its articles stay as they are.") if paused else _("It is synced by itself again."))
    return redirect(url_for("sources.page"), 303)


@sources.post("/sources/<name>/remove")
@for_role("editor")
def remove(name: str) -> Response:
    """Forget it; its articles are offered no more."""
    try:
        with wiring().pool.connection() as conn:
            lapsed = console.remove(conn, wiring(), at_console(staff()), name, forms.posted()["why"])
    except Missing:
        abort(404)
    except Wrong as wrong:
        return _page({"": next(iter(wrong.problems.values()))}, 422)
    flash(_("%(name)s is removed, and %(count)s articles with it.", name=name, count=lapsed))
    return redirect(url_for("sources.page"), 303)


def _page(problems: Any, status: int = 200) -> Response:
    with wiring().pool.connection() as conn:
        found = console.everything(conn)
    shown = render_template(
        "sources/page.html",
        sources=found,
        problems=problems,
        rule_words=console.RULE_WORDS,
        web_kinds=console.WEB_KINDS,
    )
    return make_response(shown, status)


def _form(form: Form, status: int = 200, trial: Trial | None = None) -> Response:
    kinds = [("", _("choose")), *((kind, kind) for kind in console.WEB_KINDS)]
    rules = [(rule, told(console.RULE_WORDS[rule])) for rule in RULES]
    shown = render_template("sources/new.html", form=form, trial=trial, kinds=kinds, rules=rules)
    return make_response(shown, status)
