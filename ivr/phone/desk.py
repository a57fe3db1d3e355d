"""The desk: the page a person uses to call, hear, text and answer, and the JSON it polls."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request

from ivr.phone.call import WITHHELD, Call
from ivr.phone.desk_view import view
from ivr.phone.engine import Carrier, Crowd
from ivr.phone.story import StoryError, parse
from ivr.phone.ticker import Plays, Ticker

CALLERS = (
    ("+12025550143", "Mobile (202) 555-0143", "mobile"),
    ("+12125550187", "Second mobile (212) 555-0187", "mobile"),
    ("+13105550112", "Landline (310) 555-0112", "landline"),
    (WITHHELD, "Number withheld", "mobile"),
    ("sip:desk@pbx.example", "Office phone (SIP)", "mobile"),
)
SPEEDS = (1, 5)
SKIP_LIMIT_S = 180.0
MARK = "X-Test-Phone"
"""Every POST of the page carries this header: a foreign page cannot send it without asking first."""


class Wrong(Exception):
    """The page asked for something that is not there; the text is shown to the person."""


def desk(carrier: Carrier, ticker: Ticker, service_url: str) -> Blueprint:
    """The blueprint of the page. Its static files are served by the app."""
    pages = Blueprint("desk", __name__)
    for number, _, line_type in CALLERS:
        carrier.texts.handset(number).line_type = line_type

    @pages.after_app_request
    def harden(answer: Response) -> Response:
        answer.headers["Content-Security-Policy"] = (
            f"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
            f"media-src 'self' {service_url}; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
        )
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Referrer-Policy"] = "no-referrer"
        return answer

    @pages.get("/")
    def page() -> str:
        return render_template(
            "phone.html",
            callers=CALLERS,
            lines=list(carrier.lines.values()),
            mark=MARK,
            service_url=service_url,
            plan=_version(request.args.get("plan", "")),
            speed=ticker.speed,
        )

    @pages.get("/desk/state")
    def state() -> Response:
        args = request.args
        seen = view(carrier, args.get("call", ""), args.get("handset", ""), args.get("after", 0, int))
        return jsonify(seen | {"speed": ticker.speed})

    @pages.post("/desk/<order>")
    def act(order: str) -> tuple[Response, int]:
        if request.headers.get(MARK) != "1":
            return jsonify(problem="not from the phone's page"), 403
        body = request.get_json(silent=True)
        try:
            return jsonify(_act(order, body if isinstance(body, dict) else {}, carrier, ticker)), 200
        except Wrong as problem:
            return jsonify(problem=str(problem)), 400

    _stories(pages, carrier, ticker)
    return pages


def _call(carrier: Carrier, body: dict[str, Any]) -> Call:
    call = carrier.calls.get(str(body.get("call", "")))
    if call is None:
        raise Wrong("There is no such call.")
    return call


def _act(order: str, body: dict[str, Any], carrier: Carrier, ticker: Ticker) -> dict[str, Any]:
    orders: dict[str, Callable[[dict[str, Any], Carrier, Ticker], dict[str, Any] | None]] = {
        "call": _dial,
        "press": _press,
        "say": _say,
        "hang-up": _hang_up,
        "agent-answers": _agent_answers,
        "agent-hangs-up": _agent_hangs_up,
        "text": _text,
        "crowd": _crowd,
        "speed": _speed,
        "skip": _skip,
    }
    if order not in orders:
        raise Wrong("The phone cannot do that.")
    return orders[order](body, carrier, ticker) or {}


def _dial(body: dict[str, Any], carrier: Carrier, ticker: Ticker) -> dict[str, Any]:
    from_, to, arm = (str(body.get(name, "")) for name in ("from", "to", "arm"))
    if to not in carrier.lines:
        raise Wrong("That number is not one of ours.")
    if arm not in ("treat", "draw"):
        raise Wrong("The arm is `treat` or `draw`.")
    stir = "" if from_ == WITHHELD or from_.startswith("sip:") else "TN-Validation-Passed-A"
    plan = _version(str(body.get("plan", "")))
    return {"call": carrier.call(from_, to, arm=arm, stir=stir, plan=plan).sid}


def _version(given: str) -> str:
    """The version of a draft, "" for anything that is none."""
    return given if given.isascii() and given.isdigit() and len(given) <= 9 else ""


def _press(body: dict[str, Any], carrier: Carrier, ticker: Ticker) -> None:
    key = str(body.get("key", ""))
    if len(key) != 1 or key not in "0123456789*#":
        raise Wrong("A key is one of 0-9, * and #.")
    carrier.press(_call(carrier, body), key)


def _say(body: dict[str, Any], carrier: Carrier, ticker: Ticker) -> None:
    words = " ".join(str(body.get("words", "")).split())[:500]
    if words:
        carrier.say(_call(carrier, body), words, 0.9)


def _hang_up(body: dict[str, Any], carrier: Carrier, ticker: Ticker) -> None:
    carrier.hang_up(_call(carrier, body))


def _agent_answers(body: dict[str, Any], carrier: Carrier, ticker: Ticker) -> dict[str, Any]:
    name = str(body.get("queue", ""))
    if name not in carrier.queues:
        raise Wrong("There is no such queue.")
    return {"agent": carrier.agent_answers(name).sid}


def _agent_hangs_up(body: dict[str, Any], carrier: Carrier, ticker: Ticker) -> None:
    carrier.agent_hangs_up(_call(carrier, body))


def _text(body: dict[str, Any], carrier: Carrier, ticker: Ticker) -> None:
    from_, words = str(body.get("from", "")), str(body.get("body", ""))[:1600]
    if not from_.startswith("+") or from_ == WITHHELD:
        raise Wrong("This phone cannot send texts.")
    if words.strip():
        carrier.texts.reply(from_, words)


def _crowd(body: dict[str, Any], carrier: Carrier, ticker: Ticker) -> None:
    try:
        ahead, every_s = int(body.get("ahead", 0)), float(body.get("every_s", 0))
    except (TypeError, ValueError):
        raise Wrong("People ahead and seconds per call are numbers.") from None
    if not 0 <= ahead <= 50 or not 0 <= every_s <= 3600:
        raise Wrong("At most 50 people ahead, at most 3600 seconds per call.")
    carrier.crowd = Crowd(ahead, every_s or None)


def _speed(body: dict[str, Any], carrier: Carrier, ticker: Ticker) -> None:
    if body.get("speed") not in SPEEDS:
        raise Wrong("The speed is 1 or 5.")
    ticker.speed = float(body["speed"])


def _skip(body: dict[str, Any], carrier: Carrier, ticker: Ticker) -> None:
    """Go straight to the next thing that is spoken (or to the end of the call)."""
    call = _call(carrier, body)
    seen = len(call.heard)
    ticker.skip(lambda: call.over or any(line.kind == "say" for line in call.heard[seen:]), SKIP_LIMIT_S)


def _stories(pages: Blueprint, carrier: Carrier, ticker: Ticker) -> None:
    plays = Plays(carrier)

    @pages.post("/desk/stories")
    def tell() -> tuple[Response, int]:
        if request.headers.get(MARK) != "1":
            return jsonify(problem="not from the phone's page"), 403
        try:
            story = parse(request.get_data(as_text=True)[:200_000], request.args.get("name", "story"))
        except StoryError as problem:
            return jsonify(problems=problem.problems), 400
        return jsonify(id=plays.start(story, double=request.args.get("double") == "1")), 201

    @pages.get("/desk/stories/<int:place>")
    def told(place: int) -> tuple[Response, int]:
        seen = plays.seen(place, request.args.get("after", 0, int))
        return (jsonify(seen), 200) if seen is not None else (jsonify(problem="no such story"), 404)
