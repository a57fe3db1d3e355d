"""Finance: savings, the funnel, statements and their closing, rates, contacts, and from a figure to its evidence."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ivr import signing, statement_files, statements
from ivr.console import finance as figures
from ivr.console.actors import at_console
from ivr.console.errors import Missing, Sentence, Wrong
from ivr.ledger.rates import PRICES
from ivr.ledger.statement_words import GROUPS, KINDS, NO_QUEUE
from ivr.statement_files import FORMATS
from ivr.statement_files.cells import shown
from ivr.web.console import findings, forms
from ivr.web.console.charts import bands, columns
from ivr.web.console.forms import Form
from ivr.web.console.guards import page as for_role
from ivr.web.console.guards import public, staff, wiring
from ivr.web.console.words import gettext as _
from ivr.web.console.words import said
from models import contacts as imports
from models import erase, periods
from models import rates as cards
from models import statements as kept
from models.funnel import SPLITS

finance = Blueprint("finance", __name__)

#: what the form of rates begins with before there is a card: where figures go, and none of them
FIRST_CARD = """\
# Take the # away where you know a figure. Each has an owner and a source; what nobody enters is in no sum.
window_days: 7                     # a contact again within so many days takes a saving back: 1, 3 or 7
spans:
  - from: 2026-01-01
    currency: USD
    agents:                        # what a contact costs, by queue
      # billing: {cost: 0.00, minutes: 0, owner: NAME, source: WHERE}
      # others: {per_hour: 0.00, minutes: 0, occupancy: 0.85, shrinkage: 0.30, owner: NAME, source: WHERE}
    # prices:                      # message, carrier_fee, failed_message, reply, lookup, speech, ...
    #   message: {value: 0.0000, owner: NAME, source: the carrier's invoice}
    # monthly:
    #   hosting: {value: 0, owner: NAME, source: WHERE}
    # cashable: {value: 0, owner: NAME, source: WHERE}     # the share of capacity that turns into money
    # gave_up: {value: 0, owner: NAME, source: WHERE}      # who hangs up anyway, until the holdout can tell
"""

#: what part of a figure's evidence an address asks for
ASKED = ("queue", "currency", "week", "share", "arm", "contacted")

_BY_LABEL = {label: kind.value for kind, label in KINDS.items()} | {words: name for name, words in GROUPS.items()}


@finance.app_template_filter("cell_of")
def _cell(row: Sequence[Any], section: str, column: int) -> str:
    """A cell of a statement in the page's language; what a site calls its queues and channels stays."""
    text = shown(row[column])
    theirs = section.startswith("lines-") and column == 1 and text != NO_QUEUE
    theirs = theirs or (section == "first" and column == 0 and text != statements.OUR_CALLS)
    return text if theirs else said(text, findings.STATEMENT)


@finance.app_template_global("evidence_of")
def evidence_of(section: str, label: str) -> str | None:
    """The figure that a line of a statement rests on, as the dictionary calls it."""
    if section.startswith("lines-"):
        return _BY_LABEL.get(label)
    if section in ("numbers", "capacity", "payback"):
        return next(
            (key for word, key in (("Ledger", "net"), ("Naive", "naive"), ("Cost of", "costs")) if word in label),
            "minutes" if "minutes" in label or "hours" in label else "incremental",
        )
    return None


@finance.app_template_global("queue_of")
def queue_of(section: str, row: Sequence[Any]) -> str | None:
    """The queue that a line of the books is of; None for a sum, and elsewhere."""
    if not section.startswith("lines-") or row[1] == "":
        return None
    return "" if row[1] == NO_QUEUE else str(row[1])


@finance.app_template_global("currency_of")
def currency_of(section: str) -> str | None:
    """The currency that a part of the books is in, "" without a price; None elsewhere."""
    if not section.startswith("lines-"):
        return None
    return "" if section == "lines-none" else section.removeprefix("lines-")


@finance.get("/savings")
@for_role("finance")
def page() -> Response:
    """A month's three numbers, what it cost, and what turns into cash."""
    with wiring().pool.connection() as conn, erase.unhurried(conn):
        known = statements.months(wiring(), conn)
        month = _asked(known)
        document = statements.document(wiring(), conn, month)
        nets = figures.nets(conn)
    content = document.content
    parts = {part["key"]: part for part in content["sections"]}
    body = render_template(
        "finance/savings.html",
        months=known,
        month=month,
        content=content,
        signed=document.signature is not None,
        sheet=parts,
        chart=bands(content["figures"]),
        nets=nets,
        net_chart=columns([figures.in_units(one.net) for one in nets]),
        in_units=figures.in_units,
    )
    return make_response(body)


@finance.get("/funnel")
@for_role("finance")
def funnel() -> Response:
    """How far callers came, treated beside held out."""
    by = request.args.get("by", "queue")
    with wiring().pool.connection() as conn, erase.unhurried(conn):
        known = statements.months(wiring(), conn)
        month = _asked(known)
        steps = figures.steps(wiring(), conn, month, by)
    splits = {"queue": _("Queue"), "leaf": _("Leaf"), "article": _("Article"), "week": _("Week")}
    assert splits.keys() == SPLITS.keys()
    return make_response(
        render_template("finance/funnel.html", months=known, month=month, by=by, steps=steps, splits=splits)
    )


@finance.get("/statements")
@for_role("finance")
def all_statements() -> Response:
    """Every month, open or closed."""
    with wiring().pool.connection() as conn:
        known = statements.months(wiring(), conn)
        closed = {one.month: one for one in periods.closed(conn)}
        signed = {one.month: one for one in kept.all_signed(conn)}
    key = signing.text(signing.public_key(wiring().settings.signing_key()))
    return make_response(
        render_template("finance/statements.html", months=known, closed=closed, signed=signed, key=key)
    )


@finance.get("/statements/<month>")
@for_role("finance")
def statement(month: str) -> Response:
    """A month's statement as every file has it."""
    return _statement(figures.month_or_missing(month), Form())


@finance.post("/statements/<month>/close")
@for_role("finance")
def close(month: str) -> Response:
    """Close it for good."""
    first, form = figures.month_or_missing(month), forms.posted()
    try:
        with wiring().pool.connection() as conn:
            figures.close(wiring(), conn, at_console(staff()), first, form["why"])
    except Wrong as wrong:
        return _statement(first, form.wrong(wrong.problems), 422)
    flash(_("The month is closed and signed. It will never change."))
    return redirect(url_for("finance.statement", month=month), 303)


@finance.get("/statements/<month>/file.<form>")
@for_role("finance")
def file(month: str, form: str) -> Response:
    """The statement as a file."""
    if form not in FORMATS:
        raise Missing(f"there is no format {form}")
    first = figures.month_or_missing(month)
    with wiring().pool.connection() as conn, erase.unhurried(conn):
        document = statements.document(wiring(), conn, first)
    answer = make_response(statement_files.write(document, form))
    answer.headers["Content-Type"] = FORMATS[form][1]
    answer.headers["Content-Disposition"] = f'attachment; filename="{statement_files.name(document, form)}"'
    return answer


def _statement(month: date, form: Form, status: int = 200) -> Response:
    with wiring().pool.connection() as conn, erase.unhurried(conn):
        document = statements.document(wiring(), conn, month)
        objections = [] if document.signature else figures.objections(wiring(), conn, at_console(staff()), month)
    body = render_template(
        "finance/statement.html",
        month=month,
        content=document.content,
        signature=document.signature,
        objections=objections,
        form=form,
        formats=list(FORMATS),
    )
    return make_response(body, status)


@finance.get("/evidence/<month>/<figure>")
@for_role("finance")
def evidence(month: str, figure: str) -> Response:
    """What a figure rests on: its formula, versions and rows; each row leads to its call."""
    first = figures.month_or_missing(month)
    with wiring().pool.connection() as conn, erase.unhurried(conn):
        found = figures.evidence(wiring(), conn, first, figure, figures.asked(request.args))
    asked = {name: request.args[name] for name in ASKED if name in request.args}
    return make_response(render_template("finance/evidence.html", found=found, asked=asked, in_units=figures.in_units))


@finance.get("/metrics")
@for_role("finance")
def metrics() -> Response:
    """Every figure with its formula, from the code's own words."""
    return make_response(render_template("finance/metrics.html", figures=figures.FIGURES.values()))


@finance.get("/rates")
@for_role("finance")
def rates() -> Response:
    """The rate card that stands, its history, and the next one."""
    return _rates(None)


@finance.post("/rates")
@for_role("finance")
def publish() -> Response:
    """Publish the next one."""
    form = forms.posted()
    try:
        with wiring().pool.connection() as conn:
            version = figures.publish(wiring(), conn, at_console(staff()), str(form.value("yaml")), form["why"])
    except Wrong as wrong:
        return _rates(form.wrong(wrong.problems), 422)
    flash(_("Rate card %(version)s stands. Open months are booked by it from the next settlement on.", version=version))
    return redirect(url_for("finance.rates"), 303)


def _rates(form: Form | None, status: int = 200) -> Response:
    with wiring().pool.connection() as conn:
        found, history = figures.card(conn), cards.history(conn)
    if form is None:
        form = Form({"yaml": found[0].yaml if found else FIRST_CARD})
    names: dict[str, str | Sentence] = {**PRICES}
    body = render_template(
        "finance/rates.html",
        form=form,
        card=found[1] if found else None,
        history=history,
        names=names,
        in_units=figures.in_units,
    )
    return make_response(body, status)


@finance.get("/contacts")
@for_role("finance")
def contacts() -> Response:
    """What other channels told, and the rows that could not be read."""
    chosen = request.args.get("parked", "")
    with wiring().pool.connection() as conn:
        found = imports.imports(conn)
        feeds = imports.feeds(conn)
        parked = imports.parked(conn, int(chosen)) if chosen.isascii() and chosen.isdigit() else []
    return make_response(render_template("finance/contacts.html", imports=found, feeds=feeds, parked=parked))


@finance.get("/finance/key")
@public
def key() -> Response:
    """The public key that checks signed statements."""
    answer = make_response(signing.text(signing.public_key(wiring().settings.signing_key())) + "\n")
    answer.headers["Content-Type"] = "text/plain; charset=utf-8"
    return answer


def _asked(known: list[date]) -> date:
    """The month that the request is for; the newest by default."""
    asked = request.args.get("month", "")
    return figures.month_or_missing(asked) if asked else known[0]
