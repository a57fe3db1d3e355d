"""What stands before a view of the API. Deny by default: a view says the scope it is for, or that it is public."""

import json
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from flask import Flask, Response, current_app, g, request

from ivr.console import tokens
from ivr.console.tokens import Caller
from ivr.web.guards import wiring

__all__ = ["PUBLIC", "SCOPE", "caller", "needed_scope", "problem", "public", "token", "wiring"]

SCOPE = "needed_scope"
PUBLIC = "public"

_P = ParamSpec("_P")
_R = TypeVar("_R")


def token(scope: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """The scope a token needs for a view: one of `ivr.console.roles.SCOPES`. Stands directly above the function."""

    def mark(view: Callable[_P, _R]) -> Callable[_P, _R]:
        setattr(view, SCOPE, scope)
        return view

    return mark


def public(view: Callable[_P, _R]) -> Callable[_P, _R]:
    """A view for everybody: what the API is."""
    setattr(view, SCOPE, PUBLIC)
    return view


def caller() -> Caller:
    """The program that sends this request."""
    found: Caller = g.caller
    return found


def needed_scope(app: Flask, endpoint: str) -> str | None:
    """What the view of an endpoint is marked with; None: with nothing."""
    mark: str | None = getattr(app.view_functions[endpoint], SCOPE, None)
    return mark


def problem(status: int, error_id: str, title: str, detail: str = "", **more: object) -> Response:
    """An answer as RFC 9457 has it. `error_id` never changes, programs rely on it."""
    body = {"type": f"urn:offhold:error:{error_id}", "id": error_id, "title": title, "status": status, **more}
    if detail:
        body["detail"] = detail
    return Response(json.dumps(body), status, mimetype="application/problem+json")


def _admit() -> Response | None:
    if request.endpoint is None:
        return None
    scope = needed_scope(current_app, request.endpoint)
    if scope == PUBLIC:
        return None
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    found = None
    if kind.lower() == "bearer" and given.strip():
        with wiring().pool.connection() as conn:
            found = tokens.caller(conn, wiring(), given.strip())
    if found is None:
        answer = problem(401, "token_wrong", "A token is needed", "Send it as `Authorization: Bearer offhold_...`.")
        answer.headers["WWW-Authenticate"] = 'Bearer realm="Offhold"'
        return answer
    if scope is None or not found.may(scope):
        return problem(403, "scope_missing", "The token is not for this", f"It needs the scope {scope}.")
    g.caller = found
    return None


def _hardened(response: Response) -> Response:
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def install(app: Flask) -> None:
    """Every request passes here first."""
    app.before_request(_admit)
    app.after_request(_hardened)
