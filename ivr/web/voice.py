"""Voice webhooks: parse, one call, render. Answered within the same request; a failing view holds the
place.
"""

from urllib.parse import urlsplit

import structlog
from flask import Blueprint, Response, request

from ivr import landing
from ivr.call.plan import Plan
from ivr.call.prompts import ConnectAgent, HangUp, Prompt, Say
from ivr.call.wording import words
from ivr.carrier import happened, inbound, standby
from ivr.carrier.happened import MakeEvent
from ivr.carrier.twiml import EMPTY
from ivr.places import Crowded
from ivr.turn import ANSWER_WITHIN_S, UnknownCall, agent_came, start_call, take_turn
from ivr.watching import webhooks
from ivr.web import errors
from ivr.web.errors import no_content, twiml
from ivr.web.guards import signed_by_carrier, wiring

log = structlog.get_logger()

voice = Blueprint("voice", __name__, url_prefix="/voice")
voice.before_request(signed_by_carrier)

TOKEN_HEADER = "I-Twilio-Idempotency-Token"
_WITH_TURN = frozenset({"/voice/closed", "/voice/hold-key", "/voice/overflow"})


def _turn() -> int:
    """The turn that an action address names; -1, which is nobody's turn, where it names none."""
    given = request.args.get("turn", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) <= 9 else -1


def _mark() -> str:
    return inbound.mark(request.form, request.headers.get(TOKEN_HEADER))


def _take(make_event: MakeEvent, turn: int | None = None) -> str:
    sid = inbound.call_sid(request.form)
    if sid is None:
        raise UnknownCall("no CallSid")
    _nothing_waits(sid)
    caller = inbound.caller_number(request.form)
    return take_turn(wiring(), sid, make_event, turn=turn, mark=_mark(), from_number=caller)


def _nothing_waits(sid: str) -> None:
    if wiring().spool.holds(sid):
        raise landing.Waiting(sid)


def failed(error: Exception) -> Response:
    """A webhook that could not be taken is kept where that is of use, and the caller keeps the place."""
    _keep(error)
    return errors.voice_failed(error)


def _keep(error: Exception) -> None:
    try:
        turn = _turn() if request.path in _WITH_TURN else None
        kept = landing.keep(wiring(), error, request.path, turn, _mark(), request.form)
        if kept and not isinstance(error, Crowded):  # the line of the webhook says so
            log.info("webhook_kept", path=request.path, call_sid=inbound.call_sid(request.form))
    except Exception:  # the answer goes out whatever becomes of it
        log.exception("webhook_not_kept", path=request.path)


voice.register_error_handler(Exception, failed)


def _for_wait(document: str) -> str:
    if standby.fits_wait(document):
        return document
    return standby.safe_hold(wiring().settings.public_base_url, wiring().audio)


@voice.post("/incoming")
def incoming() -> Response:
    """A call comes in."""
    arrived = inbound.incoming(request.form)
    if arrived is None:
        raise UnknownCall("no CallSid")
    _nothing_waits(arrived.call_sid)
    return twiml(start_call(wiring(), arrived))


@voice.post("/menu")
@voice.post("/describe")
@voice.post("/returning")
@voice.post("/closed")
def answer() -> Response:
    """The answer to a question outside the queue: keys, words or silence. The call knows which question it
    was.
    """
    return twiml(_take(happened.answer(request.form), _turn()))


@voice.post("/hold")
def hold() -> Response:
    """The wait loop comes round."""
    return twiml(_for_wait(_take(happened.hold(request.form))))


@voice.post("/hold-key")
def hold_key() -> Response:
    """A key during the hold. On a call that an agent has, nothing is said."""
    document = _take(happened.hold_key(request.form), _turn())
    return twiml(document if document == EMPTY else _for_wait(document))


@voice.post("/queue-result")
def queue_result() -> Response:
    """The queue let go of the call."""
    return twiml(_take(happened.queue_result(request.form)))


@voice.post("/connecting")
def connecting() -> Response:
    """An agent takes the call: what the caller hears before they speak. CallSid is the caller's."""
    return twiml(_take(happened.connecting(request.form)))


@voice.post("/overflow")
def overflow() -> Response:
    """The call to the overflow number is over."""
    return twiml(_take(happened.overflow(request.form), _turn()))


@voice.post("/status")
def status() -> Response:
    """The call is over, or has come so far. 204, known or not."""
    if inbound.ended(request.form).status in inbound.LAST:
        _take(happened.status(request.form))
    return no_content()


@voice.post("/fallback")
def fallback() -> Response:
    """The carrier could not use our answer: straight to the default queue, no store needed. That the call came in may
    be news to us."""
    log.warning("fallback_asked", code=request.form.get("ErrorCode", "")[:10])
    webhooks.note_degraded("carrier_fallback")
    _keep(landing.Waiting())
    return twiml(EMPTY if _spoke_with_agent() else errors.into_queue(wiring()))


def _spoke_with_agent() -> bool:
    """Whether what failed was the answer after a conversation: whoever was helped is not put into the line again."""
    try:
        if not urlsplit(request.form.get("ErrorUrl", "")).path.endswith("/queue-result"):
            return False
        if "QueueResult" in request.form:  # the carrier need not say again what it said then
            return errors.is_closed()
        return agent_came(wiring(), inbound.call_sid(request.form) or "")
    except Exception:  # whatever it is, the caller is not to hear of it
        return False


@voice.post("/agent")
def agent() -> Response:
    """An agent's own call: it takes the front caller of a queue. `queue` names another than the default
    one.
    """
    arrived = inbound.incoming(request.form)
    if (arrived is not None and arrived.is_borrowed) or not _may_answer(inbound.caller_number(request.form)):
        log.warning("agent_number_refused")
        return twiml(standby.hang_up())
    plan = _live_plan()
    asked = request.args.get("queue", "")
    queue = asked if asked in plan.queues else plan.default_queue
    return twiml(wiring().render((ConnectAgent(queue),), plan, 0, plan.languages[0].code))


@voice.post("/agent-done")
def agent_done() -> Response:
    """The agent's conversation is over, or nobody came."""
    plan = _live_plan()
    code = plan.languages[0].code
    prompts: tuple[Prompt, ...] = (HangUp(),)
    if inbound.dial_ended(request.form).status not in errors.TALKED:
        prompts = (Say(words(plan, code, "agent_queue_empty"), code), HangUp())
    return twiml(wiring().render(prompts, plan, 0, code))


def _may_answer(number: str) -> bool:
    allowed = wiring().settings.agent_numbers
    return number in allowed or (not allowed and not wiring().settings.production)


def _live_plan() -> Plan:
    with wiring().pool.connection(within_s=ANSWER_WITHIN_S) as conn:
        return wiring().plans.live(conn)
