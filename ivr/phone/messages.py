"""Texts: accepted by REST or answered to a webhook, carried to handsets, reported by receipts."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import phonenumbers

from ivr.phone import twiml
from ivr.phone.call import Number, new_sid
from ivr.phone.handsets import OPT_IN, OPT_OUT, WORDS, Handset, Note
from ivr.phone.segments import segments
from ivr.phone.twiml import Unusable, Verb

if TYPE_CHECKING:
    from ivr.phone.engine import Carrier

LONGEST = 1600
QUEUED_S, SENT_S = 0.1, 0.6
TEST_TO = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
TEST_FROM = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
SAYINGS = {
    20003: "Authenticate",
    20404: "The requested resource was not found",
    20429: "Too Many Requests",
    21211: "Invalid 'To' Phone Number",
    21212: "Invalid From Number",
    21220: "Invalid call state",
    21408: "Permission to send an SMS has not been enabled for the region indicated by the 'To' number",
    21603: "A 'From' or 'MessagingServiceSid' parameter is required",
    21604: "A 'To' phone number is required",
    21606: "The 'From' phone number provided is not a valid message-capable Twilio phone number",
    21610: "Attempt to send to unsubscribed recipient",
    21611: "This 'From' number has exceeded the maximum number of queued messages",
    21612: "Message cannot be sent with the current combination of 'To' and 'From' parameters",
    21614: "'To' number is not a valid mobile number",
    21617: "The concatenated message body exceeds the 1600 character limit",
    21619: "A text message body or media urls must be specified",
}


class Refused(Exception):
    """REST says no: HTTP status, Twilio's code and its sentence."""

    def __init__(self, status: int, code: int, message: str = "") -> None:
        self.status, self.code = status, code
        self.message = message or SAYINGS.get(code, "Bad request")
        super().__init__(f"{code} {self.message}")


@dataclass
class Message:
    """One text; `body` becomes empty when redacted."""

    to: str
    from_: str
    body: str
    direction: str
    created_at: datetime
    service_sid: str = ""
    callback: str = ""
    status: str = "queued"
    sid: str = field(default_factory=lambda: new_sid("SM"))
    segments: int = 1
    error_code: int | None = None
    updated_at: datetime | None = None
    sent_at: datetime | None = None
    deleted: bool = False
    receipts: list[str] = field(default_factory=list)
    """Receipts sent to the service so far, in the order they were sent."""


class Texts:
    """All texts of the account. `messages` is the ledger of everything ever accepted from the service."""

    def __init__(self, carrier: "Carrier") -> None:
        self._carrier = carrier
        self.messages: list[Message] = []
        self.inbound: list[Message] = []
        self.handsets: dict[str, Handset] = {}
        self.blocked: set[tuple[str, str]] = set()
        """(handset, sender number or messaging service) pairs the carrier blocks after STOP."""
        self.advanced_opt_out = False

    def handset(self, number: str) -> Handset:
        """The handset of a number, made on demand."""
        return self.handsets.setdefault(number, Handset(number))

    # ---- out

    def create(self, form: dict[str, str]) -> Message:
        """Accept a text as `POST /Messages.json` does; raises Refused. Takes the carrier's lock."""
        return self._carrier.do(lambda: self._create(form))

    def _create(self, form: dict[str, str]) -> Message:
        carrier = self._carrier
        to, body, service = form.get("To", ""), form.get("Body", ""), form.get("MessagingServiceSid", "")
        sender = form.get("From", "") or (carrier.main.number if service else "")
        self._check(to, sender, body, service)
        message = Message(to, sender, body, "outbound-api", carrier.now, service, form.get("StatusCallback", ""))
        message.status = "accepted" if service else "queued"
        self._carry(message)
        return message

    def _check(self, to: str, sender: str, body: str, service: str) -> None:
        if not to:
            raise Refused(400, 21604)
        if not sender:
            raise Refused(400, 21603)
        if not body:
            raise Refused(400, 21619)
        if len(body) > LONGEST:
            raise Refused(400, 21617)
        if sender in TEST_FROM:
            raise Refused(400, TEST_FROM[sender])
        if not service and sender not in self._carrier.lines:
            raise Refused(400, 21606)
        if to in TEST_TO:
            raise Refused(400, TEST_TO[to])
        if to == sender or not _dialable(to):
            raise Refused(400, 21211)
        if self.handset(to).line_type == "landline":
            raise Refused(400, 21614)
        if (to, service or sender) in self.blocked:
            raise Refused(400, 21610)

    def _carry(self, message: Message) -> None:
        """Put the life of a message on the agenda, according to the handset."""
        carrier, handset = self._carrier, self.handset(message.to)
        message.segments = segments(message.body)
        self.messages.append(message)
        mode = handset.receipts or carrier.faults.receipts
        steps = list(self._steps(message, handset))
        if mode == "reordered":
            turned = reversed(steps)
            steps = [(at, status, error) for (at, _, _), (_, status, error) in zip(steps, turned, strict=True)]
        for at, status, error in steps:
            if mode == "before_answer":
                self._arrive(message, status, error, tell=True)
                continue
            for extra in (0.0, 0.2) if mode == "duplicated" else (0.0,):
                step = partial(self._arrive, message, status, error, tell=mode != "none")
                carrier.agenda.after(at + extra, step)

    @staticmethod
    def _steps(message: Message, handset: Handset) -> Iterator[tuple[float, str, int | None]]:
        if message.service_sid:
            yield QUEUED_S, "queued", None
        if handset.fails_with and handset.fails_as == "failed":
            yield SENT_S, "failed", handset.fails_with
            return
        yield SENT_S, "sent", None
        if handset.fails_with:
            yield handset.delivered_after_s, "undelivered", handset.fails_with
        elif handset.delivered_after_s >= 0:
            yield handset.delivered_after_s, "delivered", None

    def _arrive(self, message: Message, status: str, error: int | None, *, tell: bool) -> None:
        carrier, rank = self._carrier, ("accepted", "queued", "sent", "delivered", "undelivered", "failed")
        if rank.index(status) >= rank.index(message.status):
            if status == "sent":
                message.sent_at = carrier.now
            if status == "delivered" and message.status != "delivered":
                self.handset(message.to).receive(message.from_, message.body, carrier.now, message.sid)
            message.status, message.updated_at = status, carrier.now
            message.error_code = error
        if tell and message.callback:
            self._receipt(message, status, error)

    def _receipt(self, message: Message, status: str, error: int | None) -> None:
        form = [
            ("MessageSid", message.sid),
            ("MessageStatus", status),
            ("SmsSid", message.sid),
            ("SmsStatus", status),
            ("AccountSid", self._carrier.account_sid),
            ("From", message.from_),
            ("To", message.to),
            ("ApiVersion", "2010-04-01"),
        ]
        if message.service_sid:
            form.append(("MessagingServiceSid", message.service_sid))
        if error is not None:
            form.append(("ErrorCode", str(error)))
        if status in ("delivered", "undelivered"):
            form.append(("RawDlrDoneDate", self._carrier.now.strftime("%y%m%d%H%M")))
        message.receipts.append(status)
        self._carrier.notify("POST", message.callback, form)

    # ---- in

    def reply(self, from_: str, body: str, to: str | None = None) -> Message:
        """A handset sends a text to one of our numbers; gives the inbound message. Takes the lock."""
        line = self._carrier.lines[to or self._carrier.main.number]
        return self._carrier.do(lambda: self._inbound(from_, body, line))

    def _inbound(self, from_: str, body: str, line: Number) -> Message:
        carrier = self._carrier
        message = Message(line.number, from_, body, "inbound", carrier.now, status="received", segments=segments(body))
        self.inbound.append(message)
        self.handset(from_).notes.append(Note(carrier.now, line.number, body, outgoing=True))
        word = WORDS.get(body.strip().upper(), "")
        self._keyword(word, body.strip().upper(), from_, line)
        if line.sms_url:
            self._ask(message, word if self.advanced_opt_out else "", line)
        return message

    def _keyword(self, word: str, typed: str, from_: str, line: Number) -> None:
        """STOP blocks, START lifts, HELP informs: each is answered by the network itself."""
        pairs = {(from_, line.number), *((from_, m.service_sid) for m in self.messages if m.service_sid)}
        if word == "STOP":
            self.blocked |= pairs
            self._network_says(from_, line, OPT_OUT)
        elif word == "START" and not (typed == "YES" and _toll_free(line.number)):
            self.blocked -= pairs
            self._network_says(from_, line, OPT_IN)
        elif word == "HELP":
            self._network_says(from_, line, "Reply STOP to unsubscribe. Msg&Data Rates May Apply.")

    def _network_says(self, to: str, line: Number, body: str) -> None:
        self.handset(to).receive(line.number, body, self._carrier.now, "")

    def _ask(self, message: Message, opt_out: str, line: Number) -> None:
        """POST the text to the service and carry out the messaging TwiML it answers with."""
        carrier = self._carrier
        form = [
            ("MessageSid", message.sid),
            ("SmsSid", message.sid),
            ("SmsMessageSid", message.sid),
            ("AccountSid", carrier.account_sid),
            ("From", message.from_),
            ("To", message.to),
            ("Body", message.body),
            ("NumMedia", "0"),
            ("NumSegments", str(message.segments)),
            ("SmsStatus", "received"),
            ("ApiVersion", "2010-04-01"),
        ]
        form += [(side + part, "") for side in ("From", "To") for part in ("City", "State", "Zip", "Country")]
        if opt_out:
            form.append(("OptOutType", opt_out))
        try:
            answer = carrier.outside(lambda: carrier.webhooks.post(line.sms_method, line.sms_url, form))
            verbs = twiml.document(answer, carrier.warn)
        except Unusable as problem:
            carrier.warn(problem.code, f"{line.sms_url}: {problem}")
            return
        for verb in verbs:
            if verb.name == "Message":
                self._answer(message, verb, line)
            else:
                carrier.warn(12200, f"<{verb.name}> in an answer to a text")

    def _answer(self, message: Message, verb: Verb, line: Number) -> None:
        carrier, child = self._carrier, verb.child("Body")
        body = child.text if child else verb.text
        to = verb.get("to", message.from_)
        recent = [
            sent
            for sent in self.messages
            if sent.to == to
            and sent.direction == "outbound-reply"
            and carrier.now - sent.created_at < timedelta(seconds=30)
        ]
        reply = Message(to, verb.get("from", line.number), body, "outbound-reply", carrier.now)
        if verb.get("statusCallback"):
            reply.callback = urljoin(line.sms_url, verb.get("statusCallback"))
        if not body or len(body) > LONGEST:
            carrier.warn(14103, f"<Message> of {len(body)} letters; dropped")
        elif len(recent) >= 15:
            carrier.warn(14107, "more than 15 replies in 30 seconds; dropped")
        elif (to, line.number) in self.blocked:
            reply.status, reply.error_code = "failed", 21610
            self.messages.append(reply)
        else:
            self._carry(reply)


def _dialable(number: str) -> bool:
    """E.164 that a numbering plan could have; fictional 555 numbers are let through."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return False
    return number.startswith("+") and phonenumbers.is_possible_number(parsed) and number != "+266696687"


def _toll_free(number: str) -> bool:
    return number[:5] in {"+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888"}
