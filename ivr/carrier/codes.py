"""The carrier's words for a text's fate. Its list of codes may change: what is not here falls to a safe default."""

from typing import Literal

Reached = Literal["sent", "delivered", "undelivered"]

#: Message status -> how far our text has come. `sent` is the carrier's acceptance; "canceled" and "failed" after it
#: mean that it will never arrive.
_STATUSES: dict[str, Reached] = {
    "accepted": "sent",
    "scheduled": "sent",
    "queued": "sent",
    "sending": "sent",
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "partially_delivered": "delivered",
    "undelivered": "undelivered",
    "failed": "undelivered",
    "canceled": "undelivered",
}

OPTED_OUT = 21610
NO_MOBILE = 21614
NO_LANDLINE = 21635

#: Line types of the carrier's look-up to which a text never comes.
LINES_WITHOUT_TEXTS = frozenset({"landline", "premium", "pager", "voicemail", "sharedCost", "uan"})

#: Code -> (what it means, whether it is ours to mend rather than the caller's number).
CODES: dict[int, tuple[str, bool]] = {
    20003: ("the carrier does not accept our credentials", True),
    20404: ("the account or sender does not exist", True),
    21211: ("not a number that can be texted", False),
    21212: ("the sender is no valid number", True),
    21408: ("texts to that country are not switched on", True),
    21603: ("no sender is given", True),
    21606: ("the sender cannot send texts", True),
    21608: ("the account may text verified numbers only", True),
    OPTED_OUT: ("the number opted out", False),
    21611: ("the sender's queue is full", True),
    21612: ("the number cannot be reached from this sender", False),
    NO_MOBILE: ("not a mobile number", False),
    21617: ("the text is too long", True),
    NO_LANDLINE: ("a landline, not textable there", False),
    21703: ("the messaging service has no suitable sender", True),
    21704: ("the messaging service has no sender", True),
    21705: ("the messaging service is not valid", True),
    30001: ("the sender's queue is full", True),
    30003: ("the handset was off or out of reach", False),
    30004: ("blocked by the carrier or the handset", False),
    30005: ("the number is not in use", False),
    30006: ("a landline, or a carrier that cannot be reached", False),
    30007: ("filtered as unwanted", True),
    30008: ("no reason given", False),
    30017: ("the network was congested", False),
    30022: ("over the sender's rate", True),
    30023: ("over the brand's daily cap", True),
    30027: ("over a network's daily cap", True),
    30032: ("the toll-free sender is not verified", True),
    30034: ("the sender is in no approved campaign", True),
    30035: ("the sender is still being set up", True),
    30036: ("too late to be of use", False),
    30410: ("the network did not answer", False),
    30450: ("stopped as suspected pumping", False),
}


def reached(status: str) -> Reached | None:
    """How far a status of the carrier's brings a text; None for an unknown one, which changes nothing."""
    return _STATUSES.get(status.strip().lower())


def told(status: str, code: int | None) -> str:
    """A text's status as a call is told of it: "no_line" where the carrier refused a number that takes no texts."""
    return "no_line" if status == "failed" and code in (NO_MOBILE, NO_LANDLINE) else status


def meaning(code: int | None) -> str:
    """A code in words."""
    return CODES[code][0] if code in CODES else "a reason we do not know"


def ours_to_mend(code: int | None) -> bool:
    """Whether an operator should hear of it."""
    return CODES[code][1] if code in CODES else False
