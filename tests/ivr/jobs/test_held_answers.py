"""Questions by text while managers let nobody have an article: by the switch, or for an incident."""

from datetime import timedelta

import pytest
from psycopg import Connection

from ivr.call.events import Found
from ivr.carrier.inbound import Message
from ivr.jobs import answer_text as module
from ivr.jobs.answer_text import answer_text
from models import facts, incidents, switches
from search.result import ArticleCard
from tests.ivr.jobs.conftest import CALLER, OUR_NUMBER, Desk

CARD = ArticleCard("wifi-weak", "Wi-Fi is weak upstairs", None, None, 0, 0, "en", ("internet", "wifi"))


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find", lambda *_: Found((CARD,), None, 0.8, 0.2, "v1"))


def ask(desk: Desk, db: Connection, count: int = 1) -> tuple[str | None, str | None]:
    """(the answer, why it names no article)."""
    sid = f"SM{count:032x}"
    reply = answer_text(desk.wiring, Message(sid, CALLER, OUR_NUMBER, "the wifi is so slow in my bedroom", None))
    (told,) = (fact for fact in facts.of_call(db, sid) if fact.name == "question_answered")
    return reply, told.data.get("reason")


def test_an_answer_names_the_index_that_decided_it(desk: Desk, db: Connection) -> None:
    ask(desk, db)
    told = {fact.name: fact.index_version for fact in facts.of_call(db, f"SM{1:032x}")}
    assert told["question_answered"] == "v1"


def test_a_text_from_our_own_number_is_not_answered(desk: Desk, db: Connection) -> None:
    assert answer_text(desk.wiring, Message(f"SM{1:032x}", OUR_NUMBER, OUR_NUMBER, "who is this", None)) is None


def begin(desk: Desk, db: Connection, leaves: list[str] | None) -> None:
    message = {"en": "There is an outage.", "es": "Hay una falla."}
    until = desk.now + timedelta(hours=1)
    incidents.start(
        db, message=message, news={}, leaves=leaves, starts_at=desk.now, until=until, who="test", why="test"
    )
    desk.wiring.queues.look(db)


def test_the_switch_that_stops_offers_stops_answers_too(desk: Desk, db: Connection) -> None:
    switches.pull(db, switches.ALL, stopped=True, who="test", why="test", at=desk.now)
    desk.wiring.queues.look(db)
    reply, reason = ask(desk, db)
    assert reason == "stopped"
    assert reply is not None
    assert "/r/" not in reply
    assert (desk.plan.callback_number or OUR_NUMBER) in reply
    switches.pull(db, switches.ALL, stopped=False, who="test", why="test", at=desk.now)
    desk.wiring.queues.look(db)
    desk.pass_time(61)
    reply, reason = ask(desk, db, 2)
    assert reason is None
    assert "/r/" in (reply or "")


@pytest.mark.parametrize(
    ("leaves", "reason"),
    [(None, "incident"), (["internet-wifi"], "incident"), (["billing-charged-twice"], None)],
)
def test_an_incident_holds_back_what_its_leaves_may_offer(
    desk: Desk, db: Connection, leaves: list[str] | None, reason: str | None
) -> None:
    begin(desk, db, leaves)
    reply, why = ask(desk, db)
    assert why == reason
    assert reply is not None
    assert ("/r/" in reply) is (reason is None)
