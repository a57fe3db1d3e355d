"""Queues of waiting calls, and `<Enqueue>`: the waitUrl loop and the six ways out of it."""

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from ivr.phone.call import Call, HungUp, Interrupt, Joined, Moved, Request, new_sid
from ivr.phone.twiml import Unusable, Verb

if TYPE_CHECKING:
    from ivr.phone.interpreter import Interpreter, Onward

LONGEST_NAME = 64


@dataclass(eq=False)
class Member:
    """A place in a queue; `call` None = somebody else's, made up by the test phone."""

    joined_at: datetime
    call: Call | None = None
    taken_by: Call | None = None
    sid: str = field(default_factory=lambda: new_sid("CA"))

    def waited_s(self, now: datetime) -> int:
        """Whole seconds in the queue."""
        return int((now - self.joined_at).total_seconds())


@dataclass
class Queue:
    """A queue by name, front first."""

    name: str
    created_at: datetime
    max_size: int = 1000
    sid: str = field(default_factory=lambda: new_sid("QU"))
    members: list[Member] = field(default_factory=list)
    agents: list[Call] = field(default_factory=list)
    """Agents' calls that wait for somebody to come."""

    def position(self, member: Member) -> int:
        """1 = next; also of one who was just taken out."""
        return self.members.index(member) + 1 if member in self.members else 1

    def average_s(self, now: datetime) -> int:
        """Mean time those now in the queue have already waited (not an expected wait)."""
        waits = [member.waited_s(now) for member in self.members]
        return round(sum(waits) / len(waits)) if waits else 0

    def take(self) -> Member | None:
        """Take the first real caller out; everybody before is taken by somebody else first."""
        first = next((place for place, member in enumerate(self.members) if member.call is not None), None)
        if first is None:
            return None
        member = self.members[first]
        del self.members[: first + 1]
        return member

    def drop(self, member: Member) -> None:
        """Take one member out, if still there."""
        if member in self.members:
            self.members.remove(member)


class Left(Exception):
    """`<Leave/>` was executed."""


class WaitBroken(Exception):
    """A waitUrl document was unusable."""


class Dequeued(Interrupt):
    """An agent takes the call; `whisper` is played to it first."""

    def __init__(self, agent: Call, whisper: Request | None) -> None:
        super().__init__(agent.sid)
        self.agent, self.whisper = agent, whisper


class BridgeOver(Interrupt):
    """The other side of a bridge is gone."""


def enqueue(at: "Interpreter", verb: Verb, page: Request) -> "Onward":
    """Put the call into a queue and keep it there; gives the action request, or None to go on behind it."""
    carrier, call = at.carrier, at.call
    name = verb.get("workflowSid") or verb.text
    if not name or len(name) > LONGEST_NAME or (verb.get("workflowSid") and verb.text):
        at.warn(14204 if not name else 14205, f"<Enqueue> of a bad queue name {name[:80]!r}")
        return _action(verb, page, "error")
    queue = carrier.queue_of(name)
    if verb.get("maxQueueSize"):
        queue.max_size = verb.number("maxQueueSize", queue.max_size)
    if len(queue.members) >= queue.max_size:
        at.warn(14207, f"queue {name!r} is full")
        return _action(verb, page, "queue-full")
    member = carrier.join(queue, call)
    if (task := verb.child("Task")) is not None:
        carrier.tasks.append((call.sid, name, task.text))
    result = yield from _held(at, verb, page, queue, member)
    return _action(verb, page, result, _waited(call, queue, member, carrier.now))


def _waited(call: Call, queue: Queue, member: Member, now: datetime) -> tuple[tuple[str, str], ...]:
    """Which queue and how long in it, whatever came after."""
    return ("QueueSid", queue.sid), ("QueueTime", str(member.waited_s(call.left_queue_at or now)))


def _action(verb: Verb, page: Request, result: str, more: tuple[tuple[str, str], ...] = ()) -> Request | None:
    if not verb.get("action"):
        return None
    extra = (("QueueResult", result), *more)
    return Request(urljoin(page.url, verb.get("action")), verb.get("method", "POST"), extra)


def _held(
    at: "Interpreter",
    verb: Verb,
    page: Request,
    queue: Queue,
    member: Member,
) -> Generator[Any, Any, str]:
    call, carrier = at.call, at.carrier
    try:
        yield from _wait_loop(at, verb, page, queue, member)
        return "system-error"
    except Left:
        return "leave"
    except (WaitBroken, Unusable) as problem:
        at.warn(getattr(problem, "code", 14201), f"the wait document is unusable: {problem}")
        return "error"
    except Dequeued as taken:
        carrier.leave(call, queue, member)
        return (yield from _bridged(at, verb, page, queue, member, taken))
    except (HungUp, Moved) as gone:
        if member.taken_by is not None:
            carrier.soon(member.taken_by, BridgeOver())
            call.inbox[:] = [one for one in call.inbox if not isinstance(one, Dequeued)]  # too late: told what follows
        carrier.leave(call, queue, member)
        yield from _tell(at, verb, page, queue, member, "hangup" if isinstance(gone, HungUp) else "redirected")
        raise
    finally:
        carrier.leave(call, queue, member)


def _wait_loop(
    at: "Interpreter",
    verb: Verb,
    page: Request,
    queue: Queue,
    member: Member,
) -> Generator[Any, Any, None]:
    """Ask the waitUrl again and again; chains of its documents come back here when they run dry."""
    carrier, url = at.carrier, verb.get("waitUrl", "default")
    at.call.addresses["hold"] = urljoin(page.url, url)
    at.call.addresses["queue-result"] = urljoin(page.url, verb.get("action"))
    if url in ("", "default"):
        yield from (at.sleep(None) if url == "" else at.hear("play", "default hold music", 86_400.0))
    method = verb.get("waitUrlMethod", "POST")
    while True:
        now = carrier.now
        onward: Request | None = Request(
            urljoin(page.url, url),
            method,
            (
                ("QueuePosition", str(queue.position(member))),
                ("QueueSid", queue.sid),
                ("QueueTime", str(member.waited_s(now))),
                ("AvgQueueTime", str(queue.average_s(now))),
                ("CurrentQueueSize", str(len(queue.members))),
                ("MaxQueueSize", str(queue.max_size)),
            ),
        )
        while onward is not None:
            onward = yield from at.page(onward, "wait")
        if carrier.now == now:
            at.warn(0, f"busy loop: {url} played nothing, so it is asked again at once")
            yield from at.sleep(1)


def _bridged(
    at: "Interpreter",
    verb: Verb,
    page: Request,
    queue: Queue,
    member: Member,
    taken: Dequeued,
) -> Generator[Any, Any, str]:
    """Whisper, then talk until either side leaves; the action is asked for only when the bridge ends."""
    call, carrier, talking = at.call, at.carrier, False
    try:
        if taken.whisper is not None:
            more = (*_waited(call, queue, member, carrier.now), ("DequeingCallSid", taken.agent.sid))
            onward: Request | None = Request(taken.whisper.url, taken.whisper.method, more)
            try:
                while onward is not None:
                    onward = yield from at.page(onward, "whisper")
            except Unusable as problem:
                at.warn(problem.code, f"the whisper is unusable: {problem}")
        talking = True
        carrier.connect(call, taken.agent)
        carrier.soon(taken.agent, Joined())
        yield from at.sleep(None)
    except BridgeOver:
        pass
    except HungUp:
        carrier.soon(taken.agent, BridgeOver())
        yield from _tell(at, verb, page, queue, member, "bridged" if talking else "hangup")
        raise
    except Moved:
        carrier.soon(taken.agent, BridgeOver())
        yield from _tell(at, verb, page, queue, member, "redirected-from-bridged" if talking else "redirected")
        raise
    finally:
        carrier.part(call)
    return "bridged"


def _tell(
    at: "Interpreter",
    verb: Verb,
    page: Request,
    queue: Queue,
    member: Member,
    result: str,
) -> Generator[Any, Any, None]:
    """Ask for the action where its answer can have no effect: the caller is gone or goes elsewhere."""
    action = _action(verb, page, result, _waited(at.call, queue, member, at.carrier.now))
    if action is None:
        return
    try:
        answer = yield from at.ask(action)
        if answer.status >= 400:
            at.warn(11200, f"{action.url}: HTTP {answer.status}")
    except Unusable as problem:
        at.warn(problem.code, f"{action.url}: {problem}")
