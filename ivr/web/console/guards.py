"""What stands before a view of the console. Deny by default: a view says the least role it is for, or "public".

Order for an unsafe request: who is it (401), may they (403), does the form come from us (400).
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from flask import Flask, abort, current_app, g, redirect, request, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.wrappers import Response

from ivr.console.roles import SUFFICES, Staff
from ivr.web.console import forms, sessions
from ivr.web.guards import wiring

__all__ = ["LEAST", "PUBLIC", "page", "public", "staff", "staff_or_none", "wiring"]

LEAST = "least_role"
PUBLIC = "public"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

_P = ParamSpec("_P")
_R = TypeVar("_R")


def page(least: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """The least role a view is for: viewer, editor, finance or admin. Stands directly above the function."""
    assert least in SUFFICES, least

    def mark(view: Callable[_P, _R]) -> Callable[_P, _R]:
        setattr(view, LEAST, least)
        return view

    return mark


def public(view: Callable[_P, _R]) -> Callable[_P, _R]:
    """A view for those who are not signed in: the ways in only."""
    setattr(view, LEAST, PUBLIC)
    return view


def staff() -> Staff:
    """Who sends this request."""
    found = staff_or_none()
    assert found is not None, "a public view has nobody"
    return found


def staff_or_none() -> Staff | None:
    """Who sends this request; None on a public page opened by nobody."""
    found: Staff | None = g.get("staff")
    return found


def least_role(app: Flask, endpoint: str) -> str | None:
    """What the view of an endpoint is marked with; None: with nothing."""
    if endpoint == "static":
        return PUBLIC
    mark: str | None = getattr(app.view_functions[endpoint], LEAST, None)
    return mark


def _admit() -> Response | None:
    if request.endpoint is None:  # no such page, or not by this method: the error page says so
        return None
    if request.mimetype == "application/x-www-form-urlencoded":  # the framework bounds multipart fields only
        request.max_content_length = current_app.config["MAX_FORM_MEMORY_SIZE"]
    least = least_role(current_app, request.endpoint)
    if request.endpoint == "static":
        return None
    g.staff = sessions.current()
    if least == PUBLIC:
        return None
    if least is None:
        abort(403)
    if g.staff is None:
        return _to_sign_in()
    if not g.staff.may(least):
        abort(403)
    return None


def _to_sign_in() -> Response:
    if request.method not in SAFE:
        return forms.kept(401)
    to = url_for("entry.sign_in", next=request.full_path.rstrip("?"))
    if request.headers.get("HX-Request"):  # a part of a page cannot be replaced by the sign-in page
        return Response(status=401, headers={"HX-Redirect": to})
    return redirect(to, 303)


def _not_ours(_: CSRFError) -> Response:
    return forms.kept(400)


def install(app: Flask) -> None:
    """Every request passes here first."""
    app.before_request(_admit)
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # the session ends before any form gets too old
    app.config["WTF_CSRF_SSL_STRICT"] = False  # which host is ours only the proxy knows; the token is enough
    CSRFProtect(app)
    app.register_error_handler(CSRFError, _not_ours)
