"""Webhooks out, and the facts they tell of."""

from datetime import datetime
from typing import Any

from psycopg import Connection
from pydantic import Field

from ivr.console import hooks as work
from ivr.console.hooks import HookView
from ivr.hook_messages import told as told_of
from ivr.jobs.send_hooks import send_test
from ivr.web.api.guards import wiring
from ivr.web.api.operations import NUMBER, Group, by
from ivr.web.api.values import All, Done, Given, Page, Paged, Reason, Told, Why, Words
from models import hooks as rows

hooks = Group("webhooks")


class HookIn(Given):
    """A webhook: where to, and for which facts (none: for all)."""

    url: Words
    facts: list[Words] = Field([], max_length=100)
    why: Why


class HookTold(Told):
    """A webhook, and how many of its messages wait, were delivered (of the last week) and were given up."""

    id: int
    url: str
    facts: list[str]
    state: str = Field(description="on, failing or off")
    off_why: str | None
    failing_since: datetime | None
    made_by: str
    made_at: datetime
    waiting: int
    delivered: int
    given_up: int


class HookMade(HookTold):
    """With the secret, which is told this once."""

    secret: str


class Secret(Told):
    """A new secret, told this once; the old one signs as well for a day."""

    secret: str


class SwitchIn(Given):
    """Off, or on again."""

    on: bool
    why: Why


class MessageTold(Told):
    """What became of a message."""

    id: int
    fact_id: int
    name: str
    state: str = Field(description="waiting, delivered or given_up")
    attempts: int
    due_at: datetime
    tried_at: datetime | None
    problem: str | None


class Tested(Told):
    """Whether a message of no meaning was taken; if not, why."""

    taken: bool
    problem: str | None


class FactTold(Told):
    """A fact, as webhooks tell it: no number, no transcript."""

    fact: int
    name: str
    call: str
    at: datetime
    plan_version: int | None
    index_version: str | None
    test: bool
    data: dict[str, Any]


@hooks.operation("GET", "/v1/webhooks", scope="admin", answer=All[HookTold])
def listed(conn: Connection) -> All[HookTold]:
    """All webhooks, oldest first."""
    return All[HookTold](items=[_hook(one) for one in work.listed(conn)])


@hooks.operation("POST", "/v1/webhooks", scope="admin", body=HookIn, answer=HookMade, status=201, once=True)
def make(conn: Connection, body: HookIn) -> HookMade:
    """A new webhook, for the facts from now on."""
    number, secret = work.make(conn, wiring(), by(), url=body.url, names=body.facts, why=body.why)
    return HookMade(**_hook(work.read(conn, number)).model_dump(), secret=secret)


@hooks.operation("GET", f"/v1/webhooks/<{NUMBER}:hook_id>", scope="admin", answer=HookTold)
def read(conn: Connection, hook_id: int) -> HookTold:
    """One webhook."""
    return _hook(work.read(conn, hook_id))


@hooks.operation("PUT", f"/v1/webhooks/<{NUMBER}:hook_id>", scope="admin", body=HookIn, answer=HookTold)
def change(conn: Connection, hook_id: int, body: HookIn) -> HookTold:
    """Send it elsewhere, or other facts."""
    work.change(conn, wiring(), by(), hook_id, url=body.url, names=body.facts, why=body.why)
    return _hook(work.read(conn, hook_id))


@hooks.operation("POST", f"/v1/webhooks/<{NUMBER}:hook_id>/secret", scope="admin", body=Reason, answer=Secret)
def rotate(conn: Connection, hook_id: int, body: Reason) -> Secret:
    """A new secret; for a day both sign."""
    return Secret(secret=work.rotate(conn, wiring(), by(), hook_id, body.why))


@hooks.operation("POST", f"/v1/webhooks/<{NUMBER}:hook_id>/switch", scope="admin", body=SwitchIn, answer=HookTold)
def switch(conn: Connection, hook_id: int, body: SwitchIn) -> HookTold:
    """Switch it off, or on again; what happened meanwhile is then sent."""
    work.switch(conn, wiring(), by(), hook_id, on=body.on, why=body.why)
    return _hook(work.read(conn, hook_id))


@hooks.operation("POST", f"/v1/webhooks/<{NUMBER}:hook_id>/remove", scope="admin", body=Reason, answer=Done)
def remove(conn: Connection, hook_id: int, body: Reason) -> Done:
    """Forget it, and what was still to be sent."""
    work.remove(conn, wiring(), by(), hook_id, body.why)
    return Done()


@hooks.operation("POST", f"/v1/webhooks/<{NUMBER}:hook_id>/test", scope="admin", answer=Tested, connected=False)
def test(hook_id: int) -> Tested:
    """Send a message of no meaning now."""
    with wiring().pool.connection() as conn:
        found = work.read(conn, hook_id).hook
    problem = send_test(wiring(), found)
    return Tested(taken=problem is None, problem=problem)


@hooks.operation(
    "GET", f"/v1/webhooks/<{NUMBER}:hook_id>/messages", scope="admin", query=Page, answer=Paged[MessageTold]
)
def messages(conn: Connection, hook_id: int, query: Page) -> Paged[MessageTold]:
    """What became of its messages, newest first."""
    work.read(conn, hook_id)
    found = rows.messages(conn, hook_id, below=query.after, limit=query.limit)
    following = found[-1].id if len(found) == query.limit else None
    return Paged[MessageTold](items=[MessageTold.model_validate(one) for one in found], next=following)


@hooks.operation("GET", "/v1/facts", scope="calls", query=Page, answer=Paged[FactTold])
def facts(conn: Connection, query: Page) -> Paged[FactTold]:
    """All facts by number, oldest first, as webhooks tell them. One may appear up to a minute behind its neighbours."""
    found = rows.facts_after(conn, query.after or 0, query.limit)
    items = [FactTold.model_validate(told_of(fact, test=test)) for fact, test in found]
    return Paged[FactTold](items=items, next=found[-1][0].id if len(found) == query.limit else None)


def _hook(one: HookView) -> HookTold:
    hook = one.hook
    return HookTold(
        id=hook.id, url=hook.url, facts=list(hook.names), state=one.state, off_why=hook.off_why,
        failing_since=hook.failing_since, made_by=hook.made_by, made_at=hook.made_at, **one.tally._asdict(),
    )  # fmt: skip
