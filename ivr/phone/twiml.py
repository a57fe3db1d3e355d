"""TwiML read to the letter: verbs in order, case-sensitive names, warnings for what Twilio would ignore."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass

from ivr.phone.transport import Answer

LARGEST = 64 * 1024
GATHER = frozenset(
    {
        "action",
        "method",
        "input",
        "numDigits",
        "finishOnKey",
        "timeout",
        "speechTimeout",
        "actionOnEmptyResult",
        "hints",
        "language",
        "speechModel",
        "profanityFilter",
        "partialResultCallback",
        "partialResultCallbackMethod",
        "enhanced",
        "bargeIn",
        "maxSpeechTime",
        "debug",
    }
)
DIAL = frozenset(
    {
        "action",
        "method",
        "timeout",
        "callerId",
        "timeLimit",
        "hangupOnStar",
        "record",
        "trim",
        "ringTone",
        "answerOnBridge",
        "recordingStatusCallback",
        "recordingStatusCallbackMethod",
        "recordingStatusCallbackEvent",
    }
)
ATTRIBUTES: dict[str, frozenset[str]] = {
    "Say": frozenset({"voice", "language", "loop"}),
    "Play": frozenset({"loop", "digits"}),
    "Pause": frozenset({"length"}),
    "Gather": GATHER,
    "Redirect": frozenset({"method"}),
    "Hangup": frozenset(),
    "Reject": frozenset({"reason"}),
    "Leave": frozenset(),
    "Enqueue": frozenset({"action", "method", "waitUrl", "waitUrlMethod", "workflowSid", "maxQueueSize"}),
    "Dial": DIAL,
    "Queue": frozenset({"url", "method", "reservationSid", "postWorkActivitySid"}),
    "Number": frozenset(
        {
            "url",
            "method",
            "sendDigits",
            "statusCallback",
            "statusCallbackEvent",
            "statusCallbackMethod",
            "byoc",
        }
    ),
    "Task": frozenset({"priority", "timeout"}),
    "Message": frozenset({"to", "from", "action", "method", "statusCallback"}),
    "Body": frozenset(),
    "Media": frozenset(),
}
CHILDREN: dict[str, frozenset[str]] = {
    "Gather": frozenset({"Say", "Play", "Pause"}),
    "Enqueue": frozenset({"Task"}),
    "Dial": frozenset({"Queue", "Number"}),
    "Message": frozenset({"Body", "Media"}),
}
MAIN = frozenset({"Say", "Play", "Pause", "Gather", "Redirect", "Hangup", "Reject", "Leave", "Enqueue", "Dial"})
WAIT = frozenset({"Play", "Say", "Pause", "Hangup", "Redirect", "Leave", "Gather"})
WHISPER = frozenset({"Play", "Say", "Pause", "Redirect"})
_POSITIVE = re.compile(r"[1-9][0-9]{0,5}")
_NUMERIC = {
    ("Gather", "numDigits"),
    ("Gather", "timeout"),
    ("Gather", "speechTimeout"),
    ("Pause", "length"),
    ("Dial", "timeout"),
    ("Dial", "timeLimit"),
    ("Task", "timeout"),
    ("Enqueue", "maxQueueSize"),
}
_CHOICES: dict[tuple[str, str], frozenset[str]] = {
    ("Gather", "input"): frozenset({"dtmf", "speech", "dtmf speech", "speech dtmf"}),
    ("Gather", "actionOnEmptyResult"): frozenset({"true", "false"}),
    ("Gather", "finishOnKey"): frozenset([*"0123456789#*", ""]),
    ("Reject", "reason"): frozenset({"rejected", "busy"}),
}

Warn = Callable[[int, str], None]


class Unusable(Exception):
    """A document Twilio cannot execute; `code` is the error it would log."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Verb:
    """One element: its name, attributes, own text (all of it, markup inside `Say` removed) and children."""

    name: str
    attributes: dict[str, str]
    text: str
    children: tuple["Verb", ...] = ()

    def get(self, name: str, default: str = "") -> str:
        """An attribute, or `default` when it is absent."""
        return self.attributes.get(name, default)

    def number(self, name: str, default: int) -> int:
        """A whole-number attribute; anything unreadable counts as absent."""
        value = self.attributes.get(name, "")
        return int(value) if value.isascii() and value.isdigit() else default

    def child(self, name: str) -> "Verb | None":
        """The first child of that name."""
        return next((child for child in self.children if child.name == name), None)


def _check_attributes(verb: Verb, warn: Warn) -> None:
    for name, value in verb.attributes.items():
        key = (verb.name, name)
        if name not in ATTRIBUTES[verb.name]:
            warn(12200, f"<{verb.name}> has no attribute {name!r}; ignored")
        elif key in _NUMERIC and value != "auto" and not _POSITIVE.fullmatch(value):
            warn(12200, f"<{verb.name} {name}={value!r}>: expected a whole number above 0")
        elif key in _CHOICES and value not in _CHOICES[key]:
            warn(12200, f"<{verb.name} {name}={value!r}>: expected one of {sorted(_CHOICES[key])}")
        elif name in ("method", "waitUrlMethod") and value not in ("GET", "POST"):
            warn(12200, f"<{verb.name} {name}={value!r}>: expected GET or POST")
        elif name == "loop" and not value.isdigit():
            warn(12200, f"<{verb.name} loop={value!r}>: expected 0 or more")


def _verb(element: ET.Element, warn: Warn) -> Verb | None:
    if element.tag not in ATTRIBUTES:
        warn(12200, f"unknown element <{element.tag}>; skipped")
        return None
    speaks = element.tag == "Say"
    text = "".join(element.itertext()) if speaks else (element.text or "")
    if speaks and any(child.tag == "Pause" for child in element):
        warn(12200, "<Pause> inside <Say>; put it outside")
    children = () if speaks else _children(element, warn)
    verb = Verb(element.tag, dict(element.attrib), text.strip(), children)
    _check_attributes(verb, warn)
    return verb


def _children(element: ET.Element, warn: Warn) -> tuple[Verb, ...]:
    allowed = CHILDREN.get(element.tag, frozenset())
    read = []
    for child in element:
        if child.tag not in allowed:
            warn(12200, f"<{child.tag}> may not be nested in <{element.tag}>; skipped")
            continue
        if (verb := _verb(child, warn)) is not None:
            read.append(verb)
    return tuple(read)


def parse(body: bytes | str, warn: Warn) -> list[Verb]:
    """The verbs of a TwiML document; raises Unusable (11750 too large, 12100 ill-formed or no `Response`)."""
    raw = body.encode() if isinstance(body, str) else body
    if len(raw) > LARGEST:
        raise Unusable(11750, f"document of {len(raw)} bytes, more than {LARGEST}")
    if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
        raise Unusable(12100, "document type declarations are not read")
    try:
        root = ET.fromstring(raw)
    except (ET.ParseError, ValueError, LookupError) as problem:
        raise Unusable(12100, f"ill-formed XML: {problem}") from problem
    if root.tag != "Response":
        raise Unusable(12100, f"the document is <{root.tag}>, not <Response>")
    if root.attrib:
        warn(12200, "<Response> takes no attributes")
    if (root.text or "").strip() or any((child.tail or "").strip() for child in root):
        warn(12200, "text between the verbs is ignored")
    read = (_verb(child, warn) for child in root)
    return [verb for verb in read if verb is not None]


def document(answer: Answer, warn: Warn) -> list[Verb]:
    """What Twilio executes for an answer: TwiML by its media type; plain text is spoken, then hung up.

    Raises Unusable: 11200 for 4xx/5xx, 12300 for no or a foreign media type, and as `parse`.
    """
    if answer.status >= 400:
        raise Unusable(11200, f"HTTP {answer.status}")
    if answer.status == 204 or (not answer.body.strip() and answer.mime in ("", "text/html", "text/plain")):
        return []
    if answer.mime in ("text/xml", "application/xml", "text/html"):
        return parse(answer.body, warn)
    if answer.mime != "text/plain":
        raise Unusable(12300, f"media type {answer.mime or 'missing'}")
    try:
        return parse(answer.body, warn)
    except Unusable as problem:
        if problem.code == 11750:
            raise
        warn(12200, "text/plain is read aloud, then the call is hung up")
        spoken = answer.body.decode("utf-8", "replace").strip()
        return [Verb("Say", {}, spoken), Verb("Hangup", {}, "")]
