"""A call as a frozen value, written to and read from JSON between every two turns."""

from enum import StrEnum
from typing import Any

import msgspec

from ivr.call.prompts import Say
from ivr.call.values import Value, replace
from search.result import ArticleCard


class Stage(StrEnum):
    """Where the caller is."""

    RETURNING = "returning"  # asked "About <topic>? Press 1"
    MENU = "menu"  # at the menu named by `path`
    DESCRIBE = "describe"  # asked to say in a sentence what is wrong
    HOLD = "hold"  # in the queue
    CLOSED = "closed"  # nobody can answer: the article once, then goodbye or the overflow number
    AGENT = "agent"  # talking to a person
    ENDED = "ended"


class Keying(StrEnum):
    """The part of the hold in which a caller types the mobile number to text."""

    NO = "no"
    NUMBER = "number"
    CONFIRM = "confirm"


class CallerKind(StrEnum):
    """What is known of the caller's number before any text."""

    MOBILE = "mobile"  # mobile, or a plan in which mobile and fixed lines look alike (United States)
    LANDLINE = "landline"
    WITHHELD = "withheld"
    SIP = "sip"
    OTHER = "other"  # premium, toll-free, foreign, our own number ...: never texted


class Caller(Value, frozen=True):
    """The person, as far as a call may know them. `key` is the keyed hash of the number, None without one.

    `bucket` (0..9999) is the experiment's draw, made from the key (from the CallSid without one).
    `number_id` names the sealed number in the database; the number itself is never in the state.
    """

    kind: CallerKind
    key: str | None
    bucket: int
    opted_out: bool = False
    texts_today: int = 0  # texts to this number in the last 24 h, counted when the call began
    test: bool = False  # a call of the test phone: in no figure
    force_arm: str | None = None  # the test phone's switch: "treat", "holdout" or None = draw

    @property
    def textable(self) -> bool:
        """Whether a text may go to the number the call came from."""
        return self.kind is CallerKind.MOBILE and not self.opted_out


class Returning(Value, frozen=True):
    """A caller texted within the last 24 h: where the earlier call led."""

    topic: str  # speakable, in the caller's language; generic for discreet leaves
    leaf: str
    path: tuple[str, ...]
    language: str


class Served(Value, frozen=True):
    """Words last put before the caller.

    What, when (Unix ms), and how long their speech takes (estimate, ms).
    """

    what: str  # offer | reminder | short | other
    at_ms: int
    speech_ms: int
    plays_ms: int = 0  # the whole document of the wait loop, music and listening included


class Offer(Value, frozen=True):
    """One article before this caller."""

    card: ArticleCard
    hear: bool  # key 2 was in the words
    text: bool  # key 1 was in the words
    first_ms: int  # when first served, Unix ms
    first_waited_s: int
    played: bool = False  # the choice line was heard to its end, or answered: fact `offered` is written
    cut: bool = False  # broken off for good before that: fact `offer_cut` is written
    re_asked: bool = False  # a typed-ahead key was answered by asking once again
    reminded: bool = False
    silent: bool = False  # fact `no_input` is written
    declined: bool = False
    withdrawn: bool = False  # its article was withdrawn since: it is neither told nor texted any more
    accepted_ms: int | None = None  # the clear yes: fact `accepted` is written
    texted_ms: int | None = None  # the text was queued (later than the yes where a number is typed)
    texted_waited_s: int | None = None  # `CallState.waited_s` then
    heard_ms: int | None = None  # the short version was played to its end
    answered_waited_s: int | None = None  # `CallState.waited_s` at the first of the yes and that end
    news_told: bool = False  # arrived / may not have arrived was said once

    @property
    def heard(self) -> bool:
        """Whether the short version was played to its end."""
        return self.heard_ms is not None

    @property
    def open(self) -> bool:
        """Whether neither a yes, a no nor the short version has answered it, and it still stands."""
        return not (self.declined or self.withdrawn or self.heard or self.accepted_ms is not None)


class CallState(Value, frozen=True):
    """Everything the next turn needs. `turn` counts turns taken; action URLs carry it."""

    call_sid: str
    plan_version: int
    caller: Caller
    number: str  # the number called, as the carrier names it
    started_ms: int
    turn: int = 0
    stage: Stage = Stage.MENU
    language: str = "en"
    path: tuple[str, ...] = ()  # ids of the choices taken
    leaf: str | None = None
    queue: str | None = None
    tries: int = 0  # no or wrong input at this question so far
    notice_given: bool = False  # "what you say is written down" was said
    transcript: str = ""  # digits masked
    confidence: float | None = None
    index_version: str | None = None
    candidates: tuple[ArticleCard, ...] = ()  # what the finder allows to be offered, best first, at most 2
    no_match: str | None = None  # why there is none
    score: float | None = None
    returning: Returning | None = None
    rejoined: bool = False  # came back for the same problem: no offer in this call
    arm: str | None = None  # treat | holdout once drawn
    refused: tuple[str, ...] = ()  # offer_refused reasons already on record
    offers: tuple[Offer, ...] = ()  # at most 2; the last one is the current one
    keying: Keying = Keying.NO
    keyed: str = ""  # the typed number while it is confirmed (E.164); emptied afterwards
    keyed_tries: int = 0
    texts_asked: int = 0  # texts queued by this call
    waited_s: int = 0
    position: int | None = None
    said_position: int | None = None  # last position told
    announced_s: int | None = None  # waited_s at the last announcement
    quoted_until_s: int | None = None  # waited_s by which the quoted wait has passed
    apologised: bool = False
    requeued: bool = False  # a queue error was mended once
    served: Served | None = None
    last_said: tuple[Say, ...] = ()  # for `*`: the words of the last prompt (never a typed number)
    agent_call_sid: str | None = None
    closed_why: str | None = None
    closed_ms: int | None = None  # when that was said
    left: str | None = None  # the fact that closed the hold
    over: bool = False  # the carrier said the call is over: fact `call_ended` is written
    incidents: tuple[int, ...] = ()  # those the caller was told of
    news_of: int | None = None  # the incident of which key 1 asks for news by text
    news_asked: tuple[int, ...] = ()  # those whose news the caller was asked about
    news_re_asked: bool = False  # the latest question was asked again, for a key typed ahead
    news_texted: tuple[int, ...] = ()  # those whose news is on its way
    hold_seen: tuple[str, ...] = ()  # marks of the hold requests, newest last

    @property
    def offer(self) -> Offer | None:
        """The current offer."""
        return self.offers[-1] if self.offers else None

    def with_offer(self, **changes: Any) -> "CallState":
        """The state with its current offer changed."""
        return replace(self, offers=(*self.offers[:-1], replace(self.offers[-1], **changes)))


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(CallState).decode


def to_json(state: CallState) -> str:
    """The state as compact JSON."""
    return _encode(state).decode()


def from_json(text: str) -> CallState:
    """The state out of `to_json`. Raises ValueError for anything else."""
    return _decode(text)
