"""The service's real parts on real stores; only the carrier is one that keeps a ledger and does as it is told."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import Connection

from config.settings import Settings
from ivr import kept_texts
from ivr.call.effects import QueueText
from ivr.call.plan import Plan
from ivr.call.state import Caller, CallerKind, CallState
from ivr.carrier.sender import LookUpFailed, Outcome, Sent
from ivr.jobs.queue_text import queue_text
from ivr.planfile.read import read_plan
from ivr.planfile.store import STARTER
from ivr.wiring import Wiring, build
from models import facts, texts
from models.texts import Text
from search.result import ArticleCard

CALLER = "+12025550143"
OTHER = "+12025550155"
OUR_NUMBER = "+13105550100"
NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # a Monday, noon in New York


@dataclass
class Ledger:
    """A carrier in the process: what it accepted, and what it is to answer next."""

    accepted: list[tuple[str, str, str]] = field(default_factory=list)  # to, body, sid
    answers: list[Outcome | None] = field(default_factory=list)  # next answers; None = as usual
    taken_all_the_same: bool = False  # accept although the answer is another
    shown: bool = True  # in the message list
    look_ups_fail: int = 0
    during: Callable[[str], None] | None = None  # called with the sid before the answer is given
    callbacks: list[str] = field(default_factory=list)
    valid_for_s: list[int] = field(default_factory=list)
    line: str | None = None  # the line type of every number

    def send(self, to: str, body: str, *, from_number: str, status_callback: str, valid_for_s: int) -> Outcome:
        answer = self.answers.pop(0) if self.answers else None
        self.callbacks.append(status_callback)
        self.valid_for_s.append(valid_for_s)
        sid = f"SM{len(self.accepted) + 1:032x}"
        if answer is None or self.taken_all_the_same:
            self.accepted.append((to, body, sid))
            if self.during is not None:
                self.during(sid)
        return answer or Sent(sid)

    def line_type(self, number: str) -> str | None:
        return self.line

    def find_by_token(self, to: str, token: str, since: datetime) -> str | None:
        if self.look_ups_fail:
            self.look_ups_fail -= 1
            raise LookUpFailed("as told")
        if not self.shown:
            return None
        return next((sid for number, body, sid in self.accepted if number == to and token in body), None)


@dataclass
class Desk:
    """A wiring with its clock, its carrier and a caller's hand."""

    wiring: Wiring
    carrier: Ledger
    plan: Plan
    now: datetime = NOON

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def state(self, call: int = 1, number: str = CALLER, *, test: bool = False) -> CallState:
        caller = Caller(CallerKind.MOBILE, self.wiring.numbers.key(number), 0, test=test)
        card = ArticleCard("router-light-red", "Router light stays red", None, None, 0, 0, "en")
        other = replace(card, id="wifi-weak", title="Wi-Fi is weak upstairs")
        return CallState(f"CA{call:032x}", self.plan.version, caller, OUR_NUMBER, 0, candidates=(card, other))

    def ask(
        self, conn: Connection, *, call: int = 1, number: str = CALLER, article: str = "router-light-red",
        typed: str | None = None, plan: Plan | None = None, test: bool = False, language: str = "en",
    ) -> Text | None:  # fmt: skip
        """The caller said yes: the row and its job, in a transaction as the turn's."""
        asked = QueueText(article, language, False, "router-offline", "the router", ("3", "2"), typed)
        state = self.state(call, number, test=test)
        with conn.transaction():
            text_id = queue_text(self.wiring, conn, state, asked, plan or self.plan, number)
        row = texts.read(conn, text_id) if text_id else None
        return kept_texts.opened(self.wiring, row) if row else None

    def facts(self, conn: Connection, call: int = 1) -> list[str]:
        return [fact.name for fact in facts.of_call(conn, f"CA{call:032x}")]


class OnePlan:
    """Published plans, of which there is one."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def live(self, _: Connection) -> Plan:
        return self.plan

    def known(self) -> Plan:
        return self.plan


@pytest.fixture(scope="session")
def starter_plan() -> Plan:
    """The starter menu, read once."""
    plan = read_plan(STARTER.read_bytes()).plan
    assert plan is not None
    return plan


@pytest.fixture
def desk(settings: Settings, starter_plan: Plan) -> Iterator[Desk]:
    """Everything wired, the starter menu live."""
    carrier = Ledger()
    wiring = replace(
        build(settings, lambda: here.now, name="tests", pool_size=6),
        sender=carrier,  # type: ignore[arg-type]
        plans=OnePlan(starter_plan),  # type: ignore[arg-type]
    )
    here = Desk(wiring, carrier, starter_plan)
    try:
        yield here
    finally:
        wiring.close()
