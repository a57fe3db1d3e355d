"""Plays a call through the pure flow: events in, words and facts out, the state through JSON between turns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ivr.call.effects import QueueText, Search, Step
from ivr.call.events import (
    AgentAnswered,
    CallEnded,
    CallStarted,
    Event,
    Found,
    HoldKey,
    LeftQueue,
    OverflowEnded,
    Pressed,
    Said,
    Silent,
    TextProgress,
    Waited,
)
from ivr.call.flow import decide
from ivr.call.moment import Incident, Moment, NumberCheck, Outlook
from ivr.call.plan import Choice, Hours, Language, Leaf, Menu, OfferRules, Plan, Queue
from ivr.call.prompts import Ask, CallNumber, HangUp, Hold, LeaveQueue, Music, Prompt, Say
from ivr.call.state import Caller, CallerKind, CallState, Returning, Stage, from_json, to_json
from ivr.call.values import replace
from ivr.call.wording import WORDING
from search.result import ArticleCard

NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # a Monday, noon in New York
ROUTER = ArticleCard("router-1", "Router light stays red", "Unplug it for a minute.", None, 0, 0, "en")
CABLE = ArticleCard(
    "cable-2", "Loose cable behind the wall", "Push the cable in until it clicks.", "Dana K.", 41, 0, "en"
)
SILENT_CARD = ArticleCard("code-3", "Reset by web page", None, None, 5, 7, "en")
SPANISH = ArticleCard("es-1", "Luz roja en el router", "Desenchufe el router un minuto.", None, 0, 0, "es")
BUSY = {name: Outlook(50, 60.0) for name in ("general", "technical", "billing")}

_ENGLISH = {
    "greeting": "Welcome to {brand}.",
    "menu_choice": "For {label}, press {key}.",
    "menu_or_say": "Or just say it.",
    "no_input": "Take your time.",
    "wrong_input": "I did not get that.",
    "to_default_queue": "A person will help you.",
    "joining": "You are in line for {queue}.",
    "returning": "About {topic}? Press 1.",
    "position": "You are number {position} in line.",
    "wait_range": "About {low} to {high} minutes.",
    "offer_opening": "While you hold: {who} fixed '{title}'.",
    "another_customer": "another customer",
    "proof_useful": "{n} people found this useful.",
    "proof_helped": "It has helped {n} callers.",
    "offer_text_or_hear": "For the steps by text, press 1. To hear them, press 2. You keep your place.",
    "offer_text": "For the steps by text, press 1. You keep your place.",
    "offer_hear": "To hear the steps, press 2. You keep your place.",
    "closed_offer_opening": "Meanwhile: {who} fixed '{title}'.",
    "reminder": "Still here: '{title}'.",
    "read_back": "I have {digits}. If right, press 1. Again, press 2.",
    "closed_hours": "We are here {hours}.",
    "closed_holiday": "Holiday. We are here {hours}.",
    "incident_news": "For news by text, press 1.",
}


def wording(language: str) -> Mapping[str, str]:
    """Every sentence; those without words above are their own key in brackets."""
    mark = "" if language == "en" else f"{language} "
    return {key: mark + _ENGLISH.get(key, f"[{key}]") for key in WORDING}


def leaf(name: str, queue: str, **more: Any) -> Leaf:
    return Leaf(name, queue, {"en": f"your {name}", "es": f"su {name}"}, **more)


def choice(name: str, key: str, *synonyms: str, menu: Menu | None = None, end: Leaf | None = None) -> Choice:
    labels = {"en": name.replace("-", " "), "es": f"{name} es"}
    return Choice(name, key, labels, {"en": synonyms}, menu, end)


def make_plan(**rules: Any) -> Plan:
    """A small company: mobile, billing, Internet with a submenu, cancelling, and a closed shop."""
    always = Hours("America/New_York", (((0, 1440),),) * 7)
    shop = Hours(
        "America/New_York",
        (((540, 600),),) + ((),) * 6,
        frozenset({NOON.date() + timedelta(days=7)}),
        {"en": "Mondays at 9"},
    )
    internet = Menu(
        "internet",
        (
            choice("red-light", "1", "red light", end=leaf("red-light", "technical", pinned={"en": ("router-1",)})),
            choice("not-online", "2", "router not online", "offline", end=leaf("not-online", "technical", ask=True)),
        ),
        {"en": "About the Internet."},
    )
    main = Menu(
        "main",
        (
            choice(
                "mobile",
                "1",
                "cell phone",
                "phone",
                end=leaf("mobile", "general", ask=True, allowed_tags=frozenset({"mobile"})),
            ),
            choice("billing", "2", "bill", "invoice", end=leaf("billing", "billing", discreet=True)),
            choice("internet", "3", "wi-fi", "router", menu=internet),
            choice("cancel", "4", "cancel", "bereavement", end=leaf("cancel", "general", never_offer=True)),
            choice("shop", "5", "store", end=leaf("shop", "shop")),
        ),
    )
    queues = {
        "general": Queue("general", {"en": "customer care"}, always),
        "technical": Queue("technical", {"en": "technical support"}, always, workflow_sid="WW1"),
        "billing": Queue("billing", {"en": "billing"}, always, max_hold_s=900, overflow_number="+15005550006"),
        "shop": Queue("shop", {"en": "the shop"}, shop),
    }
    languages = (
        Language("en", "en-US", "Polly.Joanna"),
        Language(
            "es", "es-US", "Polly.Lupe", key="9", invite="Para español, oprima nueve.", names=("español", "spanish")
        ),
    )
    return Plan(
        7, "Lumora", main, queues, "general", languages, {"en": wording("en"), "es": wording("es")}, OfferRules(**rules)
    )


def make_caller(kind: CallerKind = CallerKind.MOBILE, **more: Any) -> Caller:
    return Caller(kind, None if kind is CallerKind.WITHHELD else "k1", more.pop("bucket", 5000), **more)


@dataclass
class Play:
    """One caller. `finds` are the finder's cards; `outlook` how fast the queues are answered."""

    plan: Plan = field(default_factory=make_plan)
    caller: Caller = field(default_factory=make_caller)
    finds: tuple[ArticleCard, ...] = (ROUTER, CABLE)
    outlook: Mapping[str, Outlook] = field(default_factory=lambda: BUSY)
    now: datetime = NOON
    closed_queues: frozenset[str] = frozenset()
    stopped: bool = False
    crowded: bool = False
    stopped_queues: frozenset[str] = frozenset()
    incidents: tuple[Incident, ...] = ()
    facts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    texts: list[QueueText] = field(default_factory=list)
    searches: list[Search] = field(default_factory=list)
    prompts: tuple[Prompt, ...] = ()
    step: Step | None = None
    check: Callable[[str], NumberCheck] = lambda keys: NumberCheck("+12025550143")
    refusal: str | None = None

    def __post_init__(self) -> None:
        self.state = CallState("CA1", self.plan.version, self.caller, "+15005550006", self.ms)

    @property
    def ms(self) -> int:
        return int(self.now.timestamp() * 1000)

    def moment(self, keys: str = "") -> Moment:
        check = self.check(keys) if keys else None
        return Moment(
            self.now,
            self.outlook,
            self.closed_queues,
            check,
            self.refusal,
            stopped=self.stopped,
            crowded=self.crowded,
            stopped_queues=self.stopped_queues,
            incidents=self.incidents,
        )

    def take(self, event: Event, keys: str = "") -> "Play":
        """One turn, with the search within it; the new facts are `self.new`."""
        step = decide(self.state, event, self.plan, self.moment(keys))
        self.new = list(step.facts)
        if step.search is not None:
            assert not step.prompts
            self.searches.append(step.search)
            found = Found(self.finds, None if self.finds else "nothing_near", 0.8, 0.2, "index-1")
            step = decide(through_json(step.state), found, self.plan, self.moment())
            self.new += step.facts
        self.facts += [(fact.name, fact.data) for fact in self.new]
        if step.text:
            self.texts.append(step.text)
        self.step, self.prompts = step, step.prompts
        assert_playable(step)
        self.state = replace(through_json(step.state), turn=self.state.turn + 1)
        return self

    def start(self, returning: Returning | None = None) -> "Play":
        return self.take(CallStarted(returning))

    def press(self, keys: str, after_s: float = 5) -> "Play":
        self.rest(after_s)
        return self.take(Pressed(keys), keys)

    def say(self, words: str, confidence: float | None = 0.9) -> "Play":
        self.rest(5)
        return self.take(Said(words, confidence))

    def silent(self) -> "Play":
        self.rest(8)
        return self.take(Silent())

    def rest(self, seconds: float) -> "Play":
        self.now += timedelta(seconds=seconds)
        return self

    def wait(self, to_s: int, position: int | None = 7, **texts: str) -> "Play":
        """The wait loop comes round at `to_s` seconds in the queue. `texts`: article (with _ for -) -> status."""
        self.rest(max(0, to_s - self.state.waited_s))
        return self.take(Waited(to_s, position, _progress(texts)))

    def key(self, keys: str, after_s: float = 20) -> "Play":
        """A key in the queue, so long after the last words were served (as long as an offer takes, by default)."""
        self.rest(after_s)
        return self.take(HoldKey(keys), keys)

    def agent(self, after_s: float = 30) -> "Play":
        self.rest(after_s)
        return self.take(AgentAnswered(None, "CA2"))

    def leave(self, result: str, after_s: float = 30, waited_s: int | None = None) -> "Play":
        self.rest(after_s)
        return self.take(LeftQueue(result, waited_s))

    def end(self, after_s: float = 0) -> "Play":
        self.rest(after_s)
        return self.take(CallEnded("completed", 100))

    def overflow(self, status: str) -> "Play":
        return self.take(OverflowEnded(status))

    def to_hold(self, *keys: str) -> "Play":
        """From the greeting to the queue by keys (default: the pinned Internet leaf)."""
        self.start()
        for key in keys or ("3", "1"):
            self.press(key)
        assert self.state.stage is Stage.HOLD
        return self

    def to_offer(self) -> "Play":
        """On hold, the offer just served."""
        self.to_hold().wait(0).wait(15)
        assert self.state.served is not None
        assert self.state.served.what == "offer"
        return self

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.facts]

    @property
    def new_names(self) -> list[str]:
        return [fact.name for fact in self.new]

    def data(self, name: str) -> dict[str, Any]:
        """The data of the only fact of that name."""
        (found,) = [data for one, data in self.facts if one == name]
        return found

    @property
    def heard(self) -> str:
        """The words of the last prompts."""
        return " ".join(one.words for one in says(self.prompts))


def says(prompts: tuple[Prompt, ...]) -> list[Say]:
    inner = [one for prompt in prompts for one in (prompt.prompts if isinstance(prompt, Ask) else (prompt,))]
    return [one for one in inner if isinstance(one, Say)]


def through_json(state: CallState) -> CallState:
    again = from_json(to_json(state))
    assert again == state
    return again


def assert_playable(step: Step) -> None:
    """What a step serves can be played, and the call goes on after it."""
    stage, prompts = step.state.stage, step.prompts
    for one in says(prompts):
        assert one.words.strip()
    if not prompts:
        assert stage in (Stage.AGENT, Stage.ENDED, Stage.CLOSED) or step.search is not None
        return
    last = prompts[-1]
    if stage is Stage.HOLD and not isinstance(last, Hold | LeaveQueue):
        assert isinstance(last, Ask)
        assert last.action == "hold-key"
        if not last.hear_silence:
            assert last.speech or isinstance(last.prompts[-1], Music)
    elif stage in (Stage.MENU, Stage.DESCRIBE, Stage.RETURNING):
        assert isinstance(last, Ask)
        assert last.action == {"menu": "menu", "describe": "describe", "returning": "returning"}[stage.value]
        assert last.hear_silence
    elif stage is Stage.CLOSED:
        assert isinstance(last, Ask | HangUp | CallNumber)


def _progress(texts: Mapping[str, str]) -> tuple[TextProgress, ...]:
    return tuple(TextProgress(article.replace("_", "-"), status) for article, status in texts.items())
