"""The audit log: who changed what, when and why, with what stood there before and after."""

from datetime import date

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response

from ivr.console import audited, changes
from ivr.console.changes import Wanted
from ivr.console.errors import Sentence, sentence
from ivr.web.console.forms import Form
from ivr.web.console.guards import page as for_role
from ivr.web.console.guards import wiring
from ivr.web.console.words import zone
from models import audit as log

audit = Blueprint("audit", __name__)


@audit.get("/audit")
@for_role("admin")
def page() -> Response:
    """One page of the log, filtered."""
    form = Form(request.args.to_dict())
    wanted, problems = _wanted(form)
    with wiring().pool.connection() as conn:
        found, more = changes.find(conn, wanted, zone())
        people, kinds = log.people(conn), log.kinds(conn)
    older = {**form.values, "below": found[-1].entry.id} if more else None
    body = render_template(
        "audit/page.html",
        form=form.wrong(problems),
        audited=audited,
        changes=found,
        older=older,
        people=[(who, name or who) for who, name in people],
        kinds=kinds,
        groups=sorted({kind.partition(".")[0] for kind in kinds}),
    )
    return make_response(body, 422 if problems else 200)


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

    below = form["below"]
    number = int(below) if below.isascii() and below.isdigit() and len(below) < 18 else None
    return Wanted(form["who"] or None, form["what"] or None, day("since"), day("until"), number), problems
