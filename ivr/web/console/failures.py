"""A page in words for what went wrong: what happened, what to do, a number to quote."""

import secrets

import structlog
from flask import Flask, current_app, make_response, render_template, request
from psycopg import DataError, OperationalError
from psycopg_pool import PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from ivr.console.errors import Missing
from ivr.web.console import forms
from ivr.web.console.guards import SAFE, staff_or_none
from ivr.web.console.words import gettext as _

log = structlog.get_logger()


def _page(status: int, title: str, words: str, number: str = "") -> Response:
    shown = render_template("console/message.html", title=title, words=words, number=number, typed=_typed(status))
    return make_response(shown, status)


def _typed(status: int) -> list[tuple[str, str]]:
    """What was typed, where a form of somebody signed in was not taken; without a database nobody knows who."""
    if request.method in SAFE or not (staff_or_none() or status == 503):
        return []
    try:
        return forms.typed()
    except HTTPException:  # it cannot be read, or is too long even for that
        return []


def _http(error: HTTPException) -> Response:
    match error.code:
        case 400:
            return _page(400, _("That could not be read"), _("Go back, load the page anew and try again."))
        case 403:
            return _page(
                403,
                _("This is not for your role"),
                _("Ask someone whose role it is, or an administrator for another role."),
            )
        case 404:
            return _page(404, _("There is no page here"), _("The address may be misspelt, or what it led to is gone."))
        case 405:
            return _page(405, _("This page cannot be used that way"), _("Go back and try again."))
        case 413:
            if request.mimetype == "application/x-www-form-urlencoded":  # not read so far: once more, to show it again
                request.max_content_length = current_app.config["MAX_CONTENT_LENGTH"]
            return _page(413, _("That was too much at once"), _("A form takes 2 MB of text, an upload 16 MB."))
        case 429:
            return _page(
                429, _("One moment, please"), _("That was tried too often. Wait a few minutes, then try again.")
            )
    return _page(error.code or 500, _("That did not work"), _("Go back and try again."))


def _missing(_error: Missing) -> Response:
    return _page(404, _("There is no page here"), _("The address may be misspelt, or what it led to is gone."))


def _not_data(_error: DataError) -> Response:
    """A zero byte, or a number that is too great: nothing of ours has such a name."""
    return _page(404, _("There is no page here"), _("The address may be misspelt, or what it led to is gone."))


def _database_away(error: Exception) -> Response:
    log.warning("console_without_database", endpoint=request.endpoint, why=type(error).__name__)
    return _page(
        503,
        _("The database does not answer"),
        _("Calls are kept in their queues meanwhile. Wait a minute and load the page again; nothing is lost."),
    )


def _failed(error: Exception) -> Response:
    number = secrets.token_hex(4)
    log.error("console_failed", endpoint=request.endpoint, number=number, exc_info=error)
    return _page(
        500,
        _("Something went wrong on our side"),
        _("Nothing was changed. Try again; if it stays like this, tell the operator this number:"),
        number,
    )


def install(app: Flask) -> None:
    """Pages for what no view caught."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Missing, _missing)
    app.register_error_handler(DataError, _not_data)
    app.register_error_handler(PoolTimeout, _database_away)
    app.register_error_handler(OperationalError, _database_away)
    app.register_error_handler(Exception, _failed)
