"""What things cost: a rate card's spans of time, each figure with its owner and source.

A span holds from its first day (in the site's zone) until, and without, the first day of the next. A figure nobody
entered is None: nothing is invented.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from ivr.ledger.books import MICRO, next_month

OTHERS = "others"  # the queue that stands for all that have no line of their own


@dataclass(frozen=True, slots=True)
class Rate:
    """A figure in millionths (of the currency, of a share), who answers for it, and where it is from."""

    micro: int
    owner: str
    source: str


#: Shown beside minutes and contacts where no cost was entered; enters no posting.
EXAMPLE = Rate(8_010_000, "nobody", "placeholder, not your data: Gartner's 2019 poll, phone, chat and e-mail averaged")
EXAMPLE_CURRENCY = "USD"


@dataclass(frozen=True, slots=True)
class AgentCost:
    """What one contact with an agent costs. `minutes`: handle time with wrap-up, where it was entered, in millionths;
    `steps` are the figures the cost was made of, in millionths."""

    rate: Rate
    minutes: int | None = None
    steps: Mapping[str, int] = field(default_factory=dict)


#: price -> what it is for
PRICES = {
    "message": "a segment of a text that goes out",
    "carrier_fee": "the carrier's fee on that segment",
    "failed_message": "the fee for a text that could not be delivered",
    "reply": "a text that comes in",
    "lookup": "a look-up of a number's line type",
    "speech": "one recognition of a caller's words",
    "voice_minute": "a minute of a call",
    "content_hour": "an hour of work on articles",
}


@dataclass(frozen=True, slots=True)
class Span:
    """What holds from `first` until, and without, `until` (None: until further notice)."""

    first: date
    until: date | None
    currency: str
    agents: Mapping[str, AgentCost] = field(default_factory=dict)
    prices: Mapping[str, Rate] = field(default_factory=dict)
    monthly: Mapping[str, Rate] = field(default_factory=dict)
    cashable: Rate | None = None  # share of the capacity that turns into cash; None is 0
    gave_up: Rate | None = None  # share of like callers who would have given up anyway, until the holdout can tell

    def price(self, name: str) -> int:
        """In micro-units, 0 where none was entered."""
        rate = self.prices.get(name)
        return rate.micro if rate else 0

    def agent(self, queue: str) -> AgentCost | None:
        """The cost of a contact in a queue."""
        return self.agents.get(queue, self.agents.get(OTHERS))


@dataclass(frozen=True, slots=True)
class RateCard:
    """A published version. `window_days`: a repeat contact within it takes a saving back."""

    version: int
    window_days: int
    spans: tuple[Span, ...]

    @property
    def window(self) -> timedelta:
        """As a time."""
        return timedelta(days=self.window_days)

    def at(self, day: date) -> Span | None:
        """The span that holds on a day."""
        return next((one for one in self.spans if one.first <= day and (one.until is None or day < one.until)), None)

    def within(self, first: date, until: date) -> Span | None:
        """The span that holds on the first day of a time, else the first that begins in it: a rate card may begin in
        mid-month."""
        return self.at(first) or next((one for one in self.spans if first <= one.first < until), None)


def cost_per_contact(per_hour: int, minutes: int, occupancy: int, shrinkage: int) -> int:
    """Micro-units a contact: handle time x loaded cost an hour / (60 x occupancy x (1 - shrinkage)).

    All in millionths. Raises ValueError for an occupancy of 0 or a shrinkage of 1.
    """
    paid = occupancy * (MICRO - shrinkage)
    if paid <= 0:
        raise ValueError("nobody would ever answer")
    return round(Fraction(per_hour * minutes * MICRO, 60 * paid))


def of_day(monthly: int, day: date) -> int:
    """A day's part of a monthly price, straight line: the days of a month add up to it exactly."""
    first = day.replace(day=1)
    days = (next_month(first) - first).days
    return monthly * day.day // days - monthly * (day.day - 1) // days


def joints(spans: Sequence[tuple[date, date | None, str]]) -> list[tuple[int, str, str]]:
    """What is wrong where spans (first day, until, currency) meet: (which span, what, what to do)."""
    found = []
    for n, (first, until, _) in enumerate(spans):
        if until is not None and until <= first:
            found.append((n, f"it ends on {until}, not after it begins", "'until' is the first day not in it"))
    for n in range(1, len(spans)):
        (_, until, before), (first, _, currency) = spans[n - 1], spans[n]
        if until is None:
            found.append((n, "the span before has no end", f"Give that one 'until: {first}'"))
        elif first > until:
            found.append((n, f"nothing holds from {until} until {first}", f"Begin with 'from: {until}'"))
        elif first < until:
            found.append((n, f"two spans hold from {first} until {until}", f"Begin with 'from: {until}'"))
        if currency != before and first.day != 1:
            found.append((n, f"the currency changes on {first}, in mid-month", "Change it on the first of a month"))
    return found
