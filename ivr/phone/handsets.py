"""The handsets on the desk: what each shows, and how the network behaves towards it."""

from dataclasses import dataclass, field
from datetime import datetime

_KINDS = {
    "STOP": "STOP STOPALL UNSUBSCRIBE CANCEL END QUIT REVOKE OPTOUT",
    "START": "START YES UNSTOP",
    "HELP": "HELP INFO",
}
WORDS = {word: kind for kind, words in _KINDS.items() for word in words.split()}
"""Twilio's default keywords: the whole message must be one of them, in any case."""
OPT_OUT = (
    "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe."
)
OPT_IN = (
    "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
)


@dataclass(frozen=True)
class Note:
    """One bubble on a handset; `sid` is empty for the network's own words."""

    at: datetime
    other: str
    body: str
    outgoing: bool = False
    sid: str = ""


@dataclass
class Handset:
    """One number. `fails_with`: an error instead of a delivery; `receipts` wins over the faults' mode."""

    number: str
    line_type: str = "mobile"
    delivered_after_s: float = 3.0
    """Negative = the carrier never reports beyond `sent`."""
    fails_with: int | None = None
    fails_as: str = "undelivered"
    receipts: str = ""
    notes: list[Note] = field(default_factory=list)

    def receive(self, other: str, body: str, at: datetime, sid: str) -> None:
        """A text arrives."""
        self.notes.append(Note(at, other, body, sid=sid))
