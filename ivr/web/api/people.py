"""Who may come in, and who changed what. Accounts and tokens are made by people, at the console."""

from datetime import datetime
from typing import Any

from psycopg import Connection

from ivr.console import tokens as api_tokens
from ivr.web.api.operations import Group
from ivr.web.api.values import All, Page, Paged, Told
from models import audit, staff

people = Group("people")


class StaffTold(Told):
    """An account."""

    id: int
    name: str
    email: str
    role: str
    language: str
    active: bool
    signed_in_at: datetime | None


class TokenTold(Told):
    """A token: what it may do, never the token itself."""

    id: int
    name: str
    prefix: str
    scopes: list[str]
    made_by: str
    made_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class ChangeTold(Told):
    """A line of the audit log. `who` is staff:ID, token:ID, cli:LOGIN or worker."""

    id: int
    at: datetime
    who: str
    name: str | None
    what: str
    on: str
    before: Any
    after: Any
    why: str


@people.operation("GET", "/v1/staff", scope="admin", answer=All[StaffTold])
def accounts(conn: Connection) -> All[StaffTold]:
    """All accounts."""
    return All[StaffTold](items=[StaffTold.model_validate(one) for one in staff.everyone(conn)])


@people.operation("GET", "/v1/tokens", scope="admin", answer=All[TokenTold])
def tokens(conn: Connection) -> All[TokenTold]:
    """All tokens, newest first."""
    return All[TokenTold](items=[TokenTold.model_validate(one) for one in api_tokens.everything(conn)])


@people.operation("GET", "/v1/audit", scope="admin", query=Page, answer=Paged[ChangeTold])
def log(conn: Connection, query: Page) -> Paged[ChangeTold]:
    """Every change by anyone, newest first."""
    found = audit.find(conn, below=query.after, limit=query.limit)
    following = found[-1].id if len(found) == query.limit else None
    return Paged[ChangeTold](items=[ChangeTold.model_validate(one) for one in found], next=following)
