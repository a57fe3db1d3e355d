"""The books' own words: what a posting is, a month of them, and the lines a statement adds up.

Money is in integer micro-units of a currency (a text of 0.83 cents is 8,300), contacts in millionths, agents' time in
milliseconds. Signs are those of the programme's account: a saving is positive, a cost negative.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

MICRO = 1_000_000
RULES = 1  # version of the rules that make postings; on every posting


class Entry(StrEnum):
    """Kinds of postings (measurement.md 2.4)."""

    PROVISIONAL = "provisional"  # a text used and a hang-up: memo, in no headline
    RELEASED = "released"  # memo: the provisional one, confirmed meanwhile, taken out of the memo
    REVERSAL = "reversal"  # memo: the provisional one, undone by a return or by "it did not help"
    CONFIRMED_EXPLICIT = "confirmed_explicit"  # the caller said it solved the problem, and did not come back in 24 h
    CONFIRMED_INFERRED = "confirmed_inferred"  # nobody came back within the window
    LATE_REVERSAL = "late_reversal"  # a confirmed one, undone
    MESSAGE = "message"  # a text with a link or an incident's news
    FOLLOW_UP = "follow_up"  # a "did it help?"
    FAILED_FEE = "failed_fee"  # the carrier's fee for a text that could not be delivered
    REPLY = "reply"  # a text that came in, and our answer
    LOOKUP = "lookup"
    SPEECH = "speech"  # words recognised
    PROMPT_MINUTES = "prompt_minutes"  # the time our question adds to a call
    PRICE_CORRECTION = "price_correction"  # the carrier's own price, less our estimate
    FIXED = "fixed"  # platform, numbers, registration, hosting: by the day
    CONTENT = "content"  # hours spent on articles


MEMO = frozenset((Entry.PROVISIONAL, Entry.RELEASED, Entry.REVERSAL))  # their sum is what is pending
SAVINGS = frozenset((Entry.CONFIRMED_EXPLICIT, Entry.CONFIRMED_INFERRED, Entry.LATE_REVERSAL))
COSTS = frozenset(Entry) - MEMO - SAVINGS


class Key(NamedTuple):
    """What a posting is about: at most one figure stands for each. `call_sid` is "" for what no call caused; `item`
    tells several of a kind apart (a text's id, "hosting:2026-09-03")."""

    call_sid: str
    kind: Entry
    item: str = ""


class Figure(NamedTuple):
    """What a posting counts. `contacts`, `agent_ms` and `amount` are less the haircut; `quantity` is callers, segments,
    uses, milliseconds, days or micro-hours, by kind."""

    amount: int = 0
    contacts: int = 0
    agent_ms: int = 0
    quantity: int = 0

    def plus(self, other: "Figure") -> "Figure":
        """The sum, field by field."""
        return Figure(*(a + b for a, b in zip(self, other, strict=True)))

    def minus(self) -> "Figure":
        """The same with the other sign."""
        return Figure(*(-a for a in self))


class Due(NamedTuple):
    """A figure that should stand in the books, and what it rests on. `month` is its month as long as that is open."""

    key: Key
    at: datetime
    month: date
    queue: str
    currency: str  # "" where nothing has a price
    figure: Figure
    facts: tuple[int, ...] = ()
    card: int | None = None  # version of the rate card
    baseline: date | None = None  # the day whose haircut was applied ...
    share: int | None = None  # ... in millionths
    undoes: Key | None = None
    contact: str = ""  # the call or contact that took a saving back


class Standing(NamedTuple):
    """What the books say of a key by now, in one currency and queue. `month` and `last` are of the latest entry."""

    key: Key
    queue: str
    currency: str
    month: date
    last: int
    seq: int
    figure: Figure


class Posting(NamedTuple):
    """One entry, as it stays for good."""

    id: int
    call_sid: str
    kind: str
    item: str
    seq: int  # 0 the first; more: corrections of it
    month: date  # first day of the month it is booked in
    at: datetime  # when what it books happened
    posted_at: datetime
    queue: str
    currency: str
    amount: int
    contacts: int
    agent_ms: int
    quantity: int
    facts: list[int]
    card: int | None
    rule: int
    baseline: date | None
    share: int | None
    undoes: int | None
    contact: str
    reason: str  # "" or why it corrects


@dataclass(frozen=True, slots=True)
class Line:
    """The sum of the postings of a month, queue, kind and currency."""

    month: date
    kind: Entry
    queue: str
    currency: str
    entries: int
    figure: Figure


@dataclass(frozen=True, slots=True)
class Totals:
    """A month in one currency: `net` is confirmed less late reversals less costs; `pending` is memo."""

    currency: str
    confirmed: Figure
    late_reversals: Figure
    costs: Figure
    pending: Figure

    @property
    def net(self) -> int:
        """In micro-units."""
        return self.confirmed.amount + self.late_reversals.amount + self.costs.amount


def totals(lines: list[Line]) -> dict[str, Totals]:
    """The lines of a month, added up by currency. Lines without a currency hold minutes and contacts only."""
    found: dict[str, Totals] = {}
    for currency in sorted({line.currency for line in lines}):
        sums = [Figure() for _ in range(4)]
        for line in lines:
            if line.currency == currency:
                sums[_place(line.kind)] = sums[_place(line.kind)].plus(line.figure)
        found[currency] = Totals(currency, *sums)
    return found


def _place(kind: Entry) -> int:
    if kind in MEMO:
        return 3
    if kind is Entry.LATE_REVERSAL:
        return 1
    return 0 if kind in SAVINGS else 2


@dataclass(frozen=True, slots=True)
class Period:
    """A closed month. `channels`: what was visible then, with the last import of each."""

    month: date
    closed_at: datetime
    closed_by: str
    reason: str
    card: int | None
    channels: dict[str, str]


def month_of(day: date) -> date:
    """The first day of a day's month."""
    return day.replace(day=1)


def next_month(month: date) -> date:
    """The first day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
