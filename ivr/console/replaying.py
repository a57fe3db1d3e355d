"""A recorded call led once more, by the pure flow, through another menu: what the caller chose, said and pressed is fed
to it, with the search of now. Nothing is sent and nothing kept.

What is recorded are facts, not events, so it is a reconstruction: the hold comes round as the words and the music of
the other menu last, and places in line change when they were told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from typing import Any

from psycopg import Connection

from ivr.call import menu
from ivr.call.effects import Step
from ivr.call.events import (
    AgentAnswered,
    CallStarted,
    Event,
    HoldKey,
    LeftQueue,
    Pressed,
    Said,
    Silent,
    Waited,
)
from ivr.call.flow import decide
from ivr.call.moment import Moment, Outlook
from ivr.call.plan import Plan
from ivr.call.prompts import Ask, Prompt, Say
from ivr.call.state import Caller, CallerKind, CallState, Stage
from ivr.console import told
from ivr.console.errors import Missing, Sentence, Wrong, sentence
from ivr.finding import find
from ivr.wiring import Wiring
from models import articles, calls, facts, transcripts
from models.facts import FactRow

MOST_TURNS = 400
GIBBERISH = "qqq"
_EXITS = {
    "hung_up_in_queue": "hangup",
    "left_by_choice": "leave",
    "queue_full": "queue-full",
    "redirected": "redirected",
}
_KEYS = {"accepted": "1", "declined": "3"}
#: facts of the flow that say where the call went; a place in line, or the length of a call, is no difference
COMPARED = frozenset({
    "language_chosen", "menu_chosen", "not_understood", "no_answer", "agent_asked", "described", "match_found",
    "match_refused", "held", "eligible", "assigned", "offered", "offer_cut", "offer_refused", "accepted", "declined",
    "no_input", "heard", "agent_connected", "hung_up_in_queue", "left_by_choice", "closed",
})  # fmt: skip
_TELLING = ("choice", "language", "article", "reason", "queue", "leaf", "arm", "why")


@dataclass(frozen=True, slots=True)
class Line:
    """One fact, as it was or as it would be. `data`: what it says that could differ."""

    name: str
    data: tuple[tuple[str, str], ...]

    @property
    def words(self) -> Sentence:
        """The fact in words."""
        return told.fact(self.name)


@dataclass(frozen=True, slots=True)
class Pair:
    """What happened beside what would; None where there is nothing on that side."""

    was: Line | None
    would: Line | None

    @property
    def same(self) -> bool:
        """Whether the two say the same."""
        return self.was == self.would


@dataclass(frozen=True, slots=True)
class Replay:
    """A call side by side. `heard`: what the caller would hear, in order; `notes`: how far to trust it."""

    call_sid: str
    pairs: tuple[Pair, ...]
    heard: tuple[str, ...]
    notes: tuple[Sentence, ...]

    @property
    def differs(self) -> bool:
        """Whether anything would be different."""
        return any(not pair.same for pair in self.pairs)


def replay(conn: Connection, wiring: Wiring, call_sid: str, plan: Plan) -> Replay:
    """A call as it was, beside the same call on a plan. Raises Missing, Wrong where it cannot be led again."""
    call, rows = calls.read(conn, call_sid), facts.of_call(conn, call_sid)
    if call is None:
        raise Missing(f"there is no call {call_sid}")
    if not rows or rows[0].name != "call_started" or any(row.name == "rejoined" for row in rows):
        raise Wrong({"": sentence("This call chose nothing in the menu, so there is nothing to lead through another.")})
    run = _Run(conn, wiring, plan, rows, call)
    run.lead()
    was = [line(row.name, row.data) for row in rows if row.name in COMPARED]
    would = [line(name, data) for name, data in run.facts if name in COMPARED]
    titles = articles.titles(conn, {value for one in (*was, *would) for name, value in one.data if name == "article"})
    pairs = tuple(_side_by_side([_titled(one, titles) for one in was], [_titled(one, titles) for one in would]))
    return Replay(call_sid, pairs, tuple(run.heard), tuple(run.notes))


def line(name: str, data: dict[str, Any]) -> Line:
    """A fact reduced to what could differ."""
    return Line(name, tuple((key, str(data[key])) for key in _TELLING if data.get(key) is not None))


def _titled(one: Line, titles: dict[str, str]) -> Line:
    data = tuple((key, titles.get(value, value) if key == "article" else value) for key, value in one.data)
    return Line(one.name, data)


def _side_by_side(was: Sequence[Line], would: Sequence[Line]) -> Iterator[Pair]:
    for _, left, left_end, right, right_end in SequenceMatcher(None, was, would, autojunk=False).get_opcodes():
        for n in range(max(left_end - left, right_end - right)):
            yield Pair(
                was[left + n] if left + n < left_end else None, would[right + n] if right + n < right_end else None
            )


class _Run:
    """One call under way on the other plan."""

    def __init__(
        self, conn: Connection, wiring: Wiring, plan: Plan, rows: Sequence[FactRow], call: dict[str, Any]
    ) -> None:
        self._conn, self._wiring, self._plan, self._rows = conn, wiring, plan, rows
        self._begun: datetime = rows[0].at
        self.facts: list[tuple[str, dict[str, Any]]] = []
        self.heard: list[str] = []
        self.notes: list[Sentence] = []
        self._stopped = False
        self._words = self._said(call["call_sid"])
        assigned = self._first("assigned")
        bucket = assigned.data.get("bucket") if assigned else None
        if bucket is None:
            bucket = wiring.numbers.bucket(plan.offers.experiment, call["caller_key"] or call["call_sid"])
        kind = rows[0].data.get("caller")
        caller = Caller(
            CallerKind(kind) if kind in set(CallerKind) else CallerKind.OTHER,
            None,
            int(bucket),
            force_arm=assigned.data.get("arm") if assigned else None,
        )
        self.state = CallState(
            call["call_sid"], plan.version, caller, call["number"], int(self._begun.timestamp() * 1000),
            language=plan.languages[0].code,
        )  # fmt: skip

    def _said(self, call_sid: str) -> str:
        sealed = transcripts.of_call(self._conn, call_sid)
        try:
            return self._wiring.numbers.open(sealed[-1]) if sealed else ""
        except ValueError:  # under a key that is gone
            return ""

    def _first(self, *names: str) -> FactRow | None:
        return next((row for row in self._rows if row.name in names), None)

    def lead(self) -> None:
        """All of it."""
        if self._rows[0].data.get("returning"):
            self.notes.append(
                sentence("The caller was asked about an earlier call first; here the menu begins at once.")
            )
        if self._first("described") and not self._words:
            self.notes.append(sentence("What the caller said is erased by now: led by the choices alone."))
        self._take(CallStarted(), self._begun)
        for row in self._rows:
            if row.name == "held" or self._stopped:
                break
            self._answer(row)
        self._finish_menu()
        if self.state.stage is Stage.HOLD and not self._stopped:
            self._hold()

    def _take(self, event: Event, at: datetime) -> None:
        moment = Moment(at, self._outlook())
        step = decide(self.state, event, self._plan, moment)
        self._keep(step)
        if step.search is not None:
            self._keep(decide(step.state, find(self._wiring, self._conn, step.search), self._plan, moment))

    def _keep(self, step: Step) -> None:
        self.state = step.state
        self.facts += [(fact.name, fact.data) for fact in step.facts]
        if self.state.stage is not Stage.HOLD or not self.heard or step.facts:
            self.heard += [words for words in _spoken(step.prompts) if words not in self.heard[-1:]]

    def _outlook(self) -> dict[str, Outlook]:
        """The pace that was told then: callers waited as long as they did, whatever the menu."""
        row = next((one for one in self._rows if one.name == "announced" and one.data.get("low_min")), None)
        if row is None or self.state.queue is None:
            return {}
        mean_s = 30.0 * (row.data["low_min"] + (row.data.get("high_min") or row.data["low_min"]))
        pace = mean_s / max(1, row.data.get("position") or 1)
        return {self.state.queue: Outlook(self._plan.offers.answers_needed, pace)}

    # ---- the menu

    def _answer(self, row: FactRow) -> None:
        """What the caller did, as far as this menu asks for it."""
        if self.state.stage is Stage.MENU:
            event = self._at_menu(row)
        elif self.state.stage is Stage.DESCRIBE and row.name in ("described", "agent_asked"):
            event = self._sentence() if row.name == "described" else Pressed("0")
        else:
            return
        if event is not None:
            self._take(event, row.at)

    def _at_menu(self, row: FactRow) -> Event | None:
        match row.name:
            case "menu_chosen":
                wanted = row.data.get("choice")
                choice = next((one for one in menu.here(self.state, self._plan).choices if one.id == wanted), None)
                if choice is None:
                    self._stop(sentence("Here this menu has no choice “%(choice)s” to take.", choice=wanted))
                    return None
                return Pressed(choice.key)
            case "language_chosen":
                chosen = next((one for one in self._plan.languages if one.code == row.data.get("language")), None)
                if chosen is None or (chosen.key is None and chosen.code != self.state.language):
                    self._stop(sentence("This menu does not speak “%(language)s”.", language=row.data.get("language")))
                    return None
                return Pressed(chosen.key) if chosen.key else None
            case "not_understood":
                return Said(GIBBERISH, 0.1)
            case "no_answer":
                return Silent()
            case "agent_asked":
                return Pressed("0")
        return None

    def _finish_menu(self) -> None:
        """What this menu asks and the other did not."""
        if self._stopped:
            return
        held = self._first("held", "closed")
        at = held.at if held else self._begun
        if self.state.stage is Stage.DESCRIBE:
            self._take(self._sentence(), at)
        elif self.state.stage is Stage.MENU and held is not None:
            self._stop(
                sentence("This menu asks for one more choice here, and nobody knows what the caller would take.")
            )

    def _sentence(self) -> Event:
        return Said(self._words, 1.0) if self._words else Silent()

    def _stop(self, why: Sentence) -> None:
        self._stopped = True
        self.notes.append(why)

    # ---- the hold

    def _hold(self) -> None:
        held = self._first("held")
        begun = held.at if held else self._begun
        left = next((row for row in self._rows if row.name in (*_EXITS, "agent_connected")), None)
        until = float(left.data.get("waited_s") or (left.at - begun).total_seconds()) if left else 0.0
        keys, at = self._keys(begun), 0.0
        for _ in range(MOST_TURNS):
            pressed = keys.pop(0) if keys and keys[0][0] <= at else None
            when = pressed[0] if pressed else at
            if when >= until or self.state.stage is not Stage.HOLD:
                break
            moment = begun + timedelta(seconds=when)
            if pressed:
                self._take(HoldKey(pressed[1]), moment)
            else:
                self._take(Waited(int(when), self._position(moment)), moment)
            served = self.state.served
            at = when + max(1.0, served.plays_ms / 1000 if served else 1.0)
        if left is not None and self.state.stage is Stage.HOLD:
            self._leave(left, begun + timedelta(seconds=until), int(until))

    def _keys(self, begun: datetime) -> list[tuple[float, str]]:
        found = [((row.at - begun).total_seconds(), _KEYS[row.name]) for row in self._rows if row.name in _KEYS]
        if self._first("heard") and (offered := self._first("offered")):
            found.append(((offered.at - begun).total_seconds(), "2"))
        return sorted(found)

    def _position(self, at: datetime) -> int | None:
        """The place told last, or else first."""
        known = [row for row in self._rows if isinstance(row.data.get("position"), int)]
        row = next((one for one in reversed(known) if one.at <= at), known[0] if known else None)
        return row.data["position"] if row else None

    def _leave(self, left: FactRow, at: datetime, waited_s: int) -> None:
        if left.name == "agent_connected":
            self._take(AgentAnswered(waited_s, None), at)
        else:
            self._take(LeftQueue(_EXITS[left.name], waited_s), at)


def _spoken(prompts: Sequence[Prompt]) -> Iterator[str]:
    for prompt in prompts:
        if isinstance(prompt, Ask):
            yield from _spoken(prompt.prompts)
        elif isinstance(prompt, Say):
            yield prompt.words
