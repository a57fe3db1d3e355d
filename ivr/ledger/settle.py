"""What to write so that the books say what they should: new entries only, nothing when they say it already."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from ivr.ledger.books import MICRO, RULES, Due, Entry, Figure, Key, Posting, Standing, month_of, next_month
from ivr.ledger.rates import RateCard, of_day

NO_LONGER = "correction: this is no longer so"
CHANGED = "correction: the figure changed"
_NOTHING = Figure()


class Change(NamedTuple):
    """An entry to be written, without its number. `undoes`: the key, or the number of the entry."""

    due: Due
    seq: int
    month: date
    figure: Figure
    undoes: Key | int | None
    reason: str


def open_month(last_closed: date | None) -> Callable[[date], date]:
    """Where an entry of a month goes: there while it is open, else into the first month that is. Months are closed in
    their order."""

    def of(month: date) -> date:
        return month if last_closed is None or month > last_closed else next_month(last_closed)

    return of


def changes(
    dues: Iterable[Due], standing: Iterable[Standing], month: Callable[[date], date], now: datetime
) -> list[Change]:
    """The entries that lead from what stands to what is due. Keys that are not due any more are undone."""
    wanted = {one.key: one for one in dues}
    stands: defaultdict[Key, list[Standing]] = defaultdict(list)
    for one in standing:
        stands[one.key].append(one)
    found: list[Change] = []
    for key in sorted(wanted.keys() | stands.keys(), key=lambda one: (one not in wanted, _order(one))):
        found += _of_key(wanted.get(key), stands.get(key, []), month, now)
    return found


_ORDER = {kind: n for n, kind in enumerate(Entry)}


def _order(key: Key) -> tuple[str, int, str]:
    return key.call_sid, _ORDER[key.kind], key.item


def _of_key(due: Due | None, stands: Sequence[Standing], month: Callable[[date], date], now: datetime) -> list[Change]:
    seq = max((one.seq for one in stands), default=-1) + 1
    found: list[Change] = []
    matched = False
    for one in stands:
        same = due is not None and (one.queue, one.currency) == (due.queue, due.currency)
        matched = matched or same
        rest = (due.figure if due is not None and same else _NOTHING).plus(one.figure.minus())
        if rest != _NOTHING:
            about = due if due is not None and same else _undoing(one, now)
            reason = CHANGED if same else NO_LONGER
            found.append(Change(about, seq + len(found), month(one.month), rest, one.last, reason))
    if due is not None and not matched and due.figure != _NOTHING:
        reason = CHANGED if stands else ""
        found.append(Change(due, seq + len(found), month(due.month), due.figure, due.undoes, reason))
    return found


def _undoing(one: Standing, now: datetime) -> Due:
    """What an undoing entry says of itself: the old queue and currency."""
    return Due(one.key, now, one.month, one.queue, one.currency, one.figure)


def numbered(
    found: Sequence[Change], numbers: Sequence[int], known: Iterable[Standing], now: datetime
) -> list[Posting]:
    """The entries with their numbers; what undoes another names its number."""
    latest = {one.key: one.last for one in known}
    rows: list[Posting] = []
    for change, number in zip(found, numbers, strict=True):
        due = change.due
        undoes = latest.get(change.undoes) if isinstance(change.undoes, Key) else change.undoes
        rows.append(
            Posting(
                number, due.key.call_sid, due.key.kind, due.key.item, change.seq, change.month, due.at, now, due.queue,
                due.currency, *change.figure, list(due.facts), due.card, RULES, due.baseline, due.share, undoes,
                due.contact, change.reason,
            )
        )  # fmt: skip
        latest[due.key] = number
    return rows


def monthly(
    card: RateCard | None,
    hours: Mapping[date, int],
    days: Iterable[date],
    midnight: Callable[[date], datetime],
) -> list[Due]:
    """Fixed prices of days gone by, a day's part each, and the hours on articles of their months (in millionths).
    `midnight`: when a day begins in the site's zone."""
    if card is None:
        return []
    found = [one for day in days for one in _fixed(card, day, midnight(day))]
    for month, micro in hours.items():
        span = card.within(month, next_month(month))
        rate = span.prices.get("content_hour") if span else None
        if span is not None and rate is not None:
            figure = Figure(amount=-(micro * rate.micro // MICRO), quantity=micro)
            key = Key("", Entry.CONTENT, month.isoformat())
            found.append(Due(key, midnight(month), month, "", span.currency, figure, card=card.version))
    return found


def _fixed(card: RateCard, day: date, at: datetime) -> list[Due]:
    span = card.at(day)
    if span is None:
        return []
    return [
        Due(
            Key("", Entry.FIXED, f"{item}:{day}"),
            at,
            month_of(day),
            "",
            span.currency,
            Figure(amount=-of_day(rate.micro, day), quantity=1),
            card=card.version,
        )
        for item, rate in sorted(span.monthly.items())
    ]
