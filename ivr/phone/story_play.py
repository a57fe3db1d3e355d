"""Plays a story on a carrier: does what the caller does, and notes whatever was not as written."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from ivr.phone.call import Call, Heard
from ivr.phone.engine import Carrier, Crowd
from ivr.phone.handsets import Note
from ivr.phone.story import Story, Turn
from ivr.phone.story_web import Browser, WebProblem, inject

HEARS_S, LISTENS_S, SILENT_S, TEXT_S, CONNECT_S = 90.0, 60.0, 180.0, 60.0, 40.0


class Pace(Protocol):
    """How time passes while a story is played."""

    def on(self, carrier: Carrier, limit_s: float) -> None:
        """Let at most `limit_s` go by, stopping when something happened."""


class Jumps:
    """Straight to the next thing due: tests."""

    def on(self, carrier: Carrier, limit_s: float) -> None:
        """See Pace."""
        carrier.advance_to_next(limit_s)


@dataclass(frozen=True)
class WallClock:
    """Somebody else moves the clock (the ticker): look again shortly."""

    look_s: float = 0.05

    def on(self, carrier: Carrier, limit_s: float) -> None:
        """See Pace."""
        time.sleep(min(self.look_s, max(limit_s, 0.001)))


@dataclass
class Hooks:
    """What only a test can do. None = the story says that it cannot be done here, and goes on."""

    settle: Callable[[], None] = lambda: None
    """Called after every step: run the background jobs that are due."""
    given: Callable[[Mapping[str, Any]], None] | None = None
    rest: Callable[[timedelta], None] | None = None
    """Called after the carrier's clock went on by that much."""
    flushall: Callable[[], None] | None = None
    expects: Callable[[Any, "StoryResult"], list[str]] | None = None
    """Gives what is not as expected, one line each."""
    meanwhile: Callable[[Any], None] | None = None
    """Something happens on the company's side: a menu is published, a worker dies."""


@dataclass
class StoryResult:
    """What came of it; `problems` is empty when everything was as written."""

    title: str
    problems: list[str] = field(default_factory=list)
    cannot: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    """The article pages that were opened."""

    @property
    def ok(self) -> bool:
        """True when everything was as written."""
        return not self.problems

    @property
    def call(self) -> Call:
        """The latest call."""
        return self.calls[-1]


def play_story(
    story: Story,
    carrier: Carrier,
    *,
    hooks: Hooks | None = None,
    pace: Pace | None = None,
    double: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> StoryResult:
    """Play it to the end. `double` sends every webhook twice and requires the same answer to both."""
    player = _Player(story, carrier, hooks or Hooks(), pace or Jumps(), tell)
    before = carrier.webhooks.double
    carrier.webhooks.double = double or before
    misuses = len(carrier.warnings)
    try:
        player.play()
    finally:
        carrier.webhooks.double = before
    player.result.problems += [
        f"{story.source}: protocol: {found.code} {found.text}" for found in carrier.warnings[misuses:]
    ]
    return player.result


class _Stop(Exception):
    """The story cannot go on."""


class _Player:
    def __init__(self, story: Story, carrier: Carrier, hooks: Hooks, pace: Pace, tell: Callable[[str], None]) -> None:
        self.story, self.carrier, self.hooks, self.pace, self._tell = story, carrier, hooks, pace, tell
        self.result = StoryResult(story.title)
        self.browser = Browser(carrier.webhooks.transport)
        self._since = 0
        self._told = 0
        self._read: dict[str, int] = {}

    def play(self) -> None:
        self._set_the_scene()
        for turn in self.story.turns:
            try:
                getattr(self, "_" + turn.kind)(turn)
                self.hooks.settle()
                self._tell_heard()
            except _Stop as stop:
                self.wrong(turn, str(stop))
                return

    # ---- the scene, and telling

    def _set_the_scene(self) -> None:
        story, carrier = self.story, self.carrier
        carrier.crowd = Crowd(story.ahead, story.every_s)
        carrier.overflow = story.overflow
        phone = carrier.texts.handset(story.caller.number)
        phone.line_type = story.caller.line_type
        phone.receipts, phone.fails_with, phone.delivered_after_s = "", None, 3.0
        for name, value in story.receipts.items():
            if name == "delivered_after_s":
                phone.delivered_after_s = float(value)
            elif name in ("undelivered", "failed"):
                phone.fails_with, phone.fails_as = int(value), name
            elif value:
                phone.receipts = name
        if story.given and self.hooks.given is None:
            self.result.cannot.append(f"set up {dict(story.given)}")
        elif self.hooks.given is not None:
            self.hooks.given(story.given)

    def wrong(self, turn: Turn, text: str) -> None:
        self.result.problems.append(f"{self.story.source}:{turn.line}: {turn.kind}: {text}")
        self.tell(f"!! {turn.kind}: {text}")

    def cannot(self, turn: Turn) -> None:
        self.result.cannot.append(turn.kind)
        self.tell(f"   ({turn.kind}: cannot be done here)")

    def tell(self, line: str) -> None:
        self.result.lines.append(line)
        self._tell(line)

    def _tell_heard(self) -> None:
        if not self.result.calls:
            return
        heard = self.call.heard
        for line in heard[self._told :]:
            self.tell(f"{line.t:7.1f} s  {_MARKS.get(line.kind, '')}{line.text}")
        self._told = len(heard)

    # ---- time

    @property
    def call(self) -> Call:
        if not self.result.calls:
            raise _Stop("nobody has called yet")
        return self.result.calls[-1]

    def until(self, done: Callable[[], bool], limit_s: float) -> bool:
        """Let time pass until `done`, at most `limit_s`."""
        end = self.carrier.now + timedelta(seconds=limit_s)
        while not done():
            left = (end - self.carrier.now).total_seconds()
            if left <= 0:
                return False
            self.pace.on(self.carrier, left)
            self.hooks.settle()
            self._tell_heard()
        return True

    def wait(self, seconds: float) -> None:
        self.until(lambda: False, seconds)

    def _input(self) -> None:
        """Something is said or pressed: what is heard from here on answers it."""
        self._since = len(self.call.heard)

    # ---- the caller

    def _starts(self, turn: Turn) -> None:
        number = turn.get("from") or self.story.caller.number
        arm = turn.get("arm", self.story.arm)
        call = self.carrier.call(
            str(number),
            turn.get("to") or self.story.number or None,
            arm=str(arm),
            stir=self.story.caller.stir,
        )
        self.result.calls.append(call)
        self._since = self._told = 0

    _rings_back = _starts

    def _said(self) -> list[Heard]:
        return [line for line in self.call.heard[self._since :] if line.kind == "say"]

    def _clock(self) -> float:
        return (self.carrier.now - self.call.started_at).total_seconds()

    def _hears(self, turn: Turn) -> None:
        call = self.call

        def missing() -> list[str]:
            told = _fold(" ".join(line.text for line in self._said() if line.over_by(self._clock())))
            return [words for words in turn.value if _fold(words) not in told]

        def done() -> bool:
            waits_for_input = call.quiet and call.member is None
            return not missing() or call.over or waits_for_input or call.partner is not None

        self.until(done, HEARS_S)
        if lacking := missing():
            told = " / ".join(line.text for line in self._said()) or "nothing"
            self.wrong(turn, f"not heard: {lacking}; heard: {told}")

    def _hears_not(self, turn: Turn) -> None:
        told = _fold(" ".join(line.text for line in self._said()))
        for words in turn.value:
            if _fold(words) in told:
                self.wrong(turn, f"was heard: {words!r}")

    def _moment(self, turn: Turn, kind: str) -> None:
        """Wait for the moment to press or speak: a time after a sentence began, or when somebody listens."""
        call = self.call
        if turn.get("of") is not None:
            words = _fold(str(turn.get("of")))
            begun: list[Heard] = []

            def begins() -> bool:
                begun[:] = [line for line in self._said() if words in _fold(line.text)]
                return bool(begun) or call.over

            if not self.until(begins, HEARS_S) or not begun:
                raise _Stop(f"never heard {turn.get('of')!r}")
            self.wait(float(turn.get("after_ms", 0)) / 1000 - (self._clock() - begun[-1].t))
        elif turn.get("after_ms") is not None:
            self.wait(float(turn.get("after_ms")) / 1000)
        else:
            self.until(
                lambda: kind in call.listens or call.over or call.partner is not None or call.dialled_out,
                LISTENS_S,
            )

    def _presses(self, turn: Turn) -> None:
        self._moment(turn, "dtmf")
        self._input()
        for place, key in enumerate(str(turn.get("keys"))):
            if place:
                self.wait(0.2)
            self.carrier.press(self.call, key)

    def _says(self, turn: Turn) -> None:
        self._moment(turn, "speech")
        self._input()
        confidence = turn.get("confidence", 0.9)
        self.carrier.say(self.call, str(turn.get("words")), None if confidence is None else float(confidence))

    def _silent(self, turn: Turn) -> None:
        call = self.call
        self.until(lambda: call.quiet or call.over, SILENT_S)
        done = call.gathers_done
        self._input()
        if not self.until(lambda: call.gathers_done > done or call.over, SILENT_S):
            self.wrong(turn, "no question came to its end")

    def _waits(self, turn: Turn) -> None:
        self.wait(float(turn.get("s") or 0))
        expected, member = turn.get("position"), self.call.member
        if expected is None:
            return
        queue = self.carrier.queues.get(self.call.joined_queue)
        position = queue.position(member) if queue is not None and member is not None else None
        if position != int(expected):
            self.wrong(turn, f"position {position}, expected {expected}")

    def _agent(self, turn: Turn) -> None:
        call = self.call
        if turn.value == "hangs_up":
            self.carrier.agent_hangs_up(call)
            return
        if call.member is None:
            raise _Stop("the caller is in no queue")
        self._input()
        self.carrier.agent_answers(call.joined_queue)
        if not self.until(lambda: call.partner is not None or call.over, CONNECT_S):
            self.wrong(turn, "the two were not connected")

    def _leaves(self, turn: Turn) -> None:
        self._input()
        self.carrier.hang_up(self.call)

    def _redirects(self, turn: Turn) -> None:
        self._input()
        if not self.carrier.redirect(self.call, url=turn.get("url"), twiml=turn.get("twiml")):
            self.wrong(turn, "the call was over (21220)")

    def _ends_by_rest(self, turn: Turn) -> None:
        self._input()
        self.carrier.update_call(self.call, None)

    # ---- the handset and the page

    def _unread(self, number: str) -> list[Note]:
        notes = self.carrier.texts.handset(number).notes[self._read.get(number, 0) :]
        return [note for note in notes if not note.outgoing and note.sid]

    def _gets_text(self, turn: Turn) -> None:
        number = str(turn.get("to") or self.story.caller.number)
        if turn.get("contains") == "none":
            if self.until(lambda: bool(self._unread(number)), TEXT_S):
                self.wrong(turn, f"a text came: {self._unread(number)[0].body!r}")
            return
        if not self.until(lambda: bool(self._unread(number)), TEXT_S):
            self.wrong(turn, f"no text came to the handset within {TEXT_S:.0f} s")
            return
        note = self._unread(number)[0]
        self._read[number] = self.carrier.texts.handset(number).notes.index(note) + 1
        self.browser.read(note.body)
        self.tell(f"           text: {note.body}")
        self._check_text(turn, note)

    def _check_text(self, turn: Turn, note: Note) -> None:
        for words in _texts(turn.get("contains")):
            if _fold(words) not in _fold(note.body):
                self.wrong(turn, f"{words!r} is not in {note.body!r}")
        for words in _texts(turn.get("lacks")):
            if _fold(words) in _fold(note.body):
                self.wrong(turn, f"{words!r} is in {note.body!r}")
        sent = next(one for one in self.carrier.messages if one.sid == note.sid)
        if turn.get("segments") is not None and sent.segments != int(turn.get("segments")):
            self.wrong(turn, f"{sent.segments} segments, expected {turn.get('segments')}: {note.body!r}")

    def _replies(self, turn: Turn) -> None:
        self.carrier.texts.reply(str(turn.get("from") or self.story.caller.number), str(turn.get("text")))

    def _opens_link(self, turn: Turn) -> None:
        try:
            self.result.pages.append(self.browser.open(str(turn.get("as") or "person")))
        except WebProblem as problem:
            self.wrong(turn, str(problem))

    def _taps(self, turn: Turn) -> None:
        try:
            self.result.pages.append(self.browser.tap(str(turn.value)))
        except WebProblem as problem:
            self.wrong(turn, str(problem))

    # ---- outside the call

    def _rest(self, turn: Turn) -> None:
        time_off = timedelta(days=turn.get("days", 0), hours=turn.get("hours", 0), seconds=turn.get("s", 0))
        if self.hooks.rest is None and time_off > timedelta(minutes=10):
            self.cannot(turn)
            return
        self.wait(time_off.total_seconds())
        if self.hooks.rest is not None:
            self.hooks.rest(time_off)

    def _flushall(self, turn: Turn) -> None:
        if self.hooks.flushall is None:
            self.cannot(turn)
        else:
            self.hooks.flushall()

    def _expects(self, turn: Turn) -> None:
        if self.hooks.expects is None:
            self.cannot(turn)
            return
        for problem in self.hooks.expects(turn.value, self.result):
            self.wrong(turn, problem)

    def _meanwhile(self, turn: Turn) -> None:
        if self.hooks.meanwhile is None:
            self.cannot(turn)
        else:
            self.hooks.meanwhile(turn.value)

    def _webhook(self, turn: Turn) -> None:
        call = self.result.calls[-1] if self.result.calls and turn.get("call", True) else None
        self._inject(turn, call, turn.value)

    def _posts_queue_result(self, turn: Turn) -> None:
        form = {"QueueResult": str(turn.get("result")), **(turn.get("form") or {})}
        wish = {
            "path": "@queue-result",
            "form": form,
            "twice": turn.get("twice"),
            "contains": turn.get("contains"),
        }
        self._inject(turn, self.call, wish)

    def _inject(self, turn: Turn, call: Call | None, wish: Mapping[str, Any]) -> None:
        try:
            problems = inject(self.carrier, call, wish)
        except WebProblem as problem:
            problems = [str(problem)]
        for text in problems:
            self.wrong(turn, text)


_MARKS = {
    "say": "hears: ",
    "play": "music: ",
    "pause": "pause",
    "dtmf": "presses: ",
    "speech": "says: ",
    "event": "-- ",
}


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]
