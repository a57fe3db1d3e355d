"""The carrier's webhooks as typed values. Every reader is total: a missing, repeated, endless or hostile
value becomes None or a default, never an error. Parameter names: twilio.com/docs/voice/twiml and
/messaging/guides/webhook-request.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ivr.carrier.speech import clean, cut

CALL_SID = re.compile(r"CA[0-9a-f]{32}")
MESSAGE_SID = re.compile(r"(?:SM|MM)[0-9a-f]{32}")
LONGEST_KEYS = 32
LONGEST_SPEECH = 1000  # a minute of listening is about 200 words
LONGEST_TEXT = 1600  # the carrier's own bound of a message
LONGEST_NAME = 200
LARGEST_COUNT = 10_000_000
#: the words of CallStatus after which nothing more comes; a call whose events are all told has others before them
LAST = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
_BEFORE_AN_ANSWER = frozenset({"queued", "initiated", "ringing"})  # CallStatus of a call's first webhook
_TOKEN = re.compile(r"[0-9A-Za-z-]{8,64}")
_KEYS = re.compile(r"[0-9*#]+")
_COUNT = re.compile(r"[0-9]{1,9}")
_CHANNEL = re.compile(r"^(?:whatsapp|rcs):", re.IGNORECASE)  # one person, whatever the text came by: STOP holds for all
_CONFIDENCE = re.compile(r"[01](?:\.[0-9]{1,20})?")
_WORD = re.compile(r"[0-9A-Za-z_-]{1,40}")

Form = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A call coming in. `arm` is the test phone's switch ("treat", "draw", "holdout"), empty on real calls; `plan` the
    draft it asks for, by its version, None on real calls. `answered` is False for a call that comes in for the first
    time and True for one that was sent back to our number.
    """

    call_sid: str
    account_sid: str
    from_: str
    to: str
    stir_verstat: str = ""
    arm: str = ""
    plan: int | None = None
    answered: bool = True

    @property
    def is_borrowed(self) -> bool:
        """Whether the network found that `from_` is not the number of whoever calls (SHAKEN/STIR). Most calls come
        without a verdict, which says nothing."""
        return self.stir_verstat.startswith("TN-Validation-Failed")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back to a question: keys or words, both empty for silence."""

    keys: str = ""
    words: str = ""
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A snapshot of the wait loop. What the carrier gave no sense in is None."""

    waited_s: int | None
    position: int | None


@dataclass(frozen=True, slots=True)
class Connecting:
    """An agent's call takes the front caller of a queue."""

    waited_s: int | None
    agent_call_sid: str | None


@dataclass(frozen=True, slots=True)
class QueueLeft:
    """The queue let go of a call."""

    result: str
    waited_s: int | None


@dataclass(frozen=True, slots=True)
class Ended:
    """A call, or a call made by `<Dial>`, came to its end."""

    status: str
    duration_s: int | None


@dataclass(frozen=True, slots=True)
class Message:
    """A text from outside. `opt_out_type` only where the carrier has answered STOP, START or HELP itself."""

    message_sid: str
    from_: str
    to: str
    body: str
    opt_out_type: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """How far the carrier has brought a text."""

    message_sid: str
    status: str
    code: int | None = None


def _count(form: Form, name: str) -> int | None:
    value = form.get(name, "").strip()
    return min(int(value), LARGEST_COUNT) if _COUNT.fullmatch(value) and value.isascii() else None


def _word(form: Form, name: str, otherwise: str = "") -> str:
    value = form.get(name, "").strip()
    return value if _WORD.fullmatch(value) else otherwise


def _line(form: Form, name: str) -> str:
    return clean(form.get(name, "")[:LONGEST_NAME])


def call_sid(form: Form, name: str = "CallSid") -> str | None:
    """The call's id, None for anything that is none."""
    value = form.get(name, "")
    return value if CALL_SID.fullmatch(value) else None


def message_sid(form: Form) -> str | None:
    """The message's id, None for anything that is none."""
    value = form.get("MessageSid", "")
    return value if MESSAGE_SID.fullmatch(value) else None


def incoming(form: Form) -> Incoming | None:
    """The call coming in; None without a CallSid."""
    sid = call_sid(form)
    if sid is None:
        return None
    return Incoming(
        call_sid=sid,
        account_sid=_word(form, "AccountSid"),
        from_=_line(form, "From"),
        to=_line(form, "To"),
        stir_verstat=_word(form, "StirVerstat"),
        arm=_word(form, "OffholdArm"),
        plan=_count(form, "OffholdPlan"),
        answered=_word(form, "CallStatus").lower() not in _BEFORE_AN_ANSWER,
    )


def caller_number(form: Form) -> str:
    """The number the call came from, as the carrier names it; may be no number at all."""
    return _line(form, "From")


def answer(form: Form) -> Answer:
    """Keys or words of a question's answer. Missing, empty and blank are the same silence.

    Recognised words lose the full stop the recogniser adds. A masked or missing confidence is None.
    """
    keys = "".join(form.get("Digits", "")[: 4 * LONGEST_KEYS].split())[:LONGEST_KEYS]
    if _KEYS.fullmatch(keys):
        return Answer(keys=keys)
    words = cut(clean(form.get("SpeechResult", "")[: 4 * LONGEST_SPEECH]), LONGEST_SPEECH).rstrip(" .…。")
    if not words:
        return Answer()
    said = form.get("Confidence", "").strip()
    confidence = min(float(said), 1.0) if _CONFIDENCE.fullmatch(said) else None
    return Answer(words=words, confidence=confidence)


def waiting(form: Form) -> Waiting:
    """Where the caller stands in the queue."""
    position = _count(form, "QueuePosition")
    return Waiting(_count(form, "QueueTime"), position or None)


def connecting(form: Form) -> Connecting:
    """Who takes the call ("DequeingCallSid" is the carrier's own spelling)."""
    return Connecting(_count(form, "QueueTime"), call_sid(form, "DequeingCallSid"))


def queue_left(form: Form) -> QueueLeft:
    """Why the queue let go. An unreadable result is "unknown"."""
    return QueueLeft(_word(form, "QueueResult", "unknown"), _count(form, "QueueTime"))


def ended(form: Form) -> Ended:
    """The end of a call."""
    return Ended(_word(form, "CallStatus", "unknown").lower(), _count(form, "CallDuration"))


def dial_ended(form: Form) -> Ended:
    """The end of a call made by `<Dial>`."""
    return Ended(_word(form, "DialCallStatus", "unknown"), _count(form, "DialCallDuration"))


def message(form: Form) -> Message | None:
    """A text from outside; None without a MessageSid."""
    sid = form.get("MessageSid", "")
    if not MESSAGE_SID.fullmatch(sid):
        return None
    # Lines are kept: the reader of replies judges the words, and NUL may not reach the database.
    body = form.get("Body", "")[:LONGEST_TEXT].replace("\x00", "").encode("utf-8", "replace").decode()
    from_, to = (_CHANNEL.sub("", _line(form, name)) for name in ("From", "To"))
    return Message(sid, from_, to, body, _word(form, "OptOutType").upper() or None)


def our_id(query: Form, name: str = "text") -> str:
    """An id of ours that came back in an address; empty for anything that is none."""
    return _word(query, name)


def receipt(form: Form) -> Receipt | None:
    """A receipt; None without a MessageSid and a status."""
    sid, status = form.get("MessageSid", ""), _word(form, "MessageStatus").lower()
    if not MESSAGE_SID.fullmatch(sid) or not status:
        return None
    return Receipt(sid, status, _count(form, "ErrorCode"))


def mark(form: Form, token: str | None) -> str:
    """What tells a repeat of a webhook whose address cannot change: the carrier's idempotency token, or else,
    led by "=", a hash of the values that move between two such webhooks.
    """
    if token and _TOKEN.fullmatch(token):
        return token
    names = ("CallSid", "QueueTime", "QueuePosition", "QueueResult", "DequeingCallSid", "CallStatus")
    moved = "\x1f".join(form.get(name, "") for name in names)
    return "=" + hashlib.sha256(moved.encode("utf-8", "replace")).hexdigest()[:24]
