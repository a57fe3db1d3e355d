"""The checker can fail: each promise broken on purpose is told."""

from dataclasses import replace

import pytest

from tests.faults.checker import ASKS, LONGEST_S, violations
from tests.faults.ledgers import Accepted, Carried, CarriedCall, Exchange, OurCall, OurFact, Ours, OurText

CALL, TOKEN = "CA1", "a1B2c3D4"
OFFER = f"<Response><Gather><Say>{ASKS[0]}</Say></Gather></Response>"
MUSIC, STANDBY = "<Response><Gather><Play>x</Play></Gather></Response>", "<Response><Play>x</Play></Response>"
THEIRS = CarriedCall(CALL, 1, connected=False, ended="caller")
FACTS = tuple(
    OurFact(name, of)
    for name, of in (
        ("call_started", ""), ("held", ""), ("assigned", ""), ("offered", "A"), ("accepted", "A"), ("text_queued", "T"),
        ("hung_up_in_queue", ""), ("call_ended", ""), ("sent", "T"),
    )
)  # fmt: skip
EXCHANGES = (
    Exchange(1.0, "/voice/incoming", CALL, 0.1, body="<Response/>"),
    Exchange(2.0, "/voice/hold", CALL, 0.1, body=OFFER),
    Exchange(3.0, "/voice/hold-key", CALL, 0.1, digits="1", body=MUSIC),
    Exchange(4.0, "/voice/status", CALL, 0.1),
)
CARRIED = Carried((THEIRS,), EXCHANGES, (Accepted("SM1", "+1", f"... /r/{TOKEN}"),))
OURS = Ours((OurCall(CALL, 5, 5, FACTS),), (OurText("T", CALL, TOKEN, "link", "sent"),))


def without(*names: str) -> Ours:
    facts = tuple(fact for fact in FACTS if fact.name not in names)
    return replace(OURS, calls=(replace(OURS.calls[0], facts=facts),))


def more(*facts: OurFact) -> Ours:
    return replace(OURS, calls=(replace(OURS.calls[0], facts=(*FACTS, *facts)),))


def text(**changes: object) -> Ours:
    return replace(OURS, texts=(replace(OURS.texts[0], **changes),))  # type: ignore[arg-type]


def answered(**changes: object) -> Carried:
    return replace(CARRIED, exchanges=(*EXCHANGES[:-1], replace(EXCHANGES[-1], **changes)))  # type: ignore[arg-type]


def called(**changes: object) -> Carried:
    return replace(CARRIED, calls=(replace(THEIRS, **changes),))  # type: ignore[arg-type]


def test_two_ledgers_that_agree_break_no_promise() -> None:
    assert violations(CARRIED, OURS) == []


@pytest.mark.parametrize(
    ("carried", "ours", "told"),
    [
        (answered(problem="HTTP 500"), OURS, "4.0 s: /voice/status of CA1 had no usable answer: HTTP 500"),
        (answered(seconds=LONGEST_S + 1), OURS, f"4.0 s: /voice/status of CA1 took {LONGEST_S + 1:.1f} s"),
        (called(apologised=True), OURS, "call CA1: the carrier apologised for us"),
        (called(ended="us"), OURS, "call CA1: dropped by us"),
        (called(ended="not yet"), OURS, "call CA1: never came to an end"),
        (called(connected=True), OURS, "call CA1: an agent talked, which is not on record"),
        (CARRIED, more(OurFact("agent_connected")), "call CA1: no agent took it, on record one did"),
        (called(joins=2), OURS, "call CA1: joined the queue 2 times, held 1 times on record"),
        (CARRIED, replace(OURS, calls=(), texts=OURS.texts), "call CA1: not on record"),
        (replace(CARRIED, calls=()), OURS, "call CA1: on record, but the carrier carried none"),
        (CARRIED, without("call_started"), "call CA1: begins with ['held']"),
        (CARRIED, without("call_ended"), "call CA1: its end is not on record"),
        (CARRIED, without("hung_up_in_queue"), "call CA1: held 1 times, left the queue 0 times on record"),
        (CARRIED, without("accepted"), "call CA1: said yes to a text, which is not on record"),
        (CARRIED, more(OurFact("assigned")), "call CA1: assigned 2 times"),
        (CARRIED, more(OurFact("sent", "T")), "call CA1: sent of T 2 times"),
        (CARRIED, replace(OURS, calls=(replace(OURS.calls[0], turn=6),)), "call CA1: turn 6 of a state of turn 5"),
        (replace(CARRIED, texts=CARRIED.texts * 2), OURS, "text T: sent 2 times"),
        (replace(CARRIED, texts=()), OURS, "text T: sent on record, never taken by the carrier"),
        (
            replace(CARRIED, texts=(*CARRIED.texts, Accepted("SM2", "+1", "?"))),
            OURS,
            "text SM2: taken from us and not on record",
        ),
        (CARRIED, text(status="expired"), "text T: expired on record, but the carrier took it"),
        (CARRIED, text(status="sending"), "text T: still sending"),
        (CARRIED, text(status="unknown"), "text T: still unknown"),
        (replace(CARRIED, texts=()), replace(OURS, texts=()), "call CA1: a yes without a text, and without a reason"),
        (CARRIED, replace(OURS, waiting=2), "2 kept webhooks have not landed"),
        (CARRIED, replace(OURS, refused=1), "1 kept webhooks were put aside"),
        (CARRIED, replace(OURS, books_same=False), "the books are not those of a settlement from nothing"),
        (CARRIED, replace(OURS, lines_agree=False), "the months' lines are not the sums of their entries"),
    ],
)
def test_a_broken_promise_is_told(carried: Carried, ours: Ours, told: str) -> None:
    assert told in violations(carried, ours)


def test_a_one_that_answered_no_question_is_no_consent() -> None:
    music = replace(EXCHANGES[1], body=MUSIC)
    carried = replace(CARRIED, exchanges=(EXCHANGES[0], music, *EXCHANGES[2:]))
    assert violations(carried, without("accepted")) == []


def test_a_one_that_was_asked_again_is_no_consent() -> None:
    again = replace(EXCHANGES[2], body=OFFER)
    carried = replace(CARRIED, exchanges=(*EXCHANGES[:2], again, EXCHANGES[3]))
    assert violations(carried, without("accepted")) == []


def test_a_yes_to_a_question_asked_again_counts_without_a_database_too() -> None:
    away = replace(EXCHANGES[2], body=STANDBY)
    once = replace(CARRIED, exchanges=(*EXCHANGES[:2], away, EXCHANGES[3]))
    assert violations(once, without("accepted")) == []
    twice = replace(CARRIED, exchanges=(*EXCHANGES[:2], EXCHANGES[1], away, EXCHANGES[3]))
    assert violations(twice, without("accepted")) == ["call CA1: said yes to a text, which is not on record"]


def test_a_yes_without_a_database_is_taken_back_by_a_no_to_the_question_asked_again() -> None:
    yes, asked_again = replace(EXCHANGES[2], body=STANDBY), EXCHANGES[1]
    no = replace(EXCHANGES[2], digits="3")
    before = (*EXCHANGES[:2], asked_again, yes, asked_again)
    told = ["call CA1: said yes to a text, which is not on record"]
    for last, expected in ((no, []), (replace(no, body=STANDBY), told), (replace(no, digits="2"), told)):
        carried = replace(CARRIED, exchanges=(*before, last, EXCHANGES[3]))
        assert violations(carried, without("accepted")) == expected
    unasked = replace(CARRIED, exchanges=(*before[:-1], no, EXCHANGES[3]))
    assert violations(unasked, without("accepted")) == told
    heard = replace(CARRIED, exchanges=(*EXCHANGES[:3], asked_again, no, EXCHANGES[3]))  # and forgotten
    assert violations(heard, without("accepted")) == told


def test_an_agent_who_was_gone_before_the_two_heard_each_other_has_answered() -> None:
    whisper = Exchange(3.5, "/voice/connecting", CALL, 0.1, body="<Response/>")
    carried = replace(CARRIED, exchanges=(*EXCHANGES[:3], whisper, EXCHANGES[3]))
    facts = tuple(OurFact("agent_connected") if one.name == "hung_up_in_queue" else one for one in FACTS)
    assert violations(carried, replace(OURS, calls=(replace(OURS.calls[0], facts=facts),))) == []


def test_a_caller_who_hangs_up_while_we_answer_never_joined_the_queue() -> None:
    assert violations(called(joins=0), OURS) == []


def test_a_yes_that_was_met_by_a_reason_is_reported() -> None:
    ours = replace(more(OurFact("text_refused")), texts=())
    assert violations(replace(CARRIED, texts=()), ours) == []
