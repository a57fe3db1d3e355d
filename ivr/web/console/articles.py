"""Articles: search and filter, what callers did with each, editing, withdrawing."""

from datetime import datetime
from typing import Any

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ivr.console import articles as console
from ivr.console.actors import at_console
from ivr.console.articles import Rewording
from ivr.console.errors import Missing, Wrong
from ivr.web.console import forms
from ivr.web.console.forms import Form
from ivr.web.console.guards import page as for_role
from ivr.web.console.guards import staff, wiring
from ivr.web.console.words import gettext as _
from ivr.web.console.words import language, told
from models import article_lists
from models.article_lists import Place, Wanted

articles = Blueprint("articles", __name__)

FILTERS = ("words", "source", "language", "state", "tag", "short", "stale")
LONGEST_FILTER = 200


@articles.get("/articles")
@for_role("viewer")
def page() -> Response:
    """A page of the list."""
    typed = {name: request.args.get(name, "").replace("\0", "").strip()[:LONGEST_FILTER] for name in FILTERS}
    with wiring().pool.connection() as conn:
        found = console.find(conn, wiring(), _wanted(typed), _place())
        languages, sources = article_lists.languages(conn), article_lists.sources(conn)
    kept: dict[str, Any] = {name: value for name, value in typed.items() if value}
    further = None
    if found.after:
        further = url_for("articles.page", **kept, offered=found.after.offered, after=found.after.id)
    shown = render_template(
        "articles/page.html",
        found=found,
        form=Form(typed),
        filtered=bool(kept),
        further=further,
        languages=[("", _("any")), *((one, one) for one in languages)],
        sources=[("", _("any")), *((one, one) for one in sources)],
        states=[("", _("any")), *((state, told(words)) for state, words in console.STATES.items())],
        state_words=console.STATES,
    )
    return make_response(shown)


def _wanted(typed: dict[str, str]) -> Wanted:
    stale: datetime | None = wiring().clock() - console.STALE if typed["stale"] else None
    return Wanted(
        words=typed["words"],
        source=typed["source"],
        language=typed["language"],
        state=typed["state"] if typed["state"] in console.STATES else "",
        tag=typed["tag"],
        short={"yes": True, "no": False}.get(typed["short"]),
        changed_before=stale,
    )


def _place() -> Place | None:
    offered, after = request.args.get("offered", ""), request.args.get("after", "").replace("\0", "")
    return Place(int(offered), after) if offered.isdecimal() and len(offered) < 10 and after else None


@articles.get("/articles/<article_id>")
@for_role("viewer")
def one(article_id: str) -> Response:
    """One article."""
    return _one(article_id, None)


@articles.post("/articles/<article_id>/edit")
@for_role("editor")
def edit(article_id: str) -> Response:
    """Another short version or title; `act` preview only shows the text."""
    form = forms.posted()
    wanted = Rewording(form["short"], form["title"], form["seen"], form["why"])
    if form["act"] == "preview":
        return _one(article_id, form.wrong(console.wrong_short(form["short"]) | console.wrong_title(form["title"])))
    try:
        with wiring().pool.connection() as conn:
            console.edit(conn, wiring(), at_console(staff()), article_id, wanted)
    except Missing:
        abort(404)
    except Wrong as wrong:
        return _one(article_id, form.wrong(wrong.problems), 422)
    flash(_("Kept: callers hear and get it from the next search on."))
    return redirect(url_for("articles.one", article_id=article_id), 303)


@articles.post("/articles/<article_id>/withdraw")
@for_role("editor")
def withdraw(article_id: str) -> Response:
    """Offer and show it no more."""
    form = forms.posted()
    try:
        with wiring().pool.connection() as conn:
            gone = console.withdraw(conn, wiring(), at_console(staff()), [article_id], form["why"])
    except Wrong as wrong:
        return _one(article_id, Form({}, {"": wrong.problems["why"]}), 422)
    flash(
        _("Withdrawn: no caller is offered or shown it, from the next turn of every call on.")
        if gone
        else _("It was withdrawn already.")
    )
    return redirect(url_for("articles.one", article_id=article_id), 303)


@articles.post("/articles/<article_id>/restore")
@for_role("editor")
def restore(article_id: str) -> Response:
    """Take a withdrawal back."""
    form = forms.posted()
    try:
        with wiring().pool.connection() as conn:
            console.restore(conn, wiring(), at_console(staff()), [article_id], form["why"])
    except Wrong as wrong:
        return _one(article_id, Form({}, {"": wrong.problems["why"]}), 422)
    flash(_("It is withdrawn no more."))
    return redirect(url_for("articles.one", article_id=article_id), 303)


def _one(article_id: str, form: Form | None, status: int = 200) -> Response:
    try:
        with wiring().pool.connection() as conn:
            view = console.view(conn, wiring(), article_id, language())
            text = view.text
            if form is not None and form["title"] and not console.wrong_title(form["title"]):
                text = console.preview(wiring(), wiring().plans.live(conn), view.article.language, form["title"])
    except Missing:
        abort(404)
    if form is None or "short" not in form.values:
        typed = {"short": view.short or "", "title": view.title, "seen": view.kept.answer_hash}
        form = Form(typed, form.problems if form else {})
    shown = render_template(
        "articles/one.html", view=view, form=form, text=text, state=console.STATES.get(view.kept.state)
    )
    return make_response(shown, status)
