"""One call as one row."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from ivr.ledger.summary import Caller, Offered, Summary, summarize
from models import summaries
from models.facts import FactRow

START = datetime(2026, 11, 2, 17, 0, tzinfo=UTC)
CALLER = Caller("CA1", "key", "en", False, START, "billing", "bill")


def fact(n: int, name: str, s: float, **data: Any) -> FactRow:
    return FactRow(n, "CA1", name, START + timedelta(seconds=s), 3, "idx-7" if n > 2 else None, data)


FACTS = [
    fact(1, "call_started", 0, caller="mobile", returning=False),
    fact(2, "menu_chosen", 5, choice="billing", by="key", path=["billing"]),
    fact(3, "menu_chosen", 9, choice="bill", by="key", path=["billing", "bill"]),
    fact(4, "described", 12, words=3),
    fact(5, "match_found", 12, article="a1", further=1),
    fact(6, "held", 12, queue="billing", leaf="bill", path=["billing", "bill"]),
    fact(7, "announced", 14, position=7),
    fact(8, "eligible", 40, article="a1", position=6),
    fact(9, "assigned", 40, arm="treat", probability=0.9, experiment="e1", forced=False),
    fact(10, "offered", 52, article="a1"),
    fact(11, "accepted", 52, article="a1"),
    fact(12, "text_queued", 52, text_id="t1", article="a1", segments=2),
    fact(13, "follow_up_queued", 52, text_id="f1", article="a1", segments=1),
    fact(14, "sent", 53, text_id="t1"),
    fact(15, "offered", 80, article="a2"),
    fact(16, "declined", 82, article="a2"),
    fact(17, "hung_up_in_queue", 90, queue="billing", waited_s=78),
    fact(18, "call_ended", 91, status="completed", duration_s=91),
    fact(19, "delivered", 57, text_id="t1"),
    fact(20, "link_scanned", 58, text_id="t1"),
    fact(21, "clicked", 600, text_id="t1", how="tap"),
    fact(22, "sent", 9000, text_id="f1", kind="follow_up"),
    fact(23, "delivered", 9004, text_id="f1", kind="follow_up"),
    fact(24, "replied", 9100, kind="solved", segments=1),
    fact(25, "said_solved", 9100, text_id="t1", article="a1", how="reply"),
]


def at(s: float) -> datetime:
    return START + timedelta(seconds=s)


def test_a_call_with_two_offers_a_text_and_a_reply_is_one_row() -> None:
    assert summarize(CALLER, FACTS) == Summary(
        call_sid="CA1", started_at=START, ended_at=at(91), duration_s=91, contact=True, caller_key="key",
        caller="mobile", came_back=False, language="en", test=False, plan_version=3, index_version="idx-7",
        path=("billing", "bill"), leaf="bill", queue="billing", described=1, found="a1", refusal=None, held_at=at(12),
        position=7, waited_s=78, eligible_at=at(40), arm="treat", probability=0.9, experiment="e1", forced=False,
        article="a1", further="a2", offered_at=at(52), offer_refusal=None, accepted_at=at(52), declined_at=at(82),
        heard_at=None, texts=1, segments=2, sent=1, delivered=1, failed=0, delivered_at=at(57), opened_at=at(600),
        scanned=True, used_at=at(600), solved_at=at(9100), not_at=None, asked_at=None, opted_out=False, follow_ups=1,
        follow_up_segments=1, reply_segments=1, hung_up_at=at(90), agent_at=None, agent_s=None,
        left_how="hung_up_in_queue", rejoined=False, closed=None, overflowed=False,
        offers=(
            Offered("a1", offered=True, taken=True, heard=False, opened=True, solved=True, not_solved=False),
            Offered("a2", offered=True, taken=False, heard=False, opened=False, solved=False, not_solved=False),
        ),
        facts=25,
        evidence={
            "call_started": 1, "held": 6, "eligible": 8, "assigned": 9, "offered": 10, "accepted": 11, "delivered": 19,
            "clicked": 21, "said_solved": 25, "hung_up_in_queue": 17, "call_ended": 18,
        },
    )  # fmt: skip


def test_order_and_repetition_of_facts_change_nothing() -> None:
    for seed in range(20):
        shuffled = [*FACTS, *random.Random(seed).choices(FACTS, k=5)]
        random.Random(seed).shuffle(shuffled)
        assert summarize(CALLER, shuffled) == summarize(CALLER, FACTS)


def test_a_holdout_caller_keeps_the_article_that_would_have_been_offered() -> None:
    row = summarize(CALLER, [*FACTS[:8], fact(9, "assigned", 40, arm="holdout", probability=0.1, experiment="e1")])
    assert (row.arm, row.article, row.offered_at) == ("holdout", "a1", None)
    assert row.offers == (Offered("a1", False, False, False, False, False, False),)


def test_an_agent_who_answered_late_takes_the_hang_up_back_and_the_wait_counts_once() -> None:
    late = [
        fact(19, "agent_connected", 95, queue="billing", waited_s=80, late=True),
        fact(20, "agent_ended", 155, result="bridged"),
    ]
    row = summarize(CALLER, [*FACTS[:18], *late])
    assert (row.hung_up_at, row.left_how, row.waited_s, row.agent_s) == (None, "agent_connected", 78, 60)


def test_waits_of_two_holds_add_up() -> None:
    again = [
        fact(7, "queue_failed", 30, result="odd", waited_s=18),
        fact(8, "held", 31, queue="general", leaf=None, path=[]),
        fact(9, "agent_connected", 61, queue="general", waited_s=30),
        fact(10, "call_ended", 100, duration_s=100),
    ]
    row = summarize(CALLER, [*FACTS[:6], *again])
    assert (row.waited_s, row.queue, row.left_how, row.agent_s) == (48, "general", "agent_connected", 39)


def test_a_visit_counts_only_of_a_delivered_text_and_within_a_day() -> None:
    undelivered = [one for one in FACTS if one.name != "delivered"]
    assert summarize(CALLER, undelivered).used_at is None
    others = [one for one in FACTS if one.name not in ("clicked", "said_solved")]
    assert summarize(CALLER, [*others, fact(40, "clicked", 53 + 86_399, text_id="t1")]).used_at == at(53 + 86_399)
    assert summarize(CALLER, [*others, fact(40, "clicked", 53 + 86_400, text_id="t1")]).used_at is None


def test_the_short_version_heard_to_its_end_is_a_use_without_a_text() -> None:
    row = summarize(CALLER, [*FACTS[:10], fact(11, "heard", 70, article="a1"), *FACTS[16:18]])
    assert (row.used_at, row.texts, row.evidence["heard"]) == (at(70), 0, 11)


def test_a_question_by_text_counts_after_the_hang_up_only() -> None:
    while_holding, after = fact(40, "replied", 60, kind="found"), fact(41, "replied", 500, kind="nothing")
    assert summarize(CALLER, [*FACTS, while_holding]).asked_at is None
    row = summarize(CALLER, [*FACTS, while_holding, after])
    assert (row.asked_at, row.evidence["replied"]) == (at(500), 41)


def test_a_call_that_ended_within_ten_seconds_is_no_contact() -> None:
    short = [FACTS[0], fact(2, "call_ended", 9, duration_s=9)]
    assert not summarize(CALLER, short).contact
    assert summarize(CALLER, [FACTS[0]]).contact


def test_the_table_has_a_column_for_everything_a_row_says() -> None:
    assert tuple(summaries.COLUMNS) == Summary._fields
