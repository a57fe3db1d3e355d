"""What texts really cost replaces the estimate by an entry of its own."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from psycopg import Connection

from ivr.carrier.sender import LookUpFailed, Price
from ivr.jobs.fetch_prices import MOST_ATTEMPTS, fetch_prices
from ivr.jobs.settle_ledger import settle_ledger
from ivr.jobs.summarize import summarize_calls
from models import facts, ledger, rates
from tests.ivr.jobs.conftest import Desk
from tests.ivr.jobs.test_settle_ledger import BEGAN, CARD, DAY
from tests.ivr.jobs.test_summarize import add_call


@dataclass
class Carrier:
    """Says what it is told to say."""

    answers: list[Price | LookUpFailed | None]
    asked: list[str] = field(default_factory=list)

    def price(self, message_sid: str) -> Price | None:
        self.asked.append(message_sid)
        answer = self.answers.pop(0)
        if isinstance(answer, LookUpFailed):
            raise answer
        return answer


@pytest.fixture
def sent(db: Connection, desk: Desk) -> Desk:
    desk.wiring.development_account = False
    rates.add(db, CARD, "cli:ann", "new", BEGAN)
    add_call(db, "CA1", BEGAN)
    facts.add(db, "CA1", "text_queued", BEGAN, {"text_id": "t1", "article": "a1", "segments": 1})
    facts.add(db, "CA1", "sent", BEGAN, {"text_id": "t1", "message_sid": "SM1"})
    settle(desk)
    return desk


def settle(desk: Desk) -> None:
    desk.now = max(desk.now, BEGAN + DAY)
    summarize_calls(desk.wiring)
    settle_ledger(desk.wiring)


def ask(desk: Desk, *answers: Price | LookUpFailed | None) -> Carrier:
    carrier = Carrier(list(answers))
    fetch_prices(replace(desk.wiring, sender=carrier))  # type: ignore[arg-type]
    return carrier


def test_the_carriers_price_is_a_correction_of_the_estimate(db: Connection, sent: Desk) -> None:
    assert ask(sent, Price(7_900, "USD")).asked == ["SM1"]
    settle(sent)
    estimate, correction = ledger.of_call(db, "CA1")
    assert (estimate.kind, estimate.amount) == ("message", -12_800)  # with the fee of another carrier, billed apart
    assert (correction.kind, correction.amount, correction.undoes) == ("price_correction", 400, estimate.id)
    assert ask(sent).asked == []


def test_a_price_in_another_currency_corrects_nothing(db: Connection, sent: Desk) -> None:
    ask(sent, Price(7_900, "EUR"))
    settle(sent)
    assert [row.kind for row in ledger.of_call(db, "CA1")] == ["message"]


@pytest.mark.parametrize("answer", [None, LookUpFailed("as told")])
def test_a_price_not_told_is_asked_for_later_and_not_for_ever(sent: Desk, answer: LookUpFailed | None) -> None:
    asked = 0
    for _ in range(20):
        asked += len(ask(sent, answer).asked)
        assert ask(sent).asked == []
        sent.now += timedelta(days=6)
    assert asked == MOST_ATTEMPTS
