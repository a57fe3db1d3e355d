"""Closing a month of the books: once, in order, after everything is settled, and for good."""

from datetime import date

from psycopg import Connection

from ivr.jobs.settle_ledger import Behind, Books, settle, zone_of
from ivr.ledger.books import next_month
from ivr.ledger.periods import TERMINAL, State, Wish, objections
from ivr.wiring import Wiring
from models import audit, contacts, erase, ledger, periods, rates, staff
from models.locks import alone


class NotClosed(Exception):
    """The month stays open: `objections` say why, a sentence each."""

    def __init__(self, found: list[str]) -> None:
        self.objections = found
        super().__init__("\n".join(found))


def objections_to(wiring: Wiring, conn: Connection, wish: Wish) -> list[str]:
    """Why a month cannot be closed now; none: it can."""
    return objections(wish._replace(who=_person(conn, wish.who)), _state(wiring, conn, wish.month))


def _person(conn: Connection, who: str) -> str:
    """The same for one person wherever they sit: staff:ID for a login that is one of the staff."""
    person = staff.at_terminal(conn, who.removeprefix(TERMINAL)) if who.startswith(TERMINAL) else None
    return f"staff:{person.id}" if person else who


def _state(wiring: Wiring, conn: Connection, month: date) -> State:
    books = Books(conn, zone_of(wiring, conn), wiring.clock(), test=wiring.development_account)
    card = rates.latest(conn)
    hours_by = next((one.who for one in rates.hours(conn) if one.month == month), None)
    return State(
        books.now,
        books.midnight(next_month(month)),
        books.window,
        ledger.months(conn),
        books.last_closed,
        {feed.channel: feed.at for feed in contacts.feeds(conn)},
        _person(conn, card.published_by) if card else None,
        _person(conn, hours_by) if hours_by else None,
        books.zone,
    )


def close_month(wiring: Wiring, conn: Connection, wish: Wish) -> periods.Closed:
    """Settle everything and close a month for good, with a line in the audit log. Waits for a settlement under way.

    Raises NotClosed with everything that speaks against it; then it stays open.
    """
    with erase.unhurried(conn), alone(conn, ledger.LOCK, wait=True):
        if found := objections_to(wiring, conn, wish):
            raise NotClosed(found)
        try:
            settle(wiring, conn)
        except Behind as behind:
            raise NotClosed([f"{behind}."]) from None
        state, card = _state(wiring, conn, wish.month), rates.latest(conn)
        closed = periods.Closed(
            wish.month,
            state.now,
            wish.who,
            wish.reason.strip(),
            card.version if card else None,
            {channel: at.isoformat() for channel, at in state.feeds.items()},
        )
        with conn.transaction():
            periods.close(conn, closed)
            audit.note(
                conn,
                who=wish.who,
                what="ledger.close",
                on=f"month {wish.month:%Y-%m}",
                after={"rate card": closed.card, "channels": closed.channels},
                why=closed.reason,
                at=state.now,
            )
    return closed
