"""Calls: find one, read its story, replay it on another menu."""

from datetime import date, datetime, time

from flask import Blueprint, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from ivr.console import calls as work
from ivr.console import details, replaying, told, trying
from ivr.console.actors import at_console
from ivr.console.calls import Story
from ivr.console.errors import Sentence, Wrong, sentence
from ivr.console.today import leaf_names, live_plan
from ivr.web.console import forms
from ivr.web.console.forms import Form
from ivr.web.console.guards import page as for_role
from ivr.web.console.guards import staff, wiring
from ivr.web.console.words import language, zone
from ivr.web.console.words import told as words_of
from models import drafts
from models.call_lists import Wanted, queues_and_leaves

calls = Blueprint("calls", __name__)

KEY = 64  # hexadecimal digits
ASKED = ("since", "since_at", "until", "until_at", "queue", "leaf", "outcome", "article")


@calls.get("/calls")
@for_role("viewer")
def page() -> Response:
    """Calls by what their summaries say, newest first."""
    form = Form(request.args.to_dict())
    wanted, problems = _wanted(form)
    return _list(form.wrong(problems), wanted, None)


@calls.post("/calls")
@for_role("viewer")
def by_number() -> Response:
    """The calls of a number, which is in no address; `caller` is its hash, for the pages after the first."""
    form = forms.posted()
    wanted, _problems = _wanted(form)
    key = form["caller"]
    try:
        if len(key) != KEY or not set(key) <= set("0123456789abcdef"):
            key = work.person(wiring(), form["number"])
    except Wrong as wrong:
        return _list(form.wrong(wrong.problems), None, None)
    with wiring().pool.connection() as conn:
        keys = work.keys_of(conn, key)
    return _list(Form(), Wanted(keys=keys, before=wanted.before), key)


def _list(form: Form, wanted: Wanted | None, caller: str | None) -> Response:
    with wiring().pool.connection() as conn:
        found = work.find(conn, wiring(), wanted) if wanted is not None and not form.problems else None
        names = leaf_names(live_plan(conn, wiring()), language())
        queues, leaves = queues_and_leaves(conn, wiring().clock() - work.LOOKED_AT)
    older = None
    if found and found.more:
        last = found.rows[-1]
        older = {"before": last.started_at.isoformat(), "before_sid": last.call_sid}
        if caller is None:  # nothing else of the address: `endpoint` and `_scheme` mean something to `url_for`
            older |= {name: form[name] for name in ASKED if form[name]}
    body = render_template(
        "calls/page.html",
        form=form,
        found=found,
        older=older,
        caller=caller,
        queues=[(queue, queue) for queue in queues],
        outcomes=[(kind, words_of(sentence_of)) for kind, sentence_of in told.OUTCOMES.items()],
        leaves=[(leaf, names.get(leaf, leaf)) for leaf in leaves],
        names=names,
        told=told,
    )
    return make_response(body, 422 if form.problems else 200)


def _wanted(form: Form) -> tuple[Wanted, dict[str, Sentence | str]]:
    problems: dict[str, Sentence | str] = {}

    def day(name: str) -> date | None:
        try:
            found = date.fromisoformat(form[name]) if form[name] else None
            if found and not 2000 <= found.year <= 2999:
                raise ValueError
            return found
        except ValueError:
            problems[name] = sentence("A day, such as 2026-11-22.")
            return None

    def minute(name: str) -> time | None:
        try:
            return time.fromisoformat(form[name]).replace(second=0, microsecond=0, tzinfo=None) if form[name] else None
        except ValueError:
            problems[name] = sentence("A time of day, such as 14:30.")
            return None

    first, first_at, last, last_at = day("since"), minute("since_at"), day("until"), minute("until_at")
    if first_at and not form["since"]:
        problems["since"] = sentence("Name the day, too.")
    if last_at and not form["until"]:
        problems["until"] = sentence("Name the day, too.")
    until = datetime.combine(last, last_at or time.min, zone()) if last else None
    return (
        Wanted(
            since=datetime.combine(first, first_at or time.min, zone()) if first else None,
            until=until and until + (work.A_MINUTE if last_at else work.A_DAY),
            queue=form["queue"] or None,
            leaf=form["leaf"] or None,
            article=form["article"] or None,
            outcome=form["outcome"] or None,
            before=_before(form),
        ),
        problems,
    )


def _before(form: Form) -> tuple[datetime, str] | None:
    try:
        at = datetime.fromisoformat(form["before"])
    except ValueError:
        return None
    return (at, form["before_sid"]) if at.tzinfo and form["before_sid"] else None


@calls.get("/calls/<call_sid>")
@for_role("viewer")
def story(call_sid: str) -> Response:
    """One call turn by turn."""
    return _story(call_sid, Form())


def _story(call_sid: str, form: Form, status: int = 200, found: Story | None = None) -> Response:
    with wiring().pool.connection() as conn:
        found = found or work.story(conn, wiring(), call_sid, words=staff().may("editor"))
        names = leaf_names(live_plan(conn, wiring()), language())
        choices = [(str(one.id), one.name) for one in drafts.listed(conn)]
    shown = render_template("calls/story.html", story=found, form=form, names=names, drafts=choices, details=details)
    return make_response(shown, status)


@calls.post("/calls/<call_sid>/number")
@for_role("admin")
def unmask(call_sid: str) -> Response:
    """The story with the caller's whole number."""
    form = forms.posted()
    try:
        with wiring().pool.connection() as conn:
            found = work.unmask(conn, wiring(), at_console(staff()), call_sid, form["why"])
    except Wrong as wrong:
        return _story(call_sid, form.wrong(wrong.problems), 422)
    return _story(call_sid, Form(), found=found)


@calls.get("/calls/<call_sid>/replay")
@for_role("editor")
def replay(call_sid: str) -> Response:
    """What a draft, or the live menu, would do with this call."""
    given = request.args.get("draft", "")
    draft_id = int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None
    try:
        with wiring().pool.connection() as conn:
            plan = trying.plan_of(conn, wiring(), draft_id)
            found = replaying.replay(conn, wiring(), call_sid, plan)
            name = next((one.name for one in drafts.listed(conn) if one.id == draft_id), None)
    except Wrong as wrong:
        return _story(call_sid, Form({"draft": given}, wrong.problems), 422)
    back = url_for("calls.story", call_sid=call_sid)
    shown = render_template(
        "calls/replay.html", replay=found, draft=name, back=back, call_sid=call_sid, details=details
    )
    return make_response(shown)
