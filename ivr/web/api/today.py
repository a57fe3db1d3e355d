"""Today, the switches that stop offers, and incidents."""

from datetime import datetime

from psycopg import Connection
from pydantic import Field, JsonValue

from ivr.console import incidents, switches
from ivr.console import today as figures
from ivr.console.incidents import Wanted
from ivr.web.api.guards import wiring
from ivr.web.api.operations import NUMBER, Group, by
from ivr.web.api.values import All, Code, Done, Given, Line, Moment, Reason, Told, Why, moment
from models.incidents import Incident
from models.switches import ALL

today = Group("today")
_NO_OTHERS: dict[str, JsonValue] = {"additionalProperties": False}


class QueueNow(Told):
    """A queue as it is now."""

    queue: str
    waiting: int
    longest_s: int
    closed: str | None = Field(description="why nobody answers in it; null: somebody does")


class PartNow(Told):
    """A part of the installation."""

    name: str
    state: str = Field(description="good, warn or bad")
    words: str
    detail: str


class TodayNow(Told):
    """What goes on now, and what callers did since midnight of the default queue's zone."""

    at: datetime
    since: datetime
    in_menus: int
    queues: list[QueueNow]
    counts: dict[str, int] = Field(description="by fact")
    parts: list[PartNow]
    warnings: list[str]


class SwitchNow(Told):
    """A switch. `queue` "": the one for all offers."""

    queue: str
    stopped: bool
    who: str | None
    why: str | None
    at: datetime | None


class PullIn(Given):
    """Stop offers, or let them go on."""

    stopped: bool
    why: Why


class IncidentIn(Given):
    """An incident to begin."""

    message: dict[Code, Line] = Field(description="language -> what callers hear first", json_schema_extra=_NO_OTHERS)
    news: dict[Code, Line] = Field(
        {}, description="language -> what a text on request says; empty: none is offered", json_schema_extra=_NO_OTHERS
    )
    leaves: list[Line] | None = Field(
        None, description="ids of the leaves it concerns; null: all callers", max_length=500
    )
    until: Moment
    why: Why


class IncidentTold(Told):
    """An incident."""

    id: int
    message: dict[str, str]
    news: dict[str, str]
    leaves: list[str] | None
    starts_at: datetime
    until: datetime
    who: str
    why: str
    ended_at: datetime | None
    ended_by: str | None
    ended_why: str | None


@today.operation("GET", "/v1/today", scope="read", answer=TodayNow, connected=False)
def now() -> TodayNow:
    """Who is at a menu or on hold, what callers did today, and whether every part works."""
    told = figures.now(wiring())
    queues = [QueueNow(queue=one.queue, waiting=one.waiting, longest_s=one.longest_s, closed=one.closed)
              for one in told.lines]  # fmt: skip
    parts = [PartNow(name=str(one.name), state=one.state, words=str(one.words), detail=one.detail)
             for one in told.parts]  # fmt: skip
    return TodayNow(
        at=told.at, since=told.since, in_menus=told.in_menus, queues=queues, counts=told.counts, parts=parts,
        warnings=[str(one) for one in told.warnings],
    )  # fmt: skip


def _switches(conn: Connection) -> All[SwitchNow]:
    plan = figures.live_plan(conn, wiring())
    return All[SwitchNow](items=[_switch(one) for one in switches.standing(conn, plan)])


def _switch(one: switches.Switch) -> SwitchNow:
    pull = one.pull
    return SwitchNow(
        queue=one.queue, stopped=one.stopped, who=pull.who if pull else None, why=pull.why if pull else None,
        at=pull.at if pull else None,
    )  # fmt: skip


@today.operation("GET", "/v1/offers/switches", scope="read", answer=All[SwitchNow])
def listed_switches(conn: Connection) -> All[SwitchNow]:
    """The switches as they stand: that for all offers first, then one for each queue."""
    return _switches(conn)


@today.operation("PUT", "/v1/offers/switches/all", scope="menus", body=PullIn, answer=All[SwitchNow])
def pull_all(conn: Connection, body: PullIn) -> All[SwitchNow]:
    """Stop all offers, or let them go on: felt on the next turn of every call."""
    switches.pull(conn, wiring(), by(), ALL, stopped=body.stopped, why=body.why)
    return _switches(conn)


@today.operation("PUT", "/v1/offers/switches/queues/<queue>", scope="menus", body=PullIn, answer=All[SwitchNow])
def pull_queue(conn: Connection, queue: str, body: PullIn) -> All[SwitchNow]:
    """Stop the offers of one queue, or let them go on."""
    switches.pull(conn, wiring(), by(), queue, stopped=body.stopped, why=body.why)
    return _switches(conn)


def _told(one: Incident) -> IncidentTold:
    return IncidentTold.model_validate(one)


@today.operation("GET", "/v1/incidents", scope="read", answer=All[IncidentTold])
def listed_incidents(conn: Connection) -> All[IncidentTold]:
    """The incidents of now and the latest 50 that are over, newest first."""
    current, over = incidents.listed(conn, wiring().clock())
    return All[IncidentTold](items=[_told(one) for one in (*current, *over)])


@today.operation(
    "POST", "/v1/incidents", scope="menus", body=IncidentIn, answer=IncidentTold, status=201, once=True,
    announces="incident",
)  # fmt: skip
def begin_incident(conn: Connection, body: IncidentIn) -> IncidentTold:
    """Tell callers of something that goes wrong, from now on, until a time."""
    until = moment("until", body.until)
    number = incidents.begin(conn, wiring(), by(), Wanted(body.message, body.news, body.leaves, until, body.why))
    return next(_told(one) for one in incidents.listed(conn, wiring().clock())[0] if one.id == number)


@today.operation("POST", f"/v1/incidents/<{NUMBER}:number>/end", scope="menus", body=Reason, answer=Done)
def end_incident(conn: Connection, number: int, body: Reason) -> Done:
    """Tell nobody any more, before its time."""
    incidents.end(conn, wiring(), by(), number, body.why)
    return Done()
