"""What the finance pages ask: statements, the funnel, the rate card, closing, and from a figure to its evidence."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from psycopg import Connection

from ivr import months, ratecards, statements
from ivr.console.actors import Actor
from ivr.console.errors import Missing, Sentence, Wrong, sentence
from ivr.console.switches import wrong_why
from ivr.jobs.settle_ledger import Books, card_of, zone_of
from ivr.ledger import baselines, estimate, postings, printed, rates, statement
from ivr.ledger.books import COSTS, MEMO, MICRO, SAVINGS, Entry, Totals, next_month, totals
from ivr.ledger.estimate import Cell
from ivr.ledger.outcomes import judge
from ivr.ledger.periods import Wish
from ivr.ledger.rates import RateCard
from ivr.ledger.statement_words import KINDS
from ivr.months import NotClosed
from ivr.planfile.problems import PlanRefused
from ivr.ratecards import Publisher
from ivr.ratefile import read_rates
from ivr.wiring import Wiring
from models import cohorts, erase, funnel, ledger, periods
from models import rates as cards
from models.cohorts import Group
from models.funnel import SPLITS, Step
from models.ledger import PostingRow

ON_A_PAGE = 50


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the dictionary: its name, the function that makes it, and what that says of itself."""

    key: str
    name: Sentence
    place: str
    formula: str
    kinds: tuple[Entry, ...] = ()


def _figure(key: str, name: Sentence, made_by: Any, kinds: frozenset[Entry] | tuple[Entry, ...] = ()) -> Figure:
    place = f"{made_by.__module__}.{made_by.__qualname__}"
    order = list(Entry)
    return Figure(
        key, name, place, (inspect.getdoc(made_by) or "").replace("`", ""), tuple(sorted(kinds, key=order.index))
    )


#: every figure of a statement by its key, from the code's own words
FIGURES: Mapping[str, Figure] = {
    one.key: one
    for one in (
        _figure("incremental", sentence("Incremental: contacts avoided"), estimate.incremental),
        _figure("interval-live", sentence("Interval while a month is open"), estimate.always_valid),
        _figure("interval-closed", sentence("Interval of a closed month"), estimate.newcombe),
        _figure("strata", sentence("How strata are weighed"), estimate.Arms.weights),
        _figure("sample-ratio", sentence("Whether the groups are as drawn"), estimate.Arms.odd),
        _figure("weeks", sentence("Weeks until measurable"), estimate.weeks_needed),
        _figure("minutes", sentence("Minutes avoided"), estimate.minutes),
        _figure("worth", sentence("What a contact costs on the mean"), statement.mean_cost),
        _figure("naive", sentence("Naive"), cohorts.delivered_and_gone),
        _figure("outcome", sentence("What became of a call"), judge),
        _figure("haircut", sentence("Haircut"), baselines.baselines),
        _figure("unit-cost", sentence("Cost of a contact"), rates.cost_per_contact),
        _figure("rounding", sentence("Rounding"), printed.printed),
        _figure("confirmed", sentence("Confirmed"), postings.dues, SAVINGS - {Entry.LATE_REVERSAL}),
        _figure("late_reversals", sentence("Taken back after it was confirmed"), judge, (Entry.LATE_REVERSAL,)),
        _figure("costs", sentence("Costs"), postings.dues, COSTS),
        _figure("pending", sentence("Pending"), postings.dues, MEMO),
        _figure("net", sentence("Net"), Totals, COSTS | SAVINGS),
        *(_figure(kind.value, Sentence(KINDS[kind]), postings.dues, (kind,)) for kind in Entry),
    )
}


class Asked(NamedTuple):
    """What part of a figure's evidence is asked for: of a queue, in a currency, or of callers alike; after a place in
    it."""

    after: str = ""
    queue: str | None = None
    group: Group | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a figure of a month rests on: entries, calls, or callers alike; `more`: where the next page begins."""

    figure: Figure
    month: date
    card: int | None
    asked: Asked
    rows: tuple[PostingRow, ...] = ()
    calls: tuple[str, ...] = ()
    cells: tuple[Cell, ...] = ()
    more: str = ""


@dataclass(frozen=True, slots=True)
class MonthNet:
    """A month's net in one currency, micro-units, with its costs and what is pending."""

    month: date
    currency: str
    net: int
    costs: int
    closed: bool


def month_or_missing(text: str) -> date:
    """ "2026-09" as its first day. Raises Missing."""
    try:
        if len(text) == 7 and "2000" <= text[:4] <= "2999":
            return date.fromisoformat(f"{text}-01")
    except ValueError:
        pass
    raise Missing(f"there is no month {text}")


def nets(conn: Connection) -> list[MonthNet]:
    """Every month's net, oldest first."""
    closed = {one.month for one in periods.closed(conn)}
    lines = [statements.line(row) for row in ledger.all_lines(conn)]
    found = []
    for month in sorted({one.month for one in lines}):
        for currency, total in totals([one for one in lines if one.month == month]).items():
            if currency:
                found.append(MonthNet(month, currency, total.net, total.costs.amount, month in closed))
    return found


def asked(given: Mapping[str, str]) -> Asked:
    """As an address has it. Raises Missing for what cannot be."""
    group = None
    if any("\0" in one for one in given.values()):
        raise Missing("no address has such letters")
    if "arm" in given:
        try:
            week, share = date.fromisoformat(given.get("week", "")), float(given.get("share", ""))
        except ValueError:
            raise Missing("there are no such callers") from None
        group = Group(given.get("queue", ""), week, share, given["arm"], given.get("contacted") == "yes")
    return Asked(given.get("after", ""), given.get("queue"), group, given.get("currency"))


def evidence(wiring: Wiring, conn: Connection, month: date, key: str, asked: Asked) -> Evidence:
    """What a figure rests on, a page of it. Raises Missing."""
    figure = FIGURES.get(key)
    if figure is None:
        raise Missing(f"there is no figure {key}")
    books = Books(conn, zone_of(wiring, conn), wiring.clock(), test=wiring.development_account)
    closed = periods.read(conn, month)
    card = closed.card if closed else books.card.version if books.card else None
    found = Evidence(figure, month, card, asked)
    if figure.kinds:
        start = int(asked.after) if asked.after.isascii() and asked.after.isdigit() and len(asked.after) < 18 else 0
        rows = ledger.postings(
            conn,
            month,
            kinds=[*figure.kinds],
            queue=asked.queue,
            currency=asked.currency,
            after=start,
            limit=ON_A_PAGE + 1,
        )
        more = str(rows[ON_A_PAGE - 1].id) if len(rows) > ON_A_PAGE else ""
        return replace(found, rows=tuple(rows[:ON_A_PAGE]), more=more)
    if key not in ("naive", "incremental", "strata", "sample-ratio", "worth"):
        return found
    _, told = statements.estimated(conn, books, month, closed)
    if key == "naive":
        return _calls(found, cohorts.calls_gone(conn, told.period, after=asked.after, limit=ON_A_PAGE + 1))
    if asked.group is not None:
        return _calls(found, cohorts.calls(conn, told.period, asked.group, after=asked.after, limit=ON_A_PAGE + 1))
    return replace(found, cells=told.cells)


def _calls(found: Evidence, calls: list[str]) -> Evidence:
    more = calls[ON_A_PAGE - 1] if len(calls) > ON_A_PAGE else ""
    return replace(found, calls=tuple(calls[:ON_A_PAGE]), more=more)


def steps(wiring: Wiring, conn: Connection, month: date, by: str) -> list[Step]:
    """The funnel of a month in the site's zone. Raises Missing for a split there is not."""
    if by not in SPLITS:
        raise Missing(f"nothing is split by {by}")
    books = Books(conn, zone_of(wiring, conn), wiring.clock(), test=wiring.development_account)
    since, until = books.midnight(month), books.midnight(next_month(month))
    return funnel.steps(conn, since, until, by=by, zone=books.zone.key, test=books.test)


# ---- changes


def objections(wiring: Wiring, conn: Connection, by: Actor, month: date) -> list[str]:
    """Why this person cannot close a month now, a sentence each."""
    return months.objections_to(wiring, conn, Wish(month, _who(by), "asked"))


def close(wiring: Wiring, conn: Connection, by: Actor, month: date, why: str) -> None:
    """Close a month for good, and sign it. Raises Wrong with everything that speaks against it."""
    why = why.strip()
    if problems := wrong_why(why):
        raise Wrong(problems)
    try:
        months.close_month(wiring, conn, Wish(month, _who(by), why))
    except NotClosed as refused:
        raise Wrong({"": " ".join(refused.objections)}) from None
    statements.sign_closed(wiring, conn)


def publish(wiring: Wiring, conn: Connection, by: Actor, yaml: str, why: str) -> int:
    """Make a rate card the one that stands; its version. Raises Wrong: of the YAML every problem with its line."""
    why = why.strip()
    problems = wrong_why(why)
    text = yaml.replace("\r\n", "\n")
    try:
        if not problems:
            with erase.unhurried(conn):
                return ratecards.publish(wiring, conn, text, Publisher(_who(by), why, wiring.clock()))
        found = read_rates(text.encode()).problems
    except PlanRefused as refused:
        found = tuple(refused.problems)
    if wrong := [one for one in found if one.error]:
        problems["yaml"] = " · ".join(str(one) for one in wrong[:20])
    raise Wrong(problems)


def _who(by: Actor) -> str:
    return f"staff:{by.key}" if isinstance(by.key, int) else by.key


def card(conn: Connection, version: int | None = None) -> tuple[cards.Card, RateCard] | None:
    """A published rate card, the one that stands by default; None when there is none."""
    found = cards.latest(conn) if version is None else cards.read(conn, version)
    return (found, card_of(found.yaml, found.version)) if found else None


def in_units(micro: int) -> float:
    """Micro-units as a number to draw or show."""
    return micro / MICRO
