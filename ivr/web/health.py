"""Whether this process lives, and whether it could take a call now."""

from flask import Blueprint, Response, jsonify

from ivr import ready
from ivr.web.guards import wiring

health = Blueprint("health", __name__)


@health.get("/healthz")
def healthz() -> Response:
    """The process answers. Says nothing about its stores."""
    return Response("ok\n", mimetype="text/plain", headers={"Cache-Control": "no-store"})


@health.get("/readyz")
def readyz() -> Response:
    """Each part with what is wrong with it; 503 when one is wrong that calls cannot do without."""
    found = ready.problems(wiring())
    answer = jsonify({name: problem or "ok" for name, problem in found.items()})
    answer.status_code = 503 if any(found[name] for name in found if name not in ready.LOSABLE) else 200
    answer.headers["Cache-Control"] = "no-store"
    return answer
