"""Voice: recorded prompts, the company's own hold music, the calendar of holidays."""

from datetime import date

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ivr.call.plan import Plan
from ivr.console import holidays, menus, sound, trying
from ivr.console import voice as work
from ivr.console.actors import at_console
from ivr.console.errors import Wrong, sentence
from ivr.console.menus import SetAside
from ivr.console.voice import Prompt
from ivr.planfile.document import clean
from ivr.web.console import forms
from ivr.web.console.forms import Form
from ivr.web.console.guards import page as for_role
from ivr.web.console.guards import staff, wiring
from ivr.web.console.words import gettext as _
from models import drafts, plans
from models.drafts import Draft

voice = Blueprint("voice", __name__)


def _draft_id() -> int | None:
    """The draft that the address or the form names; None: what is live."""
    given = request.values.get("draft", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None


def _plan() -> Plan:
    with wiring().pool.connection() as conn:
        return trying.plan_of(conn, wiring(), _draft_id())


def _uploaded() -> tuple[bytes, str]:
    file = request.files.get("file")
    if file is None:
        return b"", ""
    with file.stream:
        return file.stream.read(sound.MOST_BYTES + 1), file.filename or ""


@voice.get("/voice")
@for_role("viewer")
def page() -> Response:
    """All sentences of the live menu or of a draft, and which of them are recorded."""
    form = Form({"draft": request.args.get("draft", "")})
    with wiring().pool.connection() as conn:
        choices = [(str(one.id), one.name) for one in drafts.listed(conn)]
        try:
            found = work.voice(conn, trying.plan_of(conn, wiring(), _draft_id()))
        except Wrong as wrong:
            found, form = None, form.wrong(wrong.problems)
    shown = render_template("voice/page.html", voice=found, form=form, drafts=choices, draft=_draft_id())
    return make_response(shown, 422 if form.problems and _draft_id() else 200)


# ---- one sentence


@voice.get("/voice/prompt")
@for_role("viewer")
def prompt() -> Response:
    """One sentence in one language: its words, its recording."""
    return _prompt(_asked(), Form())


@voice.post("/voice/prompt")
@for_role("editor")
def record() -> Response:
    """A file that says it."""
    form, spoken = forms.posted(), _asked()
    if form["words"] != spoken.words:
        wrong = {"": sentence("These words were changed meanwhile. Does the recording still say them?")}
        return _prompt(spoken, form.wrong(wrong), 422)
    try:
        work.record(wiring(), at_console(staff()), spoken, *_uploaded())
    except Wrong as wrong_file:
        return _prompt(spoken, form.wrong(wrong_file.problems), 422)
    flash(_("Callers hear the recording from their next turn on."))
    return redirect(_here(spoken), 303)


def _asked() -> Prompt:
    plan = _plan()
    with wiring().pool.connection() as conn:
        return work.prompt(conn, plan, request.values.get("wording", ""), request.values.get("language", ""))


def _here(spoken: Prompt) -> str:
    return url_for("voice.prompt", wording=spoken.wording, language=spoken.language, draft=_draft_id())


def _prompt(spoken: Prompt, form: Form, status: int = 200) -> Response:
    return make_response(
        render_template("voice/prompt.html", prompt=spoken, form=form, draft=_draft_id(), work=work, sound=sound),
        status,
    )


@voice.get("/voice/recordings/<int:recording_id>.wav")
@for_role("viewer")
def listen(recording_id: int) -> Response:
    """A recording as callers hear it."""
    with wiring().pool.connection() as conn:
        _found, body = work.sound_of(conn, recording_id)
    return make_response(body, {"Content-Type": "audio/wav"})


@voice.post("/voice/recordings/<int:recording_id>/remove")
@for_role("editor")
def remove(recording_id: int) -> Response:
    """The voice says it again, or our music plays."""
    form = forms.posted()
    try:
        with wiring().pool.connection() as conn:
            removed = work.remove(conn, wiring(), at_console(staff()), recording_id, form["why"])
    except Wrong as wrong:
        flash(next(str(one) for one in wrong.problems.values()), "problem")
        return redirect(url_for("voice.page"), 303)
    flash(_("Our music plays again.") if removed.kind == "music" else _("The voice says it again."))
    return redirect(url_for("voice.music") if removed.kind == "music" else url_for("voice.page"), 303)


# ---- hold music


@voice.get("/voice/music")
@for_role("viewer")
def music() -> Response:
    """What callers hear on hold."""
    return _music(Form())


@voice.post("/voice/music")
@for_role("editor")
def play() -> Response:
    """The company's own."""
    form = forms.posted()
    try:
        work.play_music(wiring(), at_console(staff()), *_uploaded())
    except Wrong as wrong:
        return _music(form.wrong(wrong.problems), 422)
    flash(_("Callers hear this music from their next turn on."))
    return redirect(url_for("voice.music"), 303)


def _music(form: Form, status: int = 200) -> Response:
    with wiring().pool.connection() as conn:
        own = work.music(conn)
    ours = None if own else wiring().audio.paths(30)[0]
    return make_response(render_template("voice/music.html", own=own, ours=ours, form=form, sound=sound), status)


# ---- holidays


@voice.get("/voice/holidays")
@for_role("viewer")
def calendar() -> Response:
    """The holidays of the live menu, or of a draft."""
    return _calendar(Form())


@voice.post("/voice/holidays")
@for_role("editor")
def begin() -> Response:
    """A draft for other holidays."""
    form = forms.posted()
    try:
        with wiring().pool.connection() as conn:
            made = menus.begin(conn, wiring(), at_console(staff()), form["name"])
    except Wrong as wrong:
        return _calendar(form.wrong(wrong.problems), 422)
    return redirect(url_for("voice.calendar", draft=made), 303)


@voice.post("/voice/holidays/<int:draft_id>")
@for_role("editor")
def close(draft_id: int) -> Response:
    """The days of a draft: `on` is day|hours for each that is closed; `day` and `new` add one."""
    form = Form({**forms.posted().values, "on": request.form.getlist("on"), "new": request.form.getlist("new")})
    closed: dict[str, set[str]] = {}
    for day, mark, name in (one.partition("|") for one in form.value("on")):
        if mark:
            closed.setdefault(day, set()).add(name)
    if form["day"]:
        closed.setdefault(form["day"], set()).update(form.value("new"))
    revision = int(form["revision"]) if form["revision"].isdecimal() and len(form["revision"]) < 10 else -1
    days = {day: frozenset(names) for day, names in closed.items()}
    try:
        if form["day"] and not form.value("new"):
            raise Wrong({"new": sentence("Say which opening hours are closed on that day.")})
        with wiring().pool.connection() as conn:
            holidays.change(conn, wiring(), at_console(staff()), draft_id, revision, days)
    except SetAside as aside:
        return redirect(url_for("menus.merge", draft_id=draft_id, save=aside.save_id), 303)
    except Wrong as wrong:
        return _calendar(form.wrong(wrong.problems), 422, draft_id)
    flash(_("The holidays are saved in the draft. Callers meet them once it is published."))
    return redirect(url_for("voice.calendar", draft=draft_id), 303)


def _calendar(form: Form, status: int = 200, draft_id: int | None = None) -> Response:
    draft_id = draft_id if draft_id is not None else _draft_id()
    draft: Draft | None = None
    with wiring().pool.connection() as conn:
        if draft_id is not None:
            draft = menus.draft(conn, draft_id).draft
            text: str | None = draft.yaml
        else:
            version = plans.live_version(conn)
            text = plans.yaml(conn, version) if version is not None else None
        listed = drafts.listed(conn)
    found = holidays.calendar(clean(text)) if text is not None else None
    shown = render_template(
        "voice/holidays.html", calendar=found, draft=draft, drafts=listed, form=form, today=_today()
    )
    return make_response(shown, status)


def _today() -> date:
    return wiring().clock().date()
