"""Whether this process lives, and whether it could take a call now."""

from flask import Blueprint, Response, jsonify
from werkzeug.wrappers import Response as AnyResponse

from ivr import ready
from ivr.web.guards import wiring
from ivr.web.pages import page

health = Blueprint("health", __name__)


@health.get("/")
def front() -> AnyResponse:
    """What stands here, for whoever opens the address by hand."""
    settings = wiring().settings
    words = "This address answers phone calls and texts. Callers reach their article by the link in their text."
    if settings.test_phone == "on":
        desk = f"http://127.0.0.1:{settings.phone_port}/"
        call = "Take a call on the test phone"
        return page("message.html", title="Offhold", words=words, staff="/console/", back=desk, back_title=call)
    return page("message.html", title="Offhold", words=words, staff="/console/")


@health.get("/healthz")
def healthz() -> Response:
    """The process answers. Says nothing about its stores."""
    return Response("ok\n", mimetype="text/plain", headers={"Cache-Control": "no-store"})


@health.get("/readyz")
def readyz() -> Response:
    """Each part with what is wrong with it, and the index this process serves; 503 when a part is wrong that calls
    cannot do without."""
    found = ready.problems(wiring())
    version = wiring().finders.version
    parts = {name: problem or "ok" for name, problem in found.items()}
    answer = jsonify(parts | ({"index_version": version} if version else {}))
    answer.status_code = 503 if any(found[name] for name in found if name not in ready.LOSABLE) else 200
    answer.headers["Cache-Control"] = "no-store"
    return answer
