"""Settings: when offers are made, how sure they are, who hears none, and how many texts go out. All of it is part of
the menu, so it changes in a draft."""

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ivr import gate
from ivr.console import menus, offer_rules, sureness
from ivr.console.actors import at_console
from ivr.console.errors import Wrong
from ivr.console.menus import SetAside
from ivr.planfile.document import Unreadable, clean
from ivr.planfile.offers import RANGES
from ivr.web.console import forms
from ivr.web.console.forms import Form
from ivr.web.console.guards import page as for_role
from ivr.web.console.guards import staff, wiring
from ivr.web.console.settings import settings
from ivr.web.console.words import gettext as _
from models import drafts, plans
from models.drafts import Draft

__all__ = ["settings"]


@settings.get("/settings/offers")
@for_role("admin")
def offers() -> Response:
    """The rules of the live menu, or of a draft."""
    return _page(None)


@settings.post("/settings/offers")
@for_role("admin")
def change_offers() -> Response:
    """Put them into the draft the form is of; into a new one where it is of the live menu."""
    form = forms.posted()
    revision = int(form["revision"]) if form["revision"].isdecimal() and len(form["revision"]) < 10 else -1
    try:
        with wiring().pool.connection() as conn:
            typed = {name: str(value) for name, value in form.values.items()}
            made = offer_rules.change(conn, wiring(), at_console(staff()), _draft_id(), revision, typed)
    except SetAside as aside:
        return redirect(url_for("menus.merge", draft_id=_draft_id(), save=aside.save_id), 303)
    except Wrong as wrong:
        return _page(form.wrong(wrong.problems), 422)
    flash(_("The rules are saved in the draft. Callers meet them once it is published."))
    return redirect(url_for("settings.offers", draft=made), 303)


@settings.post("/settings/offers/weeks")
@for_role("admin")
def look_ahead() -> Response:
    """How long a share takes to measure anything; saves nothing. The table alone for a script, else all as typed."""
    form = forms.posted()
    if request.headers.get("HX-Request") != "true":
        return _page(form)
    share = offer_rules.share_of({"holdout_share": form["holdout_share"]})
    with wiring().pool.connection() as conn:
        weeks = offer_rules.weeks(conn, wiring(), share)
    return make_response(render_template("settings/weeks.html", weeks=weeks, share=share))


def _draft_id() -> int | None:
    given = request.values.get("draft", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None


def _page(form: Form | None, status: int = 200) -> Response:
    with wiring().pool.connection() as conn:
        draft_id, draft, version = _draft_id(), None, plans.live_version(conn)
        if draft_id is not None:
            draft = menus.draft(conn, draft_id).draft
        text = draft.yaml if draft else plans.yaml(conn, version) if version is not None else None
        found = _rules(text)
        form = form or Form(found or {})
        share = offer_rules.share_of({"holdout_share": form["holdout_share"]})
        weeks = offer_rules.weeks(conn, wiring(), share)
        sure = sureness.sureness(conn, wiring(), form["wrong_share"])
        others: list[Draft] = drafts.listed(conn)
    shown = render_template(
        "settings/offers.html", form=form, found=found, draft=draft, drafts=others, weeks=weeks, share=share,
        sure=sure, least_calls=gate.LEAST_CALLS,
        waiting=offer_rules.WAITING, caps=offer_rules.CAPS, quiet=offer_rules.QUIET,
        ranges=RANGES, shares=offer_rules.SHARES,
    )  # fmt: skip
    return make_response(shown, status)


def _rules(text: str | None) -> dict[str, str] | None:
    """None: there is no menu, or it cannot be read."""
    try:
        return offer_rules.rules(clean(text)) if text is not None else None
    except Unreadable:
        return None
