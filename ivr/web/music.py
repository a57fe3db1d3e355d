"""The hold music's files and what people recorded. The carrier fetches each once: a name says its content, so it never
changes."""

from contextlib import suppress

from flask import Blueprint, Response, abort, redirect
from werkzeug.wrappers import Response as AnyResponse

from ivr.recorded import cut_out, hash_in, is_name
from ivr.web.guards import wiring
from models import recordings
from models.db import DatabaseAway

music = Blueprint("music", __name__)

A_YEAR_S = 31_536_000


@music.get("/audio/<name>.wav")
def clip(name: str) -> AnyResponse:
    """A clip by the hash of its content.

    A document of one process may name what another has not heard of yet, or not any more: a recording is then looked
    for in the database. While a new version is rolled out that may be a clip: the caller hears ours instead of nothing.
    """
    body = wiring().audio.file(name)
    if body is None:
        if not is_name(name):
            abort(404)
        body = _kept(name)
    if body is None:
        return redirect(wiring().audio.paths(20)[0], 302)
    response = Response(body, mimetype="audio/wav")
    response.headers["Cache-Control"] = f"public, max-age={A_YEAR_S}, immutable"
    response.set_etag(name)
    return response


def _kept(name: str) -> bytes | None:
    with suppress(DatabaseAway), wiring().pool.connection() as conn:
        found = recordings.sound(conn, hash_in(name))
        return cut_out(name, {hash_in(name): found}) if found is not None else None
    return None
