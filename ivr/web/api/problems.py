"""Everything the API can refuse, by ids that never change, and how errors become such answers (RFC 9457)."""

import secrets

import structlog
from flask import Flask, Response, request
from psycopg import OperationalError
from psycopg_pool import PoolTimeout
from pydantic import BaseModel, ConfigDict, ValidationError
from werkzeug.exceptions import HTTPException

from ivr.console.errors import Conflict, Missing, Wrong
from ivr.console.menus import SetAside
from ivr.web.api.guards import problem
from models.db import DatabaseAway

log = structlog.get_logger()

#: id -> (status, title, what it means); the list in docs/api.md
ERRORS: dict[str, tuple[int, str, str]] = {
    "request_malformed": (400, "The request is not as described", "It does not fit the schema: `problems` says where."),
    "token_wrong": (401, "A token is needed", "No token, or one that is not known or was revoked."),
    "scope_missing": (403, "The token is not for this", "`detail` names the scope it needs."),
    "not_found": (404, "There is no such thing", "What the address names is not there, or not any more."),
    "no_such_address": (404, "There is no such address", "Nothing of the API is at this address."),
    "method_not_allowed": (405, "Not by this method", "The header `Allow` lists the methods."),
    "conflict": (409, "Someone else was quicker", "Read it again, then decide."),
    "set_aside": (
        409,
        "Someone saved first, in the same places",
        "The text is kept as `save_id`; a person puts the two together at the console.",
    ),
    "body_too_large": (413, "The body is too large", "2 MiB at most."),
    "not_json": (415, "Send JSON", "The body's type must be `application/json`."),
    "refused": (422, "This cannot be done", "`problems` says what is wrong, field by field."),
    "key_reused": (422, "This Idempotency-Key was used for something else", "Take a new key for a new request."),
    "too_many_requests": (
        429,
        "Too many requests",
        "600 a minute for each token, 30 wrong tokens a minute from one address; see the header `Retry-After`.",
    ),
    "internal": (500, "Something went wrong on our side", "Our log has more under the `number` of the answer."),
    "unavailable": (503, "Not now", "The database does not answer. Calls go on; try again in a minute."),
}


class FieldProblem(BaseModel):
    """One thing that is wrong. `field` "" is the whole request; inner fields are joined by dots."""

    field: str
    words: str


class Problem(BaseModel):
    """What every error looks like. Go by `id`: it never changes."""

    model_config = ConfigDict(extra="allow")

    type: str
    id: str
    title: str
    status: int
    detail: str | None = None
    problems: list[FieldProblem] | None = None


def told(error_id: str, detail: str = "", **more: object) -> Response:
    """The answer for one of `ERRORS`."""
    status, title, _ = ERRORS[error_id]
    return problem(status, error_id, title, detail, **more)


def malformed(error: ValidationError) -> Response:
    """The answer to what does not fit its model."""
    found = [
        {"field": ".".join(str(part) for part in one["loc"]), "words": one["msg"]}
        for one in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    return told("request_malformed", problems=found[:50])


def _wrong(error: Wrong) -> Response:
    found = [{"field": name, "words": str(words)} for name, words in error.problems.items()]
    return told("conflict" if isinstance(error, Conflict) else "refused", problems=found)


def _set_aside(error: SetAside) -> Response:
    return told("set_aside", save_id=error.save_id)


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    by_status = {404: "no_such_address", 405: "method_not_allowed", 413: "body_too_large", 415: "not_json"}
    answer = told(by_status.get(status, "request_malformed" if status < 500 else "internal"))
    for name, value in error.get_headers():
        if name == "Allow":
            answer.headers[name] = value
    return answer


def _away(_: Exception) -> Response:
    return told("unavailable")


def _failed(error: Exception) -> Response:
    number = secrets.token_hex(4)
    log.error("api_failed", operation=request.endpoint, number=number, exc_info=error)
    return told("internal", number=number)


def install(app: Flask) -> None:
    """No error leaves as anything else."""
    app.register_error_handler(ValidationError, malformed)
    app.register_error_handler(Wrong, _wrong)
    app.register_error_handler(SetAside, _set_aside)
    app.register_error_handler(Missing, lambda _: told("not_found"))
    app.register_error_handler(HTTPException, _http)
    for away in (DatabaseAway, PoolTimeout, OperationalError):
        app.register_error_handler(away, _away)
    app.register_error_handler(Exception, _failed)
