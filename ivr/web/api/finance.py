"""Finance: what months brought, and a month's statement."""

from datetime import date
from typing import Any

from psycopg import Connection
from pydantic import Field

from ivr import statements
from ivr.console import finance as figures
from ivr.console.errors import Missing
from ivr.web.api.guards import wiring
from ivr.web.api.operations import Group
from ivr.web.api.values import All, Told
from models import erase

finance = Group("finance")


class MonthTold(Told):
    """A month in one currency, in millionths of it. A closed one never changes."""

    month: date = Field(description="its first day")
    currency: str
    net: int = Field(description="confirmed, less what was taken back, less costs")
    costs: int
    closed: bool


class StatementTold(Told):
    """A month's statement as `flask statement --format json` has it, see docs/statement.md."""

    content: dict[str, Any]
    signature: dict[str, str] | None = Field(description="null: the month is open, and nothing is signed")


@finance.operation("GET", "/v1/finance/savings", scope="finance", answer=All[MonthTold])
def savings(conn: Connection) -> All[MonthTold]:
    """What every month brought, oldest first."""
    return All[MonthTold](items=[MonthTold.model_validate(one) for one in figures.nets(conn)])


@finance.operation("GET", "/v1/finance/statements/<month>", scope="finance", answer=StatementTold)
def statement(conn: Connection, month: str) -> StatementTold:
    """The statement of a month such as 2026-09: what was signed when it was closed, or how it stands now."""
    first = figures.month_or_missing(month)
    if first not in statements.months(wiring(), conn):
        raise Missing(f"nothing is known of {month}")
    with erase.unhurried(conn):
        found = statements.document(wiring(), conn, first)
    return StatementTold(content=found.content, signature=found.signature)
