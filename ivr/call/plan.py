"""The published plan as values.

Menus, leaves, queues, hours, wording, offer rules. Read-only during calls.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

#: per language code
Words = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening hours of a queue.

    `weekly[0]` is Monday: spans of minutes after midnight, half open, in `zone`.
    """

    zone: str
    weekly: tuple[tuple[tuple[int, int], ...], ...]
    holidays: frozenset[date] = frozenset()
    spoken: Words = field(default_factory=dict)  # "Monday to Friday, eight a m to eight p m"

    def closed_why(self, now: datetime) -> str | None:
        """None when open at `now` (aware), else "holiday" or "hours"."""
        local = now.astimezone(ZoneInfo(self.zone))
        if local.date() in self.holidays:
            return "holiday"
        minute = local.hour * 60 + local.minute
        return None if any(a <= minute < b for a, b in self.weekly[local.weekday()]) else "hours"


@dataclass(frozen=True, slots=True)
class Queue:
    """The line for agents. `name` 1-64 characters, as the carrier shows it."""

    name: str
    spoken: Words
    hours: Hours
    max_hold_s: int = 3600
    max_size: int | None = None
    overflow_number: str | None = None
    workflow_sid: str | None = None


@dataclass(frozen=True, slots=True)
class Leaf:
    """An end of the menu."""

    id: str
    queue: str
    topic: Words  # spoken after "about"
    ask: bool = False  # ask for a sentence first
    pinned: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # language -> article ids
    allowed_tags: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()  # article ids that are never offered here
    never_offer: bool = False
    discreet: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One branch of a menu, by key, label or synonym."""

    id: str
    key: str
    label: Words
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    menu: "Menu | None" = None
    leaf: Leaf | None = None


@dataclass(frozen=True, slots=True)
class Menu:
    """A question with at most five choices. `intro` is said before them (may be empty)."""

    id: str
    choices: tuple[Choice, ...]
    intro: Words = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Language:
    """A language callers may choose. `key` None for the first, which needs no choosing."""

    code: str  # "en"
    locale: str  # "en-US": speech recognition and voice
    voice: str  # the carrier's voice name
    rate_percent: int = 100
    key: str | None = None
    invite: str = ""  # in that very language: "Para español, oprima nueve."
    names: tuple[str, ...] = ()  # words that choose it by voice


#: what an offer during the hold listens to
KEYS = "keys"
SPEECH_AND_KEYS = "speech and keys"


@dataclass(frozen=True, slots=True)
class OfferRules:
    """When the offer is made. Times in seconds of waiting unless named otherwise."""

    first_after_s: int = 12
    unknown_wait_after_s: int = 30
    min_wait_s: int = 90
    min_position: int = 3
    reminder_after_s: int = 120
    further_after_s: int = 180
    typed_ahead_ms: int = 1500
    receipt_within_s: int = 45
    announce_every_s: int = 75
    answers_needed: int = 20
    listen: str = KEYS
    holdout_share: float = 0.10
    wrong_share: float = 0.10  # of the texts, that may be wrong
    texts_per_call: int = 2
    texts_per_day: int = 3
    typed_texts_per_day: int = 1
    return_within_h: int = 24
    follow_up: bool = False
    follow_up_after_h: int = 3
    quiet_from_h: int = 21  # texts nobody waits for, by the clock where the number is at home
    quiet_until_h: int = 8
    stopped: bool = False  # the big switch
    experiment: str = "offer-1"


@dataclass(frozen=True, slots=True)
class Plan:
    """One published version of everything a manager decides."""

    version: int
    brand: str
    main: Menu
    queues: Mapping[str, Queue]
    default_queue: str
    languages: tuple[Language, ...]
    wording: Mapping[str, Mapping[str, str]]  # language -> key -> template
    offers: OfferRules = field(default_factory=OfferRules)
    community_url: str = ""
    callback_number: str = ""  # the number to tap on the article page; default: the number that was called

    def language(self, code: str) -> Language:
        """The language of that code, the first one when there is none."""
        return next((one for one in self.languages if one.code == code), self.languages[0])

    def walk(self, path: tuple[str, ...]) -> Menu | Leaf:
        """The menu or leaf at the end of a path of choice ids. Raises KeyError for a path that is none."""
        here: Menu = self.main
        for n, step in enumerate(path):
            choice = next((c for c in here.choices if c.id == step), None)
            if choice is None:
                raise KeyError(step)
            if choice.leaf is not None:
                if n + 1 != len(path):
                    raise KeyError(path[n + 1])
                return choice.leaf
            assert choice.menu is not None
            here = choice.menu
        return here

    def leaves(self) -> dict[str, tuple[tuple[str, ...], Leaf]]:
        """Leaf id -> (path, leaf), in menu order."""
        found: dict[str, tuple[tuple[str, ...], Leaf]] = {}

        def visit(menu: Menu, path: tuple[str, ...]) -> None:
            for choice in menu.choices:
                here = (*path, choice.id)
                if choice.leaf is not None:
                    found[choice.leaf.id] = (here, choice.leaf)
                elif choice.menu is not None:
                    visit(choice.menu, here)

        visit(self.main, ())
        return found

    def labels(self, path: tuple[str, ...], language: str) -> tuple[str, ...]:
        """The spoken labels of a path, outermost first; unknown steps are left out."""
        said: list[str] = []
        here: Menu | None = self.main
        for step in path:
            choice = next((c for c in here.choices if c.id == step), None) if here else None
            if choice is None:
                break
            said.append(choice.label.get(language) or next(iter(choice.label.values())))
            here = choice.menu
        return tuple(said)
