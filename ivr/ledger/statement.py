"""A month of the books as one value: what was avoided by three counts, what it cost, and what cannot be said.

Every figure is a whole number: money in micro-units, contacts, minutes and shares in millionths, so that a
statement has one way to be written down and signed. ivr/ledger/statement_words.py puts it into sentences and tables.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from ivr.ledger.bands import Band, added, round_half
from ivr.ledger.books import COSTS, MEMO, MICRO, RULES, Figure, Line, Period, next_month
from ivr.ledger.estimate import ODD, Arms, Cell, Incremental, Minutes, Numbers
from ivr.ledger.printed import Row, Sum, printed
from ivr.ledger.rates import RateCard, Span

WEEK = timedelta(days=7)
WINDOWS = (1, 3, 7)  # days to come back in; the comparison is told for each (measurement.md 2.4)


class Channel(NamedTuple):
    """By which people could be seen to come back. `last_import` None: live."""

    name: str
    last_import: datetime | None


class Counts(NamedTuple):
    """Calls of a month. `used`: read or heard an article and hung up while holding; of these, who said what."""

    calls: int
    without_number: int
    used: int
    said_solved: int
    said_not: int
    naive: int  # a text was delivered and the caller hung up


class Worth(NamedTuple):
    """What a month brought that turns into cash, as its signed statement said; and what it cost."""

    month: date
    currency: str
    cashable: Band | None
    costs: int


class Sealed(NamedTuple):
    """The month's postings: how many, and the SHA-256 over all of them (empty while the month is open)."""

    postings: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Given:
    """What a statement is made of. `cells` are matured callers; `waits` and `calls` their minutes holding and on the
    line, as the holdout tells; `windows`: what it tells of each of WINDOWS; `earlier` every month before, oldest first.
    """

    month: date
    zone: str
    now: datetime
    closed: Period | None
    window_days: int
    lines: Sequence[Line]
    earlier: Sequence[Worth]
    channels: Sequence[Channel]
    counts: Counts
    cells: Sequence[Cell]
    incremental: Incremental | None
    agent_minutes: Minutes | None
    wait_minutes: Minutes | None
    call_minutes: Minutes | None
    card: RateCard | None
    books: Sealed
    windows: Sequence[tuple[int, Incremental | None]] = ()


class Told(NamedTuple):
    """What the holdout tells. Bands are None where they cannot be given; `worth` is before costs, `net` after."""

    treated: int
    held_out: int
    needed_treated: int | None
    needed_held_out: int | None
    avoided: Band | None
    minutes: Band | None
    worth: Band | None
    net: Band | None
    odd: int
    hidden: bool
    weeks: int | None

    @property
    def headline(self) -> bool:
        """Whether it can be told from zero, and shown."""
        return self.avoided is not None and not self.hidden and self.avoided.told


class Within(NamedTuple):
    """The same comparison with another time to come back, in days."""

    days: int
    needed_treated: int
    needed_held_out: int
    avoided: Band


class Payback(NamedTuple):
    """Since the start: what turned into cash, what it cost, what is left; and when it paid back or may."""

    since: date
    cashable: Band
    costs: int
    net: Band
    returned: Band | None  # net by costs
    paid_in: date | None
    months_left: tuple[int, int | None] | None  # at this month's rate, from .. to (None: never)


@dataclass(frozen=True, slots=True)
class Statement:
    """A month. `reasons`: what could not be said, by the figure it concerns."""

    month: date
    until: date
    zone: str
    made_at: datetime
    closed: Period | None
    channels: tuple[Channel, ...]
    counts: Counts
    card: int | None
    rules: int
    window_days: int
    currency: str
    told: Told | None
    ledger: Figure
    rows: tuple[Row, ...]
    sums: tuple[Sum, ...]
    cashable_share: int
    cashable: Band | None
    carrier_minutes: Band | None
    carrier_worth: Band | None
    wait_minutes: Band | None
    payback: Payback | None
    costs: int
    books: Sealed
    reasons: Mapping[str, str]
    windows: tuple[Within, ...]

    @property
    def draft(self) -> bool:
        """Whether the month is open, and all of it may still change."""
        return self.closed is None


def statement(given: Given) -> Statement:
    """The month as one value."""
    reasons: dict[str, str] = {}
    span = given.card.within(given.month, next_month(given.month)) if given.card else None
    currency = span.currency if span else ""
    costs = sum(line.figure.amount for line in given.lines if line.kind in COSTS and line.currency == currency)
    told = _told(given, costs, reasons)
    carrier, carrier_worth = _carrier(given.call_minutes, span, told, reasons)
    cashable = _cashable(told, span, carrier_worth, reasons)
    rows, sums = printed(_listed(given.lines, reasons))
    saved = [line for line in given.lines if line.kind not in MEMO | COSTS]
    if given.counts.calls == 0:
        reasons["calls"] = "No call of this month is known."
    shown = told is not None and not told.hidden
    return Statement(
        month=given.month,
        until=next_month(given.month),
        zone=given.zone,
        made_at=given.now,
        closed=given.closed,
        channels=tuple(given.channels),
        counts=given.counts,
        card=given.card.version if given.card else None,
        rules=RULES,
        window_days=given.window_days,
        currency=currency,
        told=told,
        ledger=_saved(saved, currency),
        rows=rows,
        sums=sums,
        cashable_share=span.cashable.micro if span and span.cashable else 0,
        cashable=cashable,
        carrier_minutes=carrier,
        carrier_worth=carrier_worth,
        wait_minutes=Band.of(given.wait_minutes.avoided) if given.wait_minutes and shown else None,
        payback=_payback(given, currency, cashable, costs, reasons),
        costs=costs,
        books=given.books,
        reasons=reasons,
        windows=_windows(given.windows) if shown else (),
    )


def _listed(lines: Sequence[Line], reasons: dict[str, str]) -> list[Line]:
    """The lines but those of currencies in which everything was taken back: what was booked before the first rate card
    has no price, and is corrected to nothing once there is one."""
    left = {line.currency for line in lines if line.figure != Figure()}
    undone = sum(line.entries for line in lines if line.currency not in left)
    if undone:
        reasons["undone"] = (
            f"{undone:,} entries are not listed: made without a price or in another currency, they were taken back"
            " since, and come to nothing."
        )
    return [line for line in lines if line.currency in left]


def _windows(found: Sequence[tuple[int, Incremental | None]]) -> tuple[Within, ...]:
    return tuple(
        Within(days, round(one.needed_treated * MICRO), round(one.needed_held_out * MICRO), Band.of(one.avoided))
        for days, one in found
        if one is not None and not one.hidden
    )


def _saved(lines: Iterable[Line], currency: str) -> Figure:
    """Contacts and minutes of all lines; money of those in the month's currency."""
    total = Figure()
    for line in lines:
        figure = line.figure if line.currency == currency else line.figure._replace(amount=0)
        total = total.plus(figure)
    return total


def _told(given: Given, costs: int, reasons: dict[str, str]) -> Told | None:
    found = given.incremental
    arms = Arms.of(given.cells)
    if (odd := found.odd if found else arms.odd()) < ODD:
        reasons["incremental"] = (
            f"The sizes of the two groups are not as drawn (chance {odd:.2g}): no figure is shown before that is"
            " explained."
        )
        treated, held_out = int(arms.treated.sum()), int(arms.held_out.sum())
        return Told(treated, held_out, None, None, None, None, None, None, round(odd * MICRO), True, None)
    if found is None:
        reasons["incremental"] = (
            "Nothing can be compared: nobody whose time to come back is over was offered an article while others were"
            " held out."
        )
        return None
    avoided = Band.of(found.avoided)
    cost, why = mean_cost(given.cells, given.card, given.month)
    if why:
        reasons["worth"] = why
    worth = avoided.times(cost) if cost is not None else None
    if not Numbers(given.counts.naive, 0.0, found).headline:
        reasons["incremental"] = _not_yet(found)
    return Told(
        treated=found.treated,
        held_out=found.held_out,
        needed_treated=round(found.needed_treated * MICRO),
        needed_held_out=round(found.needed_held_out * MICRO),
        avoided=avoided,
        minutes=Band.of(given.agent_minutes.avoided) if given.agent_minutes else None,
        worth=worth,
        net=worth.plus(costs) if worth is not None else None,
        odd=round(found.odd * MICRO),
        hidden=False,
        weeks=found.weeks,
    )


def _not_yet(found: Incremental) -> str:
    if found.weeks is None:
        return "Not yet distinguishable from zero; too small at this rate to say when it may be."
    return f"Not yet distinguishable from zero; at this rate measurable in about {found.weeks} weeks."


def mean_cost(cells: Iterable[Cell], card: RateCard | None, month: date) -> tuple[int | None, str]:
    """What a contact of the treated callers costs on the mean, in micro-units; or why that is not known.

    Each caller's queue counts with the price of their week, as far as the week is in the month: that of its first day,
    or, where the rate card begins later, that of the card's.
    """
    callers, total, missing = 0, 0, set[str]()
    for cell in cells:
        if cell.arm != "treat":
            continue
        until = min(cell.week + WEEK, next_month(month))
        span = card.within(max(cell.week, month), until) if card else None
        agent = span.agent(cell.queue) if span else None
        if agent is None:
            missing.add(cell.queue or "no queue" if span or not card else f"calls of the week of {cell.week}")
        else:
            callers += cell.callers
            total += cell.callers * agent.rate.micro
    if missing:
        return None, f"No money: the rate card has no cost of a contact for {', '.join(sorted(missing))}."
    return (round_half(total, callers), "") if callers else (None, "No money: nobody was offered an article.")


def _carrier(
    call_minutes: Minutes | None, span: Span | None, told: Told | None, reasons: dict[str, str]
) -> tuple[Band | None, Band | None]:
    """The carrier's minutes avoided, and what they are worth."""
    if call_minutes is None or told is None or told.hidden:
        return None, None
    band = Band.of(call_minutes.avoided)
    rate = span.prices.get("voice_minute") if span else None
    if rate is None:
        reasons["carrier"] = "No money for the carrier's minutes: the rate card has no price of a minute."
        return band, None
    return band, band.times(rate.micro)


def _cashable(told: Told | None, span: Span | None, carrier: Band | None, reasons: dict[str, str]) -> Band | None:
    """The cashable share of what agents were spared, and all of the carrier's minutes; before costs."""
    share = span.cashable.micro if span and span.cashable else 0
    if not share:
        reasons["cashable"] = "Finance has set no cashable share: what agents were spared counts as capacity only."
    parts = [told.worth.times(share)] if told is not None and told.worth is not None and share else []
    if carrier is not None:
        parts.append(carrier)
    return added(parts) if parts else None


def _payback(given: Given, currency: str, cashable: Band | None, costs: int, reasons: dict[str, str]) -> Payback | None:
    """From what turns into cash only, against all costs since the start. Months without an estimate count nothing."""
    months = [one for one in given.earlier if one.currency == currency]
    months.append(Worth(given.month, currency, cashable, costs))
    if not currency:
        reasons["payback"] = "No money is known: no rate card holds in this month."
        return None
    if all(one.cashable is None for one in months):
        reasons["payback"] = "Nothing that turns into cash could be measured so far."
        return None
    bands = [one.cashable or Band(0, 0, 0) for one in months]
    total, spent = added(bands), sum(one.costs for one in months)
    net = total.plus(spent)
    returned = Band(*(round_half(one * MICRO, -spent) for one in net)) if spent < 0 else None
    paid_in, running = None, 0
    for one, band in zip(months, bands, strict=True):
        running += band.estimate + one.costs
        paid_in = (paid_in or one.month) if running >= 0 else None
    return Payback(months[0].month, total, spent, net, returned, paid_in, _left(net, cashable, costs, paid_in))


def _left(net: Band, cashable: Band | None, costs: int, paid_in: date | None) -> tuple[int, int | None] | None:
    """Months until it is paid back, at this month's rate: between the quickest and the slowest of its interval."""
    if paid_in is not None or cashable is None:
        return None
    monthly = cashable.plus(costs)
    if monthly.high <= 0:
        return None
    quickest, slowest = (-(net.estimate // rate) if rate > 0 else None for rate in (monthly.high, monthly.low))
    assert quickest is not None
    return quickest, slowest
