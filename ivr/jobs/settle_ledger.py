"""The settlement: the books brought up to what the facts say, a page of calls in each transaction.

Whatever was done before, by whomever, and wherever it was killed: what is due is computed anew and only what is missing
is written. docs/decisions/0050 says why the books come out the same.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import structlog
from psycopg import Connection

from ivr.ledger import baselines as known
from ivr.ledger.baselines import Baseline
from ivr.ledger.books import Due, Entry, Figure, Key, Standing, month_of
from ivr.ledger.outcomes import WINDOW, Contact, Kind, judge
from ivr.ledger.postings import Price, Terms, Used, dues
from ivr.ledger.rates import RateCard
from ivr.ledger.settle import changes, monthly, numbered, open_month
from ivr.ledger.summary import Summary
from ivr.ratefile import read_rates
from ivr.wiring import Wiring
from models import baselines as kept_baselines
from models import contacts, erase, estimates, ledger, periods, rates, settlement, site, summaries
from models.locks import alone

log = structlog.get_logger()

EVERY_S = 60.0
PAGE = 2000  # calls in a transaction
BEHIND = timedelta(minutes=15)  # rows of calls older than this are not settled by: what the holdout did is not all in
ASK_AFTER = timedelta(hours=1)  # the carrier does not know a text's price at once
ZONE = "ledger_zone"  # in `site`: set once, for months must not move


class Behind(Exception):
    """The rows of calls are not up to date."""


def settle_ledger(wiring: Wiring) -> int:
    """Settle what is due; how many entries were written. Does nothing while another process does it, or while the rows
    of calls are being caught up with."""
    with wiring.pool.connection() as conn, erase.unhurried(conn), alone(conn, ledger.LOCK) as mine:
        if not mine:
            return 0
        try:
            written = settle(wiring, conn)
        except Behind:
            return 0
    if written:
        log.info("ledger_settled", entries=written)
    return written


def settle(wiring: Wiring, conn: Connection, told: Callable[[int], None] = lambda _: None) -> int:
    """Settle all that is due, under `ledger.alone`; how many entries were written. `told` hears how many calls are
    done. Raises Behind."""
    now = wiring.clock()
    mark = summaries.mark(conn)
    if mark.next_at is None or mark.next_at < now - BEHIND:
        raise Behind("the rows of calls are not up to date: the worker makes them, or flask summaries rebuild")
    books = Books(conn, zone_of(wiring, conn), now, test=wiring.development_account)
    written, done = _months(books), 0
    place: tuple[datetime | None, str] = (None, "")
    while True:
        with conn.transaction():
            place, page = settlement.take_due(conn, now, place, PAGE)
            books.look()
            written += _page(books, page) if page else 0
        if not page:
            return written
        done += len(page)
        told(done)


def zone_of(wiring: Wiring, conn: Connection) -> ZoneInfo:
    """The zone the books are kept in: that of the site when they were begun."""
    found = site.get(conn, ZONE)
    if found is None:
        plan = wiring.plans.live(conn) if _has_plan(wiring, conn) else None
        zone = plan.queues[plan.default_queue].hours.zone if plan else "UTC"
        found = site.put_once(conn, ZONE, zone) if plan else zone
    return ZoneInfo(found)


def _has_plan(wiring: Wiring, conn: Connection) -> bool:
    try:
        wiring.plans.live(conn)
    except LookupError:
        return False
    return True


@lru_cache(maxsize=4)
def card_of(yaml: str, version: int) -> RateCard:
    """A published rate card. Raises ValueError when this release cannot read it."""
    reading = read_rates(yaml.encode(), version)
    if reading.card is None:
        raise ValueError(f"rate card {version}: {reading.problems[0]}")
    return reading.card


@dataclass
class Books:
    """What a settlement goes by."""

    conn: Connection
    zone: ZoneInfo
    now: datetime
    test: bool
    card: RateCard | None = None
    last_closed: date | None = None
    _baselines: dict[date, known.Known] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.look()
        closed = periods.closed(self.conn)
        self.last_closed = closed[-1].month if closed else None

    def look(self) -> None:
        """See which rate card stands. After a page is taken: who publishes one puts all calls back on the list, those
        of the page as soon as it is settled."""
        latest = rates.latest(self.conn)
        self.card = card_of(latest.yaml, latest.version) if latest else None

    @property
    def window(self) -> timedelta:
        """A repeat contact within it takes a saving back."""
        return self.card.window if self.card else WINDOW

    def day_of(self, at: datetime) -> date:
        """The day in the site's zone."""
        return at.astimezone(self.zone).date()

    def midnight(self, day: date) -> datetime:
        """When a day begins in the site's zone."""
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)

    def terms(self, call: Summary) -> Terms:
        """What a call is booked by."""
        day = self.day_of(call.started_at)
        held = (call.eligible_at - call.held_at).total_seconds() if call.eligible_at and call.held_at else 0.0
        haircut = known.haircut(day, self._baselines[day], call.queue or "", held)
        card = self.card
        return Terms(day, card.at(day) if card else None, card.version if card else None, haircut)

    def learn(self, days: Sequence[date]) -> None:
        """Have the haircuts of days at hand: those kept when they were first used, the others made now."""
        missing = sorted(set(days) - self._baselines.keys())
        if not missing:
            return
        if fresh := sorted(set(missing) - self._read(missing)):
            rows = [row for day in fresh for row in self._made(fresh, day)]
            kept_baselines.keep(self.conn, [kept_baselines.BaselineRow(*row) for row in rows])
            self._read(fresh)

    def _read(self, days: Sequence[date]) -> set[date]:
        found: defaultdict[date, list[Baseline]] = defaultdict(list)
        for row in kept_baselines.of_days(self.conn, days):
            found[row.day].append(Baseline(*row))
        self._baselines |= {day: {(row.queue, row.bin): row for row in rows} for day, rows in found.items()}
        return set(found)

    def _made(self, fresh: Sequence[date], day: date) -> tuple[Baseline, ...]:
        if not self._counts or self._counts[0] != (fresh[0], fresh[-1]):
            self._counts = ((fresh[0], fresh[-1]), *self._counted(fresh[0], fresh[-1]))
        _, held_out, handled = self._counts
        return known.baselines(day, held_out, handled, self.window)

    def _counted(self, first: date, last: date) -> tuple[list[known.HeldOut], list[known.Handled]]:
        since, until = self.midnight(first - known.LOOK_BACK - self.window - known.LAG), self.midnight(last)
        held_out = kept_baselines.held_out(
            self.conn, since, until, zone=self.zone.key, bins=known.BINS, window=self.window, test=self.test
        )
        handled = kept_baselines.handled(self.conn, since, until, zone=self.zone.key, test=self.test)
        return [known.HeldOut(*row) for row in held_out], [known.Handled(*row) for row in handled]

    _counts: tuple[()] | tuple[tuple[date, date], list[known.HeldOut], list[known.Handled]] = ()


def _page(books: Books, page: Sequence[str]) -> int:
    """Settle a page of calls; how many entries were written."""
    conn = books.conn
    calls = [Summary._make(row) for row in settlement.summaries(conn, page, test=books.test)]
    sids = [call.call_sid for call in calls]
    days = {books.day_of(call.started_at) for call in calls}
    books.learn(sorted(days))
    estimates.touch(conn, _months_told(days, books.window))
    used: defaultdict[str, list[Used]] = defaultdict(list)
    asked: list[tuple[str, str, str, datetime]] = []
    for row in settlement.usage(conn, sids):
        used[row.call_sid].append(Used(row.id, row.name, row.at, row.text_id, row.segments, row.since))
        if row.name == "sent" and row.text_id and row.message_sid:
            asked.append((row.text_id, row.message_sid, row.call_sid, row.at + ASK_AFTER))
    if asked:
        settlement.enrol_texts(conn, asked)
    prices = {
        row.text_id: Price(row.price or 0, row.currency or "")
        for row in (settlement.prices(conn, list({row[2] for row in asked})) if asked else ())
    }
    later = _later(conn, [call.call_sid for call in calls if call.used_at is not None and call.hung_up_at is not None])
    due: list[Due] = []
    again: list[tuple[str, datetime]] = []
    for call in calls:
        if call.call_sid not in used and call.used_at is None:
            continue  # nothing used, nothing saved
        found = judge(call, later.get(call.call_sid, ()), books.window, books.now)
        due += dues(call, found, used.get(call.call_sid, ()), prices, books.terms(call), books.day_of)
        times = [found.due_at if found.kind is Kind.PROVISIONAL else None, call.used_at, call.solved_at, call.not_at]
        times += [call.asked_at, *(one.at for one in later.get(call.call_sid, ()))]
        if ahead := [at for at in times if at is not None and at > books.now]:  # a clock may be ahead of ours
            again.append((call.call_sid, min(ahead)))
    if again:
        settlement.look_again(conn, again)
    return _write(books, due, ledger.standing(conn, sids))


def _months_told(days: Collection[date], window: timedelta) -> set[date]:
    """The months whose figures count calls of these days: their own, and those of who was exposed before them."""
    return {month_of(day - back) for day in days for back in (timedelta(0), window + timedelta(days=1))}


def _later(conn: Connection, call_sids: Sequence[str]) -> dict[str, list[Contact]]:
    """Who of these callers came back, by whatever channel."""
    found: defaultdict[str, list[Contact]] = defaultdict(list)
    if call_sids:
        for one in summaries.later(conn, call_sids):
            if one.channel == "call":
                facts = (one.fact,) if one.fact is not None else ()
                found[one.of].append(Contact(one.at, one.ref, one.channel, one.same_topic, facts))
        for sid, at, ref, channel in contacts.later(conn, call_sids, summaries.LOOK_BACK):
            found[sid].append(Contact(at, ref, channel))
    return found


def _months(books: Books) -> int:
    """Book the fixed prices of the days gone by and the hours on articles; how many entries."""
    if books.card is None:
        return 0
    today, first = books.day_of(books.now), books.card.spans[0].first
    days = [first + timedelta(days=n) for n in range((today - first).days)]
    with books.conn.transaction():
        hours = {row.month: row.micro for row in rates.hours(books.conn)}
        return _write(books, monthly(books.card, hours, days, books.midnight), ledger.standing(books.conn, [""]))


def _write(books: Books, due: Sequence[Due], rows: Sequence[ledger.StandingRow]) -> int:
    standing = [
        Standing(
            Key(row.call_sid, Entry(row.kind), row.item),
            row.queue,
            row.currency,
            row.month,
            row.last,
            row.seq,
            Figure(*row[8:]),
        )
        for row in rows
    ]
    found = changes(due, standing, open_month(books.last_closed), books.now)
    if found:
        numbers = ledger.numbers(books.conn, len(found))
        rows_to_add = numbered(found, numbers, standing, books.now)
        ledger.add(books.conn, map(ledger.PostingRow._make, rows_to_add))
        estimates.touch(books.conn, {row.month for row in found})
    return len(found)
