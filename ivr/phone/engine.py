"""The carrier: calls driven on a virtual clock, queues, numbers, and what a person at the phone can do.

Every public method may be called from any thread. The lock is open while the service is being asked, so the
service can use the REST side from within a webhook; what happens to a call meanwhile waits in its inbox.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar
from urllib.parse import quote, urljoin

from ivr.phone.agenda import Agenda
from ivr.phone.call import (
    Call,
    HungUp,
    Interrupt,
    Joined,
    Key,
    Moved,
    Number,
    Request,
    Signal,
    Speech,
)
from ivr.phone.faults import Faults
from ivr.phone.interpreter import Fetch, Interpreter, Sleep
from ivr.phone.messages import Message, Texts
from ivr.phone.queueing import BridgeOver, Member, Queue
from ivr.phone.transport import HttpTransport, Transport
from ivr.phone.twiml import Unusable
from ivr.phone.webhooks import Webhooks

T = TypeVar("T")
NUMBER = "+15005550006"
AGENT_NUMBER = "+15005550010"


@dataclass(frozen=True)
class Misuse:
    """A misuse of the protocol by the service; `code` as in Twilio's debugger, 0 = a rule of the docs."""

    at: datetime
    code: int
    text: str
    call_sid: str = ""


@dataclass(frozen=True)
class Crowd:
    """Others ahead of whoever joins a queue, one of them answered every `every_s` (None = never)."""

    ahead: int = 0
    every_s: float | None = None


class Carrier:
    """A Twilio on the desk. `service_url` is the public URL the service is called and signed by."""

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        service_url: str,
        number: str = NUMBER,
        *,
        transport: Transport | None = None,
        start: datetime | None = None,
        double: bool = False,
        agent_path: str = "/voice/agent?queue={queue}",
    ) -> None:
        self.account_sid, self.auth_token = account_sid, auth_token
        self.service_url = service_url.rstrip("/")
        self.agent_path = agent_path
        self.agenda = Agenda(start or datetime.now(UTC))
        self.webhooks = Webhooks(transport or HttpTransport(), auth_token, double, self._differ)
        self.lines: dict[str, Number] = {}
        self.calls: dict[str, Call] = {}
        self.queues: dict[str, Queue] = {}
        self.warnings: list[Misuse] = []
        self.sounds: dict[str, float] = {}
        self.tasks: list[tuple[str, str, str]] = []
        """(call sid, workflow sid, task attributes as sent) of every TaskRouter enqueue."""
        self.dialled: list[tuple[str, str]] = []
        """(call sid, number) of every `<Dial><Number>`."""
        self.crowd = Crowd()
        self.overflow = "answers"
        """What a number dialled out to does: answers | busy | no-answer."""
        self.overflow_talk_s = 60.0
        self.faults = Faults()
        self.on_time: Callable[[datetime], None] = lambda now: None
        self.on_end: Callable[[Call], None] = lambda call: None
        self._lock = threading.Lock()
        self.texts = Texts(self)
        self.main = self.add_line(number, "Main number", "/voice/incoming")

    @property
    def now(self) -> datetime:
        """The carrier's clock."""
        return self.agenda.now

    @property
    def messages(self) -> list[Message]:
        """Every text ever accepted from the service, in order."""
        return self.texts.messages

    def add_line(self, number: str, name: str, voice_path: str) -> Number:
        """Give the account another number, with the service's documented URLs."""
        base = self.service_url
        self.lines[number] = line = Number(
            number,
            name,
            voice_url=base + voice_path,
            voice_fallback_url=base + "/voice/fallback",
            status_callback=base + "/voice/status",
            sms_url=base + "/sms/incoming",
        )
        return line

    # ---- time

    def advance(self, seconds: float) -> None:
        """Play everything due in the next `seconds`."""
        with self._lock:
            self._run(self.now + timedelta(seconds=seconds))

    def advance_to_next(self, limit_s: float) -> bool:
        """Jump to the next thing due and play that instant; False and `limit_s` gone if none is due in it."""
        with self._lock:
            limit = self.now + timedelta(seconds=limit_s)
            at = self.agenda.next_at()
            self._run(limit if at is None else min(at, limit))
            return at is not None and at <= limit

    def _run(self, until: datetime) -> None:
        while (due := self.agenda.take(until)) is not None:
            self.on_time(self.now)
            due.action()
        self.agenda.now = max(self.now, until)
        self.on_time(self.now)

    def outside(self, send: Callable[[], T]) -> T:
        """Do something slow with the lock open; the lock must be held."""
        self._lock.release()
        try:
            return send()
        finally:
            self._lock.acquire()

    def do(self, action: Callable[[], T]) -> T:
        """Do something at once under the lock, then all it made due in this instant."""
        with self._lock:
            result = action()
            self._run(self.now)
            return result

    # ---- what a person does

    def call(
        self,
        from_: str,
        to: str | None = None,
        *,
        arm: str = "",
        stir: str = "TN-Validation-Passed-A",
        plan: str = "",
    ) -> Call:
        """Somebody calls; returns when the first document plays. `plan`: the draft to be played, by its version.
        KeyError: not a number of ours."""
        line = self.lines[to or self.main.number]
        call = Call(from_, line.number, line, self.now, self.account_sid, stir=stir, arm=arm, plan=plan)
        self.do(lambda: self._begin(call, Request(line.voice_url, line.voice_method)))
        return call

    def press(self, call: Call, key: str) -> None:
        """One key."""
        self.do(lambda: self._signal(call, Key(key)))

    def say(self, call: Call, words: str, confidence: float | None = 0.9) -> None:
        """One sentence, as the recogniser understood it."""
        self.do(lambda: self._signal(call, Speech(words, confidence)))

    def hang_up(self, call: Call) -> None:
        """The caller (or an agent on an agent's call) hangs up."""
        self.do(lambda: self.end(call, "the caller hangs up"))

    def agent_answers(self, queue_name: str) -> Call:
        """An agent dials in and takes the first real caller of a queue; gives the agent's call."""
        line = Number(
            AGENT_NUMBER,
            "Agents",
            voice_url=self.service_url + self.agent_path.format(queue=quote(queue_name, safe="")),
            status_callback=self.service_url + "/voice/status",
        )
        call = Call("+15005550011", line.number, line, self.now, self.account_sid)
        request = Request(line.voice_url)
        if any(workflow == queue_name for _, workflow, _ in self.tasks):
            request = Request("", twiml=f"<Response><Dial><Queue>{queue_name}</Queue></Dial></Response>")
        self.do(lambda: self._begin(call, request))
        return call

    def agent_hangs_up(self, call: Call) -> None:
        """The other side of the caller's conversation hangs up, whoever that is."""
        if call.partner is not None:
            self.hang_up(call.partner)
        elif call.dialled_out:
            self.do(lambda: self._signal(call, BridgeOver()))

    # ---- what REST does

    def update_call(self, call: Call, request: Request | None) -> bool:
        """Send a live call elsewhere, or end it (None); False when it has ended (error 21220)."""

        def change() -> bool:
            if call.over:
                return False
            if request is None:
                self.end(call, "ended by REST")
            else:
                self._signal(call, Moved(request))
            return True

        return self.do(change)

    def redirect(self, call: Call, *, url: str | None = None, twiml: str | None = None) -> bool:
        """Send a live call to a URL (a path means the service's) or to TwiML; False when it has ended."""
        return self.update_call(call, Request(urljoin(self.service_url + "/", url or ""), twiml=twiml))

    # ---- used by the interpreter, lock held

    def warn(self, code: int, text: str, call: Call | None = None) -> None:
        """Record a misuse of the protocol."""
        self.warnings.append(Misuse(self.now, code, text, call.sid if call else ""))

    def _differ(self, url: str, text: str) -> None:
        self.warn(0, f"played twice, answered differently: {url}: {text}")

    def queue_of(self, name: str) -> Queue:
        """The queue of that name, made on demand."""
        return self.queues.setdefault(name, Queue(name, self.now))

    def join(self, queue: Queue, call: Call) -> Member:
        """Put a call at the end of a queue, behind the crowd."""
        missing = self.crowd.ahead - len(queue.members)
        gap = self.crowd.every_s or 60.0
        for place in range(missing):
            queue.members.append(Member(self.now - timedelta(seconds=gap * (missing - place))))
        if missing > 0 and self.crowd.every_s:
            self.agenda.after(self.crowd.every_s, partial(self._thin, queue, self.crowd.every_s))
        member = Member(self.now, call)
        queue.members.append(member)
        call.member, call.joined_queue, call.left_queue_at = member, queue.name, None
        call.note(self.now, "event", f"in queue {queue.name}, position {queue.position(member)}")
        for agent in queue.agents[:1]:
            self.soon(agent, Joined())
        return member

    def _thin(self, queue: Queue, every_s: float) -> None:
        if queue.members and queue.members[0].call is None:
            queue.members.pop(0)
            self.agenda.after(every_s, partial(self._thin, queue, every_s))

    def leave(self, call: Call, queue: Queue, member: Member) -> None:
        """Take a call out of its queue."""
        queue.drop(member)
        if call.member is member:
            call.member = None
            call.left_queue_at = call.left_queue_at or self.now

    def connect(self, caller: Call, agent: Call) -> None:
        """The two sides hear each other."""
        caller.partner, agent.partner = agent, caller
        caller.note(self.now, "event", "connected to an agent")

    def part(self, caller: Call) -> None:
        """The bridge is over."""
        if caller.partner is not None:
            if not caller.over:
                caller.note(self.now, "event", "no longer connected")
            caller.partner.partner = None
            caller.partner = None

    def soon(self, call: Call, signal: Signal | Interrupt) -> None:
        """Deliver a signal from another call in this instant, but after what runs now."""
        self.agenda.after(0, lambda: self._signal(call, signal))

    def close(self, call: Call, status: str = "completed") -> None:
        """Mark a call as over and put its status callback on the agenda."""
        if call.over:
            return
        call.status = status
        call.ended_at = self.now
        call.note(self.now, "event", "the call is over")
        self.agenda.after(0, lambda: self._report(call))

    def end(self, call: Call, why: str) -> None:
        """End a call from outside."""
        if call.over:
            return
        call.note(self.now, "event", why)
        self.close(call, "no-answer" if call.status == "ringing" else "completed")
        if call.busy:
            call.inbox.insert(0, HungUp())
        else:
            self._resume(call, None, HungUp())

    # ---- driving the generators

    def _begin(self, call: Call, request: Request) -> None:
        self.calls[call.sid] = call
        call.life = Interpreter(self, call).live(request)
        self._resume(call, None, None)

    def _signal(self, call: Call, signal: Signal | Interrupt) -> None:
        if call.over:
            return
        if isinstance(signal, Key | Speech):
            kind, text = ("dtmf", signal.key) if isinstance(signal, Key) else ("speech", signal.words)
            call.note(self.now, kind, text)
            if call.busy or kind not in call.listens:
                call.note(self.now, "event", "nobody was listening")
                return
        if call.busy:
            call.inbox.append(signal)
        elif isinstance(signal, Interrupt):
            self._resume(call, None, signal)
        else:
            self._resume(call, signal, None)

    def _resume(self, call: Call, value: object, error: BaseException | None) -> None:
        """Run a call until it sleeps again or is over."""
        life = call.life
        if life is None:
            return
        if call.alarm is not None:
            call.alarm.cancel()
        call.busy, call.listens, call.quiet = True, frozenset(), False
        try:
            while True:
                step = life.throw(error) if error is not None else life.send(value)
                value, error = None, None
                if isinstance(step, Fetch):
                    value, error = self._fetch(step)
                if (waiting := self._from_inbox(call, asleep=isinstance(step, Sleep))) is not None:
                    value, error = waiting
                elif isinstance(step, Sleep):
                    self._lie_down(call, step)
                    return
        except StopIteration:
            call.life = None
            self.close(call)
            self.on_end(call)
        finally:
            call.busy = False

    def _fetch(self, step: Fetch) -> tuple[object, BaseException | None]:
        try:
            return self.outside(step.send), None
        except Unusable as problem:
            return None, problem

    @staticmethod
    def _from_inbox(call: Call, *, asleep: bool) -> tuple[object, BaseException | None] | None:
        """What came meanwhile: an interrupt at any time, a signal only for a call that waits for one."""
        for place, waiting in enumerate(call.inbox):
            if asleep or isinstance(waiting, Interrupt):
                del call.inbox[place]
                return (None, waiting) if isinstance(waiting, Interrupt) else (waiting, None)
        return None

    def _lie_down(self, call: Call, step: Sleep) -> None:
        call.listens, call.quiet = step.listens, step.quiet
        if step.seconds is not None:
            call.alarm = self.agenda.after(step.seconds, lambda: self._resume(call, None, None))

    def _report(self, call: Call) -> None:
        """The one asynchronous status callback of an inbound call, at its end."""
        line = call.line
        if not line.status_callback:
            return
        seconds = int(((call.ended_at or self.now) - call.started_at).total_seconds())
        form = call.parameters((("CallDuration", str(seconds)), ("Timestamp", rfc2822(self.now))))
        self.notify(line.status_callback_method, line.status_callback, form, call)

    def notify(self, method: str, url: str, form: list[tuple[str, str]], call: Call | None = None) -> int | None:
        """Send a callback whose answer is not executed; None and a warning when it failed. Lock held."""
        try:
            answer = self.outside(lambda: self.webhooks.post(method, url, form))
        except Unusable as problem:
            self.warn(problem.code, f"callback {url}: {problem}", call)
            return None
        empty = answer.status == 204 or (answer.status == 200 and answer.mime in ("text/xml", "application/xml"))
        if not empty:
            self.warn(
                11200 if answer.status >= 400 else 12300,
                f"callback {url}: {answer.status} {answer.mime}",
                call,
            )
        return answer.status


def rfc2822(at: datetime) -> str:
    """`Fri, 20 Aug 2010 01:13:42 +0000`, as Twilio writes dates."""
    return at.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
