"""`<Dial>`: an agent takes the front of a queue, or the call goes on to another number."""

from collections.abc import Generator
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from ivr.phone.call import HungUp, Request, new_sid
from ivr.phone.queueing import BridgeOver, Dequeued, Queue
from ivr.phone.twiml import Unusable, Verb

if TYPE_CHECKING:
    from ivr.phone.interpreter import Interpreter, Onward

RINGS_S = 3.0


def dial(at: "Interpreter", verb: Verb, page: Request) -> "Onward":
    """Dial; gives the action request with `DialCallStatus`, or None to go on with the next verb."""
    target = verb.child("Queue")
    talk = _Talk(at)
    try:
        if target is not None:
            yield from _queue(at, verb, page, target, talk)
        else:
            number = verb.child("Number")
            yield from _number(at, number.text if number else verb.text, verb.number("timeout", 30), talk)
    except HungUp:
        yield from _tell(at, verb, page, talk)
        raise
    return _action(verb, page, talk)


class _Talk:
    """How the dialled leg fared."""

    def __init__(self, at: "Interpreter") -> None:
        self._at = at
        self.sid, self.status = new_sid("CA"), "no-answer"
        self._since: datetime | None = None
        self.seconds = 0

    def begins(self) -> None:
        self.status, self._since = "completed", self._at.carrier.now

    def ends(self) -> None:
        if self._since is not None:
            self.seconds = int((self._at.carrier.now - self._since).total_seconds())


def _action(verb: Verb, page: Request, talk: _Talk) -> Request | None:
    if not verb.get("action"):
        return None
    extra = (
        ("DialCallStatus", talk.status),
        ("DialCallSid", talk.sid),
        ("DialCallDuration", str(talk.seconds)),
        ("DialBridged", "true" if talk.status == "completed" else "false"),
    )
    return Request(urljoin(page.url, verb.get("action")), verb.get("method", "POST"), extra)


def _tell(at: "Interpreter", verb: Verb, page: Request, talk: _Talk) -> Generator[Any, Any, None]:
    action = _action(verb, page, talk)
    if action is None:
        return
    try:
        yield from at.ask(action)
    except Unusable as problem:
        at.warn(problem.code, f"{action.url}: {problem}")


def _queue(at: "Interpreter", verb: Verb, page: Request, target: Verb, talk: _Talk) -> Generator[Any, Any, None]:
    carrier, agent = at.carrier, at.call
    queue = carrier.queues.get(target.text)
    if queue is None:
        at.warn(13245, f"<Dial><Queue> of a queue that does not exist: {target.text!r}")
        talk.status = "failed"
        return
    member = queue.take() or (yield from _await(at, queue, verb.number("timeout", 30)))
    if member is None or member.call is None:
        return
    member.taken_by, caller = agent, member.call
    talk.sid = caller.sid
    whisper = Request(urljoin(page.url, target.get("url")), target.get("method", "POST")) if target.get("url") else None
    caller.left_queue_at = carrier.now
    carrier.soon(caller, Dequeued(agent, whisper))
    try:
        yield from at.sleep(None)
        talk.begins()
        agent.note(carrier.now, "event", f"connected to {caller.sid}")
        yield from at.sleep(None)
    except BridgeOver:
        agent.note(carrier.now, "event", "the caller is gone")
    except HungUp:
        talk.ends()
        carrier.soon(caller, BridgeOver())
        raise
    talk.ends()


def _await(at: "Interpreter", queue: Queue, timeout_s: int) -> Generator[Any, Any, Any]:
    """Wait for somebody to come into the queue."""
    queue.agents.append(at.call)
    try:
        came = yield from at.sleep(timeout_s)
    finally:
        queue.agents.remove(at.call)
    return queue.take() if came is not None else None


def _number(at: "Interpreter", number: str, timeout_s: int, talk: _Talk) -> Generator[Any, Any, None]:
    carrier, call = at.carrier, at.call
    carrier.dialled.append((call.sid, number))
    call.note(carrier.now, "event", f"dialling {number}")
    if carrier.overflow != "answers":
        yield from at.sleep(RINGS_S if carrier.overflow == "busy" else timeout_s)
        talk.status = carrier.overflow
        return
    yield from at.sleep(RINGS_S)
    talk.begins()
    call.dialled_out = True
    call.note(carrier.now, "event", f"{number} answers")
    try:
        yield from at.sleep(carrier.overflow_talk_s)
    except BridgeOver:
        pass
    finally:
        talk.ends()
        call.dialled_out = False
