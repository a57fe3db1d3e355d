"""The hold music's files. The carrier fetches each once: a name says its content, so it never changes."""

from flask import Blueprint, Response, abort, redirect
from werkzeug.wrappers import Response as AnyResponse

from ivr.web.guards import wiring

music = Blueprint("music", __name__)

A_YEAR_S = 31_536_000


@music.get("/audio/<name>.wav")
def clip(name: str) -> AnyResponse:
    """A clip by the hash of its content.

    While a new version is rolled out, a document of one process may name a clip that another does not have:
    that caller hears ours instead of nothing.
    """
    audio = wiring().audio
    body = audio.file(name)
    if body is None:
        if len(name) != 20 or not name.isalnum():
            abort(404)
        return redirect(audio.paths(20)[0], 302)
    response = Response(body, mimetype="audio/wav")
    response.headers["Cache-Control"] = f"public, max-age={A_YEAR_S}, immutable"
    response.set_etag(name)
    return response
