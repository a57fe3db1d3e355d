"""What the world is like at the instant of a decision.

The clock, the lines for agents, verdicts of the rim.
"""

from collections.abc import Mapping
from datetime import datetime

from ivr.call.values import Value


class Outlook(Value, frozen=True):
    """How fast a queue is answered.

    Calls answered lately, and the mean seconds from one answer to the next.
    """

    answered: int
    seconds_per_answer: float | None


class NumberCheck(Value, frozen=True):
    """The verdict on a typed number: `e164` when it may be texted, else the reason."""

    e164: str | None
    reason: str | None = None


class Incident(Value, frozen=True):
    """What callers of some leaves (`leaves` None: every caller) hear first, until `until`. `message` and `news`, the
    text on request (empty: none is offered), are by language."""

    id: int
    message: Mapping[str, str]
    until: datetime
    leaves: frozenset[str] | None = None
    news: Mapping[str, str] = {}


class Moment(Value, frozen=True):
    """One instant. `now` is aware UTC.

    `number_check` answers the number just typed (`state.keying` is NUMBER). `text_refusal` is set when the
    rim was asked for a text and could not queue it: the decision is taken again with the reason, and so it is
    with the articles that were `withdrawn` since they were found.
    """

    now: datetime
    outlook: Mapping[str, Outlook] = {}
    closed_queues: frozenset[str] = frozenset()  # by a manager's switch
    number_check: NumberCheck | None = None
    text_refusal: str | None = None
    withdrawn: frozenset[str] = frozenset()
    stopped: bool = False  # the switch that stops all offers
    stopped_queues: frozenset[str] = frozenset()  # those of single queues
    incidents: tuple[Incident, ...] = ()  # the latest first; some may have run out
    crowded: bool = False  # too much at once: no offer begins, later rounds may bring it

    def concerning(self, leaf: str | None) -> tuple[Incident, ...]:
        """The incidents of now that concern a caller of a leaf, the latest first."""
        return tuple(
            one for one in self.incidents if self.now < one.until and (one.leaves is None or leaf in one.leaves)
        )

    @property
    def ms(self) -> int:
        """Unix milliseconds."""
        return int(self.now.timestamp() * 1000)
