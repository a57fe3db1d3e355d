"""A statement in words: sections of sentences and tables, the very same on the page and in every file."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ivr.ledger.bands import Band, round_half
from ivr.ledger.books import MICRO, Entry
from ivr.ledger.printed import Row, Sum, group
from ivr.ledger.rates import EXAMPLE, EXAMPLE_CURRENCY
from ivr.ledger.statement import Payback, Statement, Told

KINDS = {
    Entry.PROVISIONAL: "Pending: used a text and hung up",
    Entry.RELEASED: "Pending that was confirmed since",
    Entry.REVERSAL: "Pending that was taken back",
    Entry.CONFIRMED_EXPLICIT: "Confirmed: the caller said it is solved",
    Entry.CONFIRMED_INFERRED: "Confirmed: nobody came back in time",
    Entry.LATE_REVERSAL: "Confirmed earlier, taken back since",
    Entry.MESSAGE: "Texts",
    Entry.FOLLOW_UP: "Texts that ask whether it helped",
    Entry.FAILED_FEE: "Fees for texts that failed",
    Entry.REPLY: "Replies, and our answers",
    Entry.LOOKUP: "Number look-ups",
    Entry.SPEECH: "Speech recognition",
    Entry.PROMPT_MINUTES: "Call time our question adds",
    Entry.PRICE_CORRECTION: "The carrier's own prices, less our estimates",
    Entry.FIXED: "Monthly prices, by the day",
    Entry.CONTENT: "Hours spent on articles",
}
GROUPS = {
    "confirmed": "Confirmed",
    "late_reversals": "Taken back after it was confirmed",
    "costs": "Costs",
    "net": "Net",
    "pending": "Pending (in no total)",
}
NO_QUEUE = "no queue"  # of what no call caused, or one that never came to hold
NAIVE = "It counts people who would have hung up anyway."
INTERFERENCE = (
    "Callers who leave the queue shorten it for everybody, the held-out included: the comparison within a queue misses"
    " that, in whichever direction it goes."
)
#: published figures, shown for context; they enter no calculation
BENCHMARKS = (
    ("Customers who resolve their issue in the community", "over 40 %"),
    ("Fewer service cases", "15 %"),
    ("Average return on investment", "100 % within 15 months"),
)
BENCHMARK_SOURCE = (
    "Delivering Effective Social Customer Service (Blunt and Hill-Wilson, 2013), chapter 5, as summarised by a reader:"
    " four communities watched for a year, no control group mentioned. Context only; in no calculation."
)


class Number(NamedTuple):
    """A figure in a table: `value` counts units of 10^-decimals."""

    value: int
    decimals: int = 0

    def plain(self) -> str:
        """As a machine reads it: -1234.50."""
        digits = f"{abs(self.value):0{self.decimals + 1}d}"
        whole = f"{digits[: -self.decimals]}.{digits[-self.decimals :]}" if self.decimals else digits
        return f"-{whole}" if self.value < 0 else whole

    def text(self) -> str:
        """As people read it: -1,234.50."""
        whole, point, rest = self.plain().lstrip("-").partition(".")
        return ("-" if self.value < 0 else "") + f"{int(whole):,}" + point + rest


Cell = str | Number


class Section(NamedTuple):
    """A part of a statement. `key` names it for good; rows have as many cells as there are headings."""

    key: str
    title: str
    words: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()


def micro(value: int, decimals: int) -> Number:
    """Millionths as a number with so many decimals."""
    return Number(round_half(value, MICRO // 10**decimals), decimals)


def money(value: int, currency: str) -> str:
    """Micro-units as 1,234.56 USD."""
    return f"{micro(value, 2).text()} {currency}"


def percent(value: int, decimals: int = 1) -> str:
    """A share in millionths as 12.3 %."""
    return f"{micro(value * 100, decimals).text()} %"


def between(band: Band, decimals: int, unit: str) -> str:
    """1,000 contacts, 95 % interval 744 to 1,230."""
    estimate, low, high = (micro(one, decimals).text() for one in band)
    return f"{estimate} {unit}, 95 % interval {low} to {high}"


def title(one: Statement) -> str:
    """What the statement is called."""
    return f"Statement for {one.month:%Y-%m}" + (" (draft, not closed)" if one.draft else "")


def sections(one: Statement) -> tuple[Section, ...]:
    """The whole statement."""
    return (
        _first_page(one),
        _three_numbers(one),
        *_windows(one),
        _solved(one),
        _capacity(one),
        *(_lines(one, total) for total in one.sums),
        _returned(one),
        _context(),
        _how(one),
    )


def _first_page(one: Statement) -> Section:
    zone = ZoneInfo(one.zone)
    share = round_half(one.counts.without_number * MICRO, one.counts.calls) if one.counts.calls else 0
    words = [
        f"From {one.month} until, and without, {one.until}, {one.zone} time.",
        _state(one, zone),
        f"Callers without a number: {one.counts.without_number:,} of {one.counts.calls:,} calls"
        f" ({percent(share)}). Whether they came back nobody can know; they are in no saving.",
        f"Rate card version {one.card}; rules version {one.rules}; a contact within {one.window_days} days takes a"
        " saving back."
        if one.card
        else f"No rate card; rules version {one.rules}; a contact within {one.window_days} days takes a saving back.",
    ]
    words += _because(one, "calls", "undone")
    if not one.draft:
        words.append(f"It rests on {one.books.postings:,} entries; SHA-256 over all of them: {one.books.sha256}")
    rows = tuple(
        (channel.name, _time(channel.last_import, zone) if channel.last_import else "live") for channel in one.channels
    )
    return Section("first", "What this statement could see", tuple(words), ("Channel", "Last import"), rows)


def _state(one: Statement, zone: ZoneInfo) -> str:
    if one.closed is None:
        return f"Draft, not closed. As of {_time(one.made_at, zone)}; every figure may still change."
    closed = one.closed
    return f"Closed on {_time(closed.closed_at, zone)} by {closed.closed_by}: {closed.reason}"


def _time(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


# ---- the three numbers


def _three_numbers(one: Statement) -> Section:
    told, words = one.told, [headline(one)]
    rows: list[tuple[Cell, ...]] = []
    if told is not None and told.avoided is not None:
        rows.append(_banded("Incremental: contacts with agents avoided", told.avoided, 1))
        if told.minutes is not None:
            rows.append(_banded("Incremental: agents' minutes avoided", told.minutes, 1))
        if told.worth is not None and told.net is not None:
            rows.append(_banded(f"Incremental: worth, {one.currency}", told.worth, 2))
            rows.append(_banded(f"Incremental: worth less all costs, {one.currency}", told.net, 2))
    rows.append(
        ("Ledger: contacts confirmed, less haircut and what was taken back", micro(one.ledger.contacts, 1), "", "")
    )
    if one.currency:
        net = one.ledger.amount + one.costs
        rows.append((f"Ledger: worth less all costs, {one.currency}", micro(net, 2), "", ""))
    rows.append(("Naive: a text was delivered and the caller hung up", Number(one.counts.naive), "", ""))
    if told is not None:
        words.append(_groups(told))
    words.append(f"The naive number is for comparison. {NAIVE}")
    words += _because(one, "worth")
    if not one.currency:
        words.append(
            "No cost of a contact was entered: figures are contacts and minutes. For size only,"
            f" {money(EXAMPLE.micro, EXAMPLE_CURRENCY)} a contact ({EXAMPLE.source})."
        )
    return Section("numbers", "Three numbers", tuple(words), ("Figure", "Estimate", "95 % from", "to"), tuple(rows))


def _banded(name: str, band: Band, decimals: int) -> tuple[Cell, ...]:
    return (name, *(micro(value, decimals) for value in band))


def headline(one: Statement) -> str:
    """The month in a sentence, good or bad in the same words."""
    told = one.told
    if told is None or told.avoided is None or not told.headline:
        return one.reasons["incremental"]
    band = told.avoided
    if band.estimate >= 0:
        return f"The offers avoided {between(band, 1, 'contacts with agents')}."
    worse = Band(-band.estimate, -band.high, -band.low)
    return f"The offers caused {between(worse, 1, 'more contacts with agents')}."


def _groups(told: Told) -> str:
    if told.needed_treated is None or told.needed_held_out is None:
        return f"{told.treated:,} callers were offered an article, {told.held_out:,} were held out by lot."
    return (
        f"{told.treated:,} callers were offered an article and {percent(told.needed_treated)} of them needed an agent"
        f" in time; of {told.held_out:,} held out by lot it was {percent(told.needed_held_out)}."
    )


def _windows(one: Statement) -> Iterable[Section]:
    """The comparison for each time to come back; nothing where there is none."""
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            f"{within.days * 24} hours" if within.days < 7 else f"{within.days} days",
            percent(within.needed_treated),
            percent(within.needed_held_out),
            *(micro(value, 1) for value in within.avoided),
        )
        for within in one.windows
    )
    if rows:
        words = (f"The comparison with other times to come back; every other figure rests on {one.window_days} days.",)
        headings = ("Needed an agent within", "Offered", "Held out", "Contacts avoided", "95 % from", "to")
        yield Section("windows", "By the time to come back", words, headings, rows)


def _solved(one: Statement) -> Section:
    counts = one.counts
    silent = max(0, counts.used - counts.said_solved - counts.said_not)
    rows = tuple(
        (name, Number(count), percent(round_half(count * MICRO, counts.used)) if counts.used else "")
        for name, count in (
            ("Said it is solved", counts.said_solved),
            ("Said it did not help", counts.said_not),
            ("Stayed silent", silent),
        )
    )
    words = (f"Calls in which an article was used and the caller hung up while holding: {counts.used:,}.",)
    return Section("solved", "What they said", words, ("Answer", "Callers", "Share"), rows)


# ---- money


def _capacity(one: Statement) -> Section:
    told, words = one.told, []
    rows: list[tuple[Cell, ...]] = []
    if told is not None and told.minutes is not None:
        hours = Band(*(round_half(value, 60) for value in told.minutes))
        rows.append(_banded("Capacity: agents' hours for other work", hours, 1))
    if one.wait_minutes is not None:
        rows.append(_banded("Minutes of holding returned to callers", one.wait_minutes, 1))
    if one.carrier_minutes is not None:
        rows.append(_banded("Carrier's minutes avoided", one.carrier_minutes, 1))
    if one.carrier_worth is not None:
        rows.append(_banded(f"Cashable: carrier's minutes, {one.currency}", one.carrier_worth, 2))
    if one.cashable is not None and one.cashable_share:
        rows.append(_banded(f"Cashable: all of it, {one.currency}", one.cashable, 2))
    words.append(f"Cashable share of agents' capacity: {percent(one.cashable_share, 0)}.")
    words += _because(one, "cashable", "carrier")
    return Section(
        "capacity", "Capacity and cash", tuple(words), ("Figure", "Estimate", "95 % from", "to"), tuple(rows)
    )


def _lines(one: Statement, total: Sum) -> Section:
    unit = total.currency or "no price"
    rows: list[tuple[Cell, ...]] = []
    for name in ("confirmed", "late_reversals", "costs"):
        rows += [_line(row) for row in one.rows if row.currency == total.currency and group(row.kind) == name]
        rows.append(_total(name, getattr(total, name)))
    rows.append(_total("net", total.net))
    rows += [_line(row) for row in one.rows if row.currency == total.currency and group(row.kind) == "pending"]
    rows.append(_total("pending", total.pending))
    headings = ("Line", "Queue", "Entries", "Contacts", "Agents' minutes", f"Amount, {unit}")
    words = ("Contacts and minutes are less the haircut. Lines are rounded so that they add up to their totals.",)
    return Section(f"lines-{total.currency or 'none'}", f"The books, {unit}", words, headings, tuple(rows))


def _line(row: Row) -> tuple[Cell, ...]:
    figures = (Number(row.entries), Number(row.contacts, 2), Number(row.minutes, 1), Number(row.cents, 2))
    return (KINDS[row.kind], row.queue or NO_QUEUE, *figures)


def _total(name: str, sums: tuple[int, int, int]) -> tuple[Cell, ...]:
    return (GROUPS[name], "", "", Number(sums[0], 2), Number(sums[1], 1), Number(sums[2], 2))


def _returned(one: Statement) -> Section:
    back = one.payback
    if back is None:
        return Section("payback", "Payback", tuple(_because(one, "payback")))
    rows = [
        _banded(f"Turned into cash, {one.currency}", back.cashable, 2),
        (f"Cost of the programme, {one.currency}", micro(back.costs, 2), "", ""),
        _banded(f"Left, {one.currency}", back.net, 2),
    ]
    if back.returned is not None:
        rows.append(_banded("Return on what it cost, %", Band(*(value * 100 for value in back.returned)), 1))
    words = (
        f"Since {back.since:%Y-%m}; from the incremental figure and the cashable share only.",
        payback_words(back),
    )
    return Section("payback", "Payback", words, ("Figure", "Estimate", "95 % from", "to"), tuple(rows))


def payback_words(back: Payback) -> str:
    """When it paid back, or may."""
    if back.paid_in is not None:
        doubt = "" if back.net.low >= 0 else " Its interval does not rule out that it has not."
        return f"By the estimate it had paid back in {back.paid_in:%Y-%m}.{doubt}"
    if back.months_left is None:
        return "Not paid back, and at this month's rate it will not be."
    quickest, slowest = back.months_left
    if slowest is None:
        return (
            f"Not paid back. At this month's rate in {quickest} months at the earliest; its interval holds never, too."
        )
    return f"Not paid back. At this month's rate in {quickest} to {slowest} months."


def _context() -> Section:
    return Section(
        "context", "Published benchmarks, for context", (BENCHMARK_SOURCE,), ("Figure", "Published"), BENCHMARKS
    )


def _how(one: Statement) -> Section:
    interval = (
        "While a month is open its interval holds at every look at once (a normal mixture), and is wider."
        if one.draft
        else "The interval is Newcombe's, by strata of queue and week; minutes are by bootstrap."
    )
    return Section(
        "how",
        "How it was reckoned",
        (
            "Callers are drawn by lot when an article could be offered. The figure is how many fewer of those offered"
            f" one needed an agent within {one.window_days} days, this call included; each caller counts once.",
            interval,
            INTERFERENCE,
        ),
    )


def _because(one: Statement, *names: str) -> Iterable[str]:
    return [one.reasons[name] for name in names if name in one.reasons]
