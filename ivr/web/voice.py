"""Voice webhooks: parse, one call, render. Answered within the same request; a failing view holds the
place.
"""

import structlog
from flask import Blueprint, Response, request

from ivr.call.events import (
    AgentAnswered,
    CallEnded,
    Event,
    HoldKey,
    LeftQueue,
    OverflowEnded,
    Pressed,
    Said,
    Silent,
    TextProgress,
    Waited,
)
from ivr.call.plan import Plan
from ivr.call.prompts import ConnectAgent, HangUp, Prompt, Say
from ivr.call.wording import words
from ivr.carrier import inbound, standby
from ivr.carrier.twiml import EMPTY
from ivr.turn import MakeEvent, UnknownCall, start_call, take_turn
from ivr.web import errors
from ivr.web.errors import no_content, twiml
from ivr.web.guards import signed_by_carrier, wiring

log = structlog.get_logger()

voice = Blueprint("voice", __name__, url_prefix="/voice")
voice.before_request(signed_by_carrier)
voice.register_error_handler(Exception, errors.voice_failed)

TOKEN_HEADER = "I-Twilio-Idempotency-Token"


def _turn() -> int:
    """The turn that an action address names; -1, which is nobody's turn, where it names none."""
    given = request.args.get("turn", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) <= 9 else -1


def _take(make_event: MakeEvent, turn: int | None = None) -> str:
    sid = inbound.call_sid(request.form)
    if sid is None:
        raise UnknownCall("no CallSid")
    mark = inbound.mark(request.form, request.headers.get(TOKEN_HEADER))
    caller = inbound.caller_number(request.form)
    return take_turn(wiring(), sid, make_event, turn=turn, mark=mark, from_number=caller)


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
    return twiml(start_call(wiring(), arrived))


@voice.post("/menu")
@voice.post("/describe")
@voice.post("/returning")
@voice.post("/closed")
def answer() -> Response:
    """The answer to a question outside the queue: keys, words or silence. The call knows which question it
    was.
    """
    given = inbound.answer(request.form)
    event: Event = Silent()
    if given.keys:
        event = Pressed(given.keys)
    elif given.words:
        event = Said(given.words, given.confidence)
    return twiml(_take(lambda _: event, _turn()))


@voice.post("/hold")
def hold() -> Response:
    """The wait loop comes round."""
    here = inbound.waiting(request.form)

    def waited(texts: tuple[TextProgress, ...]) -> Event:
        return Waited(here.waited_s, here.position, texts)

    return twiml(_for_wait(_take(waited)))


@voice.post("/hold-key")
def hold_key() -> Response:
    """A key during the hold. On a call that an agent has, nothing is said."""
    given = inbound.answer(request.form)
    document = _take(lambda texts: HoldKey(given.keys, texts, given.words, given.confidence), _turn())
    return twiml(document if document == EMPTY else _for_wait(document))


@voice.post("/queue-result")
def queue_result() -> Response:
    """The queue let go of the call."""
    left = inbound.queue_left(request.form)
    return twiml(_take(lambda _: LeftQueue(left.result, left.waited_s)))


@voice.post("/connecting")
def connecting() -> Response:
    """An agent takes the call: what the caller hears before they speak. CallSid is the caller's."""
    taken = inbound.connecting(request.form)
    return twiml(_take(lambda _: AgentAnswered(taken.waited_s, taken.agent_call_sid)))


@voice.post("/overflow")
def overflow() -> Response:
    """The call to the overflow number is over."""
    status = inbound.dial_ended(request.form).status
    return twiml(_take(lambda _: OverflowEnded(status), _turn()))


@voice.post("/status")
def status() -> Response:
    """The call is over. 204, known or not."""
    ended = inbound.ended(request.form)
    _take(lambda _: CallEnded(ended.status, ended.duration_s))
    return no_content()


@voice.post("/fallback")
def fallback() -> Response:
    """The carrier could not use our answer: straight to the default queue, no store needed."""
    log.warning("fallback_asked", code=request.form.get("ErrorCode", "")[:10])
    return twiml(errors.into_queue(wiring()))


@voice.post("/agent")
def agent() -> Response:
    """An agent's own call: it takes the front caller of a queue. `queue` names another than the default
    one.
    """
    if not _may_answer(inbound.caller_number(request.form)):
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
    with wiring().pool.connection() as conn:
        return wiring().plans.live(conn)
