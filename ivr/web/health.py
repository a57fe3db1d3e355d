"""Whether this process lives, whether it could take a call now, what it is, and how it does."""

from flask import Blueprint, Response, abort, current_app, jsonify, request
from werkzeug.wrappers import Response as AnyResponse

from ivr import ready
from ivr.watching import asked, figures
from ivr.watching.exposition import CONTENT_TYPE, Exposition
from ivr.watching.together import Together
from ivr.web.guards import wiring
from ivr.web.pages import page
from models import schema

TOGETHER = "offhold_together"  # the other processes of this server, where there are any
EXPOSITION = "offhold_exposition"

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
    cannot do without, and from SIGTERM on: nothing new is to come here."""
    found = ready.problems(wiring())
    if (others := _together()) is not None and others.stopping:
        found = {"stopping": "it was told to stop", **found}
    version = wiring().finders.version
    parts = {name: problem or "ok" for name, problem in found.items()}
    answer = jsonify(parts | ({"index_version": version} if version else {}))
    answer.status_code = 503 if any(found[name] for name in found if name not in ready.LOSABLE) else 200
    answer.headers["Cache-Control"] = "no-store"
    return answer


@health.get("/version")
def version() -> Response:
    """What is deployed here: revision and schema of the code, menu and index that this process serves."""
    plan = wiring().plans.known()
    answer = jsonify(
        revision=wiring().settings.revision,
        schema=schema.head(),
        plan=plan.version if plan else None,
        index=wiring().finders.version,
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@health.get("/metrics")
def metrics() -> Response:
    """The figures of all processes of this server, for Prometheus."""
    if not asked.may_see(wiring().settings, request.remote_addr or "", request.headers):
        abort(404)
    others = _together()
    processes = others.all() if others is not None else {"web": figures.families()}
    exposition: Exposition = current_app.extensions[EXPOSITION]
    return Response(exposition.text(processes), content_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})


def _together() -> Together | None:
    found: Together | None = current_app.extensions.get(TOGETHER)
    return found
