"""What a call used, charged by the rate card."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from ivr.ledger.baselines import Haircut
from ivr.ledger.books import Entry
from ivr.ledger.outcomes import judge
from ivr.ledger.postings import Price, Terms, Used, dues
from ivr.ledger.rates import Rate, Span
from ivr.ledger.summary import Caller, summarize

AT = datetime(2026, 9, 30, 17, 0, tzinfo=UTC)
PRICES = {
    "message": 8_300,
    "carrier_fee": 4_500,
    "failed_message": 1_000,
    "reply": 8_300,
    "lookup": 8_000,
    "speech": 20_000,
    "voice_minute": 8_500,
}
SPAN = Span(
    date(2026, 1, 1), None, "USD", prices={name: Rate(value, "Ann", "invoice") for name, value in PRICES.items()}
)
TERMS = Terms(date(2026, 9, 30), SPAN, 4, Haircut(date(2026, 9, 30), None, None))


def charged(used: list[Used], terms: Terms = TERMS, **prices: Price) -> dict[tuple[str, str], tuple[int, int]]:
    began: Any = SimpleNamespace(id=1, name="call_started", at=AT, data={}, plan_version=1, index_version=None)
    call = summarize(Caller("CA1", "anna", "en", False, AT, "billing", "bill"), [began])
    found = dues(call, judge(call, (), timedelta(days=7), AT), used, prices, terms, lambda at: at.date())
    assert all(one.month == date(2026, 9, 1) and one.queue == "billing" and one.card == terms.card for one in found)
    return {(one.key.kind, one.key.item): (one.figure.amount, one.figure.quantity) for one in found}


def test_a_text_is_charged_by_its_segments_once_the_carrier_took_it() -> None:
    queued = Used(2, "text_queued", AT, "t1", 2)
    assert charged([queued]) == {(Entry.LOOKUP, "t1"): (-8_000, 1)}
    sent = Used(3, "sent", AT, "t1", 0)
    assert charged([queued, sent])[Entry.MESSAGE, "t1"] == (-25_600, 2)
    told = charged([queued, sent], t1=Price(15_000, "USD"))
    assert told[Entry.PRICE_CORRECTION, "t1"] == (1_600, 0)


def test_a_text_that_came_back_bears_the_fee_as_well() -> None:
    rows = [Used(2, "text_queued", AT, "t1", 1), Used(3, "sent", AT, "t1", 0), Used(4, "undelivered", AT, "t1", 0)]
    found = charged(rows)
    assert (found[Entry.MESSAGE, "t1"], found[Entry.FAILED_FEE, "t1"]) == ((-12_800, 1), (-1_000, 1))


def test_follow_ups_replies_words_and_our_questions_are_charged() -> None:
    rows = [
        Used(2, "menu_chosen", AT, None, 0),
        Used(3, "described", AT + timedelta(seconds=30), None, 0, AT),
        Used(4, "follow_up_queued", AT, "f1", 1),
        Used(5, "sent", AT, "f1", 0),
        Used(6, "replied", AT, None, 3),
    ]
    assert charged(rows) == {
        (Entry.LOOKUP, "f1"): (-8_000, 1),
        (Entry.FOLLOW_UP, "f1"): (-12_800, 1),
        (Entry.REPLY, "6"): (-8_300 - 3 * 12_800, 4),
        (Entry.SPEECH, ""): (-40_000, 2),
        (Entry.PROMPT_MINUTES, ""): (-4_250, 30_000),
    }


def test_a_follow_up_that_never_went_out_costs_nothing() -> None:
    assert charged([Used(2, "follow_up_queued", AT, "f1", 1)]) == {}


def test_without_a_span_nothing_has_a_price() -> None:
    rows = [Used(2, "text_queued", AT, "t1", 1), Used(3, "sent", AT, "t1", 0)]
    assert charged(rows, TERMS._replace(span=None)) == {}
