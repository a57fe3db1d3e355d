"""What the holdout tells of a month: made from the calls' rows, and kept.

Drawing the intervals of minutes takes a second or more, a page may not. So the worker makes an open month's estimate
after each settlement that changed it, and whoever looks reads that; where it is not there yet, the one who looks makes
it. A kept one is good for as long as all it follows from is the same, and says as of when it is; that of a closed month
stays as it was signed.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from psycopg import Connection

from ivr.jobs.settle_ledger import Books, zone_of
from ivr.ledger.books import RULES, month_of, next_month
from ivr.ledger.estimate import REPLICATES, Arms, Cell, Interval, Minutes, minutes
from ivr.ledger.statement import WINDOWS, Counts
from ivr.watching import figures
from ivr.wiring import Wiring
from models import cohorts, erase, estimates, ledger, statements
from models.estimates import Kept
from models.locks import alone

FORM = 2  # of what is kept: another number where the same calls shall give another content


class Estimate(NamedTuple):
    """A month's counts and what its holdout tells. `period` ends where callers' time to come back is not over yet;
    `cells` are callers alike, however long agents spoke with them (`agent_s` is 0); `windows` the same of each of
    WINDOWS, by its days."""

    as_of: datetime
    period: cohorts.Period
    counts: Counts
    cells: tuple[Cell, ...]
    agent_minutes: Minutes | None
    wait_minutes: Minutes | None
    call_minutes: Minutes | None
    windows: tuple[tuple[int, tuple[Cell, ...]], ...]


def keep_estimates(wiring: Wiring) -> int:
    """Make those that are not there as of now; how many months are open. Does nothing while another process does it."""
    with wiring.pool.connection() as conn, erase.unhurried(conn), alone(conn, estimates.LOCK) as mine:
        if not mine:
            return 0
        books = Books(conn, zone_of(wiring, conn), wiring.clock(), test=wiring.development_account)
        months = {*ledger.months(conn), month_of(books.day_of(books.now))}
        still = sorted(month for month in months if books.last_closed is None or month > books.last_closed)
        for month in still:
            made = of_month(conn, books, month, closed=False, window=books.window)
            figures.note_sample_ratio(Arms.of(made.cells).odd())  # of the latest in the end
        return len(still)


def period(books: Books, month: date, *, closed: bool, window: timedelta) -> cohorts.Period:
    """The exposures a month's estimate is of: all of a closed one; of an open one those whose window was over at the
    last full hour, so that an estimate is good for an hour."""
    since, until = books.midnight(month), books.midnight(next_month(month))
    if not closed:
        until = max(since, min(until, _hour(books) - window))
    return cohorts.Period(since, until, books.zone.key, window, None, books.test)


def of_month(conn: Connection, books: Books, month: date, *, closed: bool, window: timedelta) -> Estimate:
    """A month's estimate as of now; the kept one if nothing has changed since it was made, or the month was closed."""
    exposed = period(books, month, closed=closed, window=window)
    turn = None if closed else estimates.turn(conn, month)  # read first: what changes meanwhile makes it old
    basis = _basis(month, exposed, turn)
    kept = estimates.read(conn, month)
    if kept is not None and kept.basis | ({"form": FORM} if closed else {}) == basis:  # what is signed stays as it is
        return _estimate(kept, exposed)
    made = _made(conn, books, month, exposed)
    estimates.keep(conn, Kept(month, basis, made.as_of, _content(made)))
    return made


def _basis(month: date, exposed: cohorts.Period, turn: int | None) -> dict[str, Any]:
    return {
        "form": FORM,
        "rules": RULES,
        "turn": turn,
        "until": exposed.until.isoformat(),
        "zone": exposed.zone,
        "window_s": exposed.window.total_seconds(),
        "test": exposed.test,
        "seed": _seed(month),
        "replicates": REPLICATES,
    }


def _seed(month: date) -> int:
    return month.year * 100 + month.month


def _made(conn: Connection, books: Books, month: date, exposed: cohorts.Period) -> Estimate:
    since, until, seed = books.midnight(month), books.midnight(next_month(month)), _seed(month)
    cells = [Cell(*row) for row in cohorts.cells(conn, exposed)]
    counts = Counts(*statements.counts(conn, since, until, test=books.test), cohorts.delivered_and_gone(conn, exposed))
    waited, lasted = (
        [Cell(*row) for row in statements.spent(conn, exposed, what)] for what in ("waited_s", "duration_s")
    )
    return Estimate(
        as_of=books.now,
        period=exposed,
        counts=counts,
        cells=without_seconds(cells),
        agent_minutes=minutes(cells, seed=seed),
        wait_minutes=minutes(waited, seed=seed),
        call_minutes=minutes(lasted, seed=seed),
        windows=tuple((days, _within(conn, books, exposed, days)) for days in WINDOWS),
    )


def _within(conn: Connection, books: Books, exposed: cohorts.Period, days: int) -> tuple[Cell, ...]:
    """The callers of a period, as far as a window of so many days is over for them."""
    window = timedelta(days=days)
    until = max(exposed.since, min(exposed.until, _hour(books) - window))
    return tuple(Cell(*row) for row in cohorts.contacted(conn, exposed._replace(until=until, window=window)))


def _hour(books: Books) -> datetime:
    return books.now.replace(minute=0, second=0, microsecond=0)


def without_seconds(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """Callers alike, however long agents spoke with them."""
    found: dict[Cell, int] = {}
    for cell in cells:
        key = cell._replace(agent_s=0, callers=0)
        found[key] = found.get(key, 0) + cell.callers
    return tuple(key._replace(callers=callers) for key, callers in sorted(found.items()))


# ---- kept


def _content(one: Estimate) -> dict[str, Any]:
    return {
        "counts": list(one.counts),
        "cells": _rows(one.cells),
        "minutes": [one.agent_minutes, one.wait_minutes, one.call_minutes],  # named fields are lists in JSON
        "windows": [[days, _rows(cells)] for days, cells in one.windows],
    }


def _rows(cells: Iterable[Cell]) -> list[list[Any]]:
    return [[cell.queue, cell.week.isoformat(), *cell[2:]] for cell in cells]


def _cells(rows: Iterable[list[Any]]) -> tuple[Cell, ...]:
    return tuple(Cell(queue, date.fromisoformat(week), share, *rest) for queue, week, share, *rest in rows)


def _estimate(kept: Kept, exposed: cohorts.Period) -> Estimate:
    content = kept.content
    agents, waited, lasted = (
        one and Minutes(*(Interval(*map(float, band)) for band in one)) for one in content["minutes"]
    )
    windows = tuple((days, _cells(rows)) for days, rows in content.get("windows", ()))  # none in those of long ago
    return Estimate(
        kept.as_of, exposed, Counts(*content["counts"]), _cells(content["cells"]), agents, waited, lasted, windows
    )
