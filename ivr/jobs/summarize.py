"""What became of each call, kept up from the facts: one row a call, its outcome, and what came after it."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from psycopg import Connection

from ivr.jobs.settle_ledger import card_of
from ivr.ledger.outcomes import WINDOW, Contact, Outcome, judge
from ivr.ledger.summary import Caller, Summary, summarize
from ivr.wiring import Wiring
from models import contacts, erase, rates, summaries
from models.locks import alone
from models.summaries import Judged, Mark

log = structlog.get_logger()

EVERY_S = 10.0
PAGE_FACTS = 2000  # looked through at a time
PAGE_CALLS = 500  # made anew at a time
REBUILT_CALLS = 2000  # the same, of all calls


def summarize_calls(wiring: Wiring) -> int:
    """Make anew the rows of calls that have new facts, and judge what is due; how many rows were made. Does nothing
    while another process does it.

    A fact's number is given before its commit, so facts are looked through again until they are surely all there.
    """
    now = wiring.clock()
    with wiring.pool.connection() as conn, erase.unhurried(conn), alone(conn, summaries.LOCK) as mine:
        if not mine:
            return 0
        known, newest = summaries.mark(conn), summaries.newest_fact(conn)
        made = _look_through(conn, known.mark, now)
        if _all_in(known, now):
            summaries.set_mark(conn, Mark(known.next, newest, now))
        judged = _judge_due(conn, now)
    if made or judged:
        log.info("calls_summarized", calls=made, judged=judged)
    return made


def rebuild(wiring: Wiring, told: Callable[[int], None] = lambda _: None) -> int:
    """Make every row anew from the facts, waiting for whoever else does it; how many. `told` hears how many are done so
    far. The rows are up to date then: the ledger settles by them, worker or not."""
    made, now = 0, wiring.clock()
    with wiring.pool.connection() as conn, erase.unhurried(conn), alone(conn, summaries.LOCK, wait=True):
        known, newest = summaries.mark(conn), summaries.newest_fact(conn)
        with wiring.pool.connection() as reading, erase.unhurried(reading), ThreadPoolExecutor(1) as reader:
            # One page is read and made while the one before is written.
            page = reader.submit(_page, reading, 0, now)
            while (found := page.result()).after is not None:
                page = reader.submit(_page, reading, found.after, now)
                _write(conn, found.call_sids, found.rows, now)
                made += len(found.call_sids)
                told(made)
        end, newest_now = wiring.clock(), summaries.newest_fact(conn)
        _look_through(conn, newest, end)  # what came in meanwhile
        if _all_in(known, now):
            summaries.set_mark(conn, Mark(known.next, newest_now, end))
        _judge_due(conn, end)
    return made


def _look_through(conn: Connection, after: int | None, now: datetime) -> int:
    """Make anew the rows of calls with facts of a greater number; how many."""
    made = 0
    while after is not None:
        after, call_sids = summaries.changed(conn, after, PAGE_FACTS)
        made += _make(conn, call_sids, now)
    return made


def _all_in(known: Mark, now: datetime) -> bool:
    """Whether the facts up to the number seen last are surely committed, so that who reads `now` has them all."""
    return known.next_at is None or known.next_at + summaries.COMMITTED_AFTER <= now


class _Page(NamedTuple):
    """The rows of the next calls that began; `after` None: there are none."""

    after: int | None
    call_sids: list[str]
    rows: list[dict[str, object]]


def _page(conn: Connection, after: int, now: datetime) -> _Page:
    to, call_sids = summaries.begun(conn, after, REBUILT_CALLS)
    return _Page(to, call_sids, _rows(conn, call_sids, now))


def _make(conn: Connection, call_sids: Sequence[str], now: datetime) -> int:
    for start in range(0, len(call_sids), PAGE_CALLS):
        page = call_sids[start : start + PAGE_CALLS]
        _write(conn, page, _rows(conn, page, now), now)
    return len(call_sids)


def _rows(conn: Connection, call_sids: Sequence[str], now: datetime) -> list[dict[str, object]]:
    rows = (summarize(Caller._make(one.call), one.facts) for one in summaries.told(conn, call_sids))
    window = _window(conn)
    return [_row(row, judge(row, (), window, now)) for row in rows]


def _window(conn: Connection) -> timedelta:
    """That of the rate card, as the ledger has it."""
    card = rates.latest(conn)
    try:
        return card_of(card.yaml, card.version).window if card else WINDOW
    except ValueError:  # of another release: the settlement says so
        return WINDOW


def _write(conn: Connection, call_sids: Sequence[str], rows: list[dict[str, object]], now: datetime) -> None:
    with conn.transaction():
        summaries.put(conn, rows, now)
        summaries.relate(conn, call_sids, now)
        contacts.relate(conn, call_sids)


def _row(call: Summary, found: Outcome) -> dict[str, object]:
    outcome = {"outcome": found.kind, "outcome_at": found.at, "judge_at": found.due_at}
    return {**call._asdict(), "offers": [one._asdict() for one in call.offers], **outcome}


def _judge_due(conn: Connection, now: datetime) -> int:
    """Judge what time or a later contact may have changed; how many."""
    count, window = 0, _window(conn)
    while rows := summaries.due(conn, now, PAGE_CALLS):
        calls = [Summary(**row) for row in rows]
        later: defaultdict[str, list[Contact]] = defaultdict(list)
        for one in summaries.later(conn, [call.call_sid for call in calls]):
            facts = (one.fact,) if one.fact is not None else ()
            later[one.of].append(Contact(one.at, one.ref, one.channel, one.same_topic, facts))
        found = ((call, judge(call, later[call.call_sid], window, now)) for call in calls)
        summaries.judged(conn, [Judged(call.call_sid, one.kind, one.at, one.due_at) for call, one in found])
        count += len(calls)
    return count
