"""One call as the carrier keeps it: who, where to, what was heard, and its request parameters."""

import secrets
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ivr.phone.agenda import Due

if TYPE_CHECKING:
    from ivr.phone.queueing import Member

WITHHELD = "+266696687"
"""What Twilio sends for a caller without a number: ANONYMOUS on a keypad."""
FINAL = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


def new_sid(prefix: str) -> str:
    """A fresh Twilio id: two letters and 32 hexadecimal digits."""
    return prefix + secrets.token_hex(16)


@dataclass(frozen=True)
class Request:
    """Something to fetch TwiML from: an absolute URL with the parameters of the step, or the TwiML itself."""

    url: str
    method: str = "POST"
    extra: tuple[tuple[str, str], ...] = ()
    twiml: str | None = None


@dataclass
class Heard:
    """One line of what was heard or happened; `t` is seconds since the call began."""

    t: float
    kind: str
    """say | play | pause | dtmf | speech | event"""
    text: str
    seconds: float = 0.0
    language: str = ""
    voice: str = ""
    cut_at: float | None = None
    """Seconds into it when a key or the end of the call stopped it."""

    def over_by(self, t: float) -> bool:
        """True when it had been heard to its end, or stopped, by `t`."""
        return self.cut_at is not None or self.t + self.seconds <= t + 1e-6


@dataclass
class Number:
    """A number of the account and its URLs (IncomingPhoneNumbers resource)."""

    number: str
    friendly_name: str = ""
    sid: str = field(default_factory=lambda: new_sid("PN"))
    voice_url: str = ""
    voice_method: str = "POST"
    voice_fallback_url: str = ""
    voice_fallback_method: str = "POST"
    status_callback: str = ""
    status_callback_method: str = "POST"
    sms_url: str = ""
    sms_method: str = "POST"
    sms_fallback_url: str = ""
    sms_fallback_method: str = "POST"


class Interrupt(Exception):
    """Something that takes a call out of whatever it is doing."""


class HungUp(Interrupt):
    """The call is over."""


class Moved(Interrupt):
    """REST told the call to go elsewhere."""

    def __init__(self, request: Request) -> None:
        super().__init__(request.url)
        self.request = request


@dataclass(frozen=True)
class Key:
    """A key pressed while the call listens."""

    key: str


@dataclass(frozen=True)
class Speech:
    """A sentence as recognised; no confidence = the field is left out, as Twilio sometimes does."""

    words: str
    confidence: float | None = 0.9


@dataclass(frozen=True)
class Joined:
    """Somebody is there now: a caller for a waiting agent, or the other side of a bridge."""


Signal = Key | Speech | Joined
Life = Generator[Any, Any, Any]
"""Yields `interpreter.Sleep` or `interpreter.Fetch`; is sent a Signal, an Answer or None (time is up)."""


@dataclass
class Call:
    """One leg. `withheld`, `sip` and the rest only shape the parameters."""

    from_: str
    to: str
    line: Number
    started_at: datetime
    account_sid: str
    sid: str = field(default_factory=lambda: new_sid("CA"))
    token: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    stir: str = ""
    arm: str = ""
    plan: str = ""
    """The version of a draft it asks for."""
    status: str = "ringing"
    ended_at: datetime | None = None
    heard: list[Heard] = field(default_factory=list)
    cookies: dict[str, str] = field(default_factory=dict)
    member: "Member | None" = None
    joined_queue: str = ""
    """Name of the last queue it was put into."""
    left_queue_at: datetime | None = None
    recordings: list[str] = field(default_factory=list)
    """Ids of what an account that records by itself has of it; the service asks for none."""
    deleted: bool = False
    """REST deleted the record; the ledger keeps it."""
    dialled_out: bool = False
    """It talks to a number reached by `<Dial><Number>`."""
    life: Life | None = None
    alarm: Due | None = None
    listens: frozenset[str] = frozenset()
    quiet: bool = False
    """A Gather waits and nothing is being played."""
    gathers_done: int = 0
    busy: bool = False
    inbox: list[Interrupt | Signal] = field(default_factory=list)
    partner: "Call | None" = None
    addresses: dict[str, str] = field(default_factory=dict)
    """Where the latest Gather, wait document and Enqueue action are: gather, hold, queue-result."""

    @property
    def over(self) -> bool:
        """True once the call has ended."""
        return self.status in FINAL

    def parameters(self, extra: tuple[tuple[str, str], ...] = ()) -> list[tuple[str, str]]:
        """The form Twilio sends for this call (TwiML voice request), then the step's own parameters."""
        pairs = [
            ("CallSid", self.sid),
            ("AccountSid", self.account_sid),
            ("From", self.from_),
            ("To", self.to),
            ("CallStatus", self.status),
            ("ApiVersion", "2010-04-01"),
            ("Direction", "inbound"),
            ("Caller", self.from_),
            ("Called", self.to),
            ("CallToken", self.token),
        ]
        for side in ("From", "To", "Caller", "Called"):
            pairs += [(side + part, "") for part in ("City", "State", "Zip")]
            country = "US" if (self.to if side in ("To", "Called") else self.from_).startswith("+1") else ""
            pairs.append((side + "Country", country))
        if self.stir:
            pairs.append(("StirVerstat", self.stir))
        if self.from_.startswith("sip:"):
            pairs += _sip(self.from_, self.sid)
        if self.arm:
            pairs.append(("OffholdArm", self.arm))
        if self.plan:
            pairs.append(("OffholdPlan", self.plan))
        return pairs + list(extra)

    def note(self, now: datetime, kind: str, text: str, **more: Any) -> Heard:
        """Write down one thing heard or done."""
        line = Heard(round((now - self.started_at).total_seconds(), 3), kind, text, **more)
        self.heard.append(line)
        return line

    def keep_cookies(self, headers: Mapping[str, str]) -> None:
        """Remember a cookie for the rest of the call."""
        pair = headers.get("set-cookie", "").split(";")[0]
        name, found, value = pair.partition("=")
        if found:
            self.cookies[name.strip()] = value.strip()


def _sip(address: str, call_sid: str) -> list[tuple[str, str]]:
    user, _, domain = address.removeprefix("sip:").partition("@")
    return [
        ("SipDomain", domain),
        ("SipDomainSid", "SD" + call_sid[2:]),
        ("SipCallId", f"{call_sid[2:]}@{domain}"),
        ("SipSourceIp", "192.0.2.10"),
        ("SipUsername", user),
    ]
