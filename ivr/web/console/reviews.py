"""The review queue: read, approve, edit the short version, refuse, many at once; what was decided, to take it back."""

from typing import Any

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ivr.console import articles as console_articles
from ivr.console import reviews as console
from ivr.console.actors import at_console
from ivr.console.articles import Rewording
from ivr.console.errors import Missing, Wrong
from ivr.web.console import forms
from ivr.web.console.forms import Form
from ivr.web.console.guards import page as for_role
from ivr.web.console.guards import staff, wiring
from ivr.web.console.words import gettext as _
from ivr.web.console.words import ngettext, told
from models import edits

reviews = Blueprint("reviews", __name__)


@reviews.get("/reviews")
@for_role("viewer")
def page() -> Response:
    """A page of what waits."""
    return _page(Form())


@reviews.post("/reviews")
@for_role("editor")
def decide() -> Response:
    """Approve, refuse or undo (`how`) what is ticked (`pick`: "ID HASH" each)."""
    form, seen = forms.posted(), console.ids_of(request.form.getlist("pick"))
    try:
        with wiring().pool.connection() as conn:
            done = console.decide(conn, wiring(), at_console(staff()), form["how"], seen, form["why"])
    except Wrong as wrong:
        return _page(form.wrong(wrong.problems), 422, frozenset(seen))
    count = len(done.done)
    if form["how"] == "approve":
        flash(ngettext("One is approved.", "%(num)s are approved.", count))
    elif form["how"] == "refuse":
        flash(ngettext("One is refused.", "%(num)s are refused.", count))
    else:
        flash(ngettext("One waits again.", "%(num)s wait again.", count))
    if done.changed:
        flash(_("%(count)s changed meanwhile: read them again.", count=done.changed), "problem")
    return redirect(url_for("reviews.decided" if form["how"] == "undo" else "reviews.page"), 303)


@reviews.get("/reviews/decided")
@for_role("viewer")
def decided() -> Response:
    """What was decided last, each to be taken back."""
    with wiring().pool.connection() as conn:
        found = console.decided(conn)
    return make_response(render_template("reviews/decided.html", decided=found))


@reviews.post("/reviews/count")
@for_role("editor")
def count() -> Response:
    """Count the calls they would serve anew."""
    with wiring().pool.connection() as conn:
        console.ask(conn, wiring(), at_console(staff()))
    flash(_("The worker counts the calls: look again in a few minutes."))
    return redirect(url_for("reviews.page"), 303)


@reviews.get("/reviews/<article_id>")
@for_role("viewer")
def one(article_id: str) -> Response:
    """One thread, whole."""
    return _one(article_id, None)


@reviews.post("/reviews/<article_id>/edit")
@for_role("editor")
def edit(article_id: str) -> Response:
    """Another short version or title than its own, kept for when it is approved."""
    form = forms.posted()
    wanted = Rewording(form["short"], form["title"], form["seen"], form["why"])
    try:
        with wiring().pool.connection() as conn:
            console_articles.edit(conn, wiring(), at_console(staff()), article_id, wanted)
    except Missing:
        abort(404)
    except Wrong as wrong:
        return _one(article_id, form.wrong(wrong.problems), 422)
    flash(_("Kept: it is what callers hear once this is approved."))
    return redirect(url_for("reviews.one", article_id=article_id), 303)


def _page(form: Form, status: int = 200, ticked: frozenset[str] = frozenset()) -> Response:
    given = {name: request.args.get(name, "").replace("\0", "")[:100] for name in ("source", "reason")}
    calls, after = request.args.get("calls", ""), request.args.get("after", "").replace("\0", "")
    place = (int(calls), after) if calls.isdecimal() and len(calls) < 10 and after else None
    with wiring().pool.connection() as conn:
        queue = console.queue(conn, given["source"], given["reason"], place)
    further = None
    if queue.after:
        named: dict[str, Any] = {name: value for name, value in given.items() if value}
        further = url_for("reviews.page", **named, calls=queue.after[0], after=queue.after[1])
    shown = render_template(
        "reviews/page.html",
        queue=queue,
        form=form,
        filters=Form(given),
        ticked=ticked,
        further=further,
        sources=[("", _("any")), *((name, f"{name} ({count})") for name, count in queue.waiting.items())],
        reasons=[("", _("any")), *((why, told(words)) for why, words in console.REASONS.items())],
    )
    return make_response(shown, status)


def _one(article_id: str, form: Form | None, status: int = 200) -> Response:
    try:
        with wiring().pool.connection() as conn:
            line = console.one(conn, article_id)
            about = console_articles.subject(conn, article_id) if line.article else None
            kept = edits.read(conn, article_id) if line.edited else None
    except Missing:
        abort(404)
    if form is None:
        title = (kept.title if kept else None) or line.thread.title
        form = Form({"short": line.short or "", "title": title, "seen": about.answer_hash if about else ""})
    return make_response(render_template("reviews/one.html", line=line, form=form), status)
