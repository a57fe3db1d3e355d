"""The states of a saving."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.ledger.outcomes import WINDOW, Contact, Kind, Outcome, outcome
from ivr.ledger.summary import Caller
from models.facts import FactRow

START = datetime(2026, 11, 2, 17, 0, tzinfo=UTC)
GONE = START + timedelta(seconds=90)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CALLER = Caller("CA1", "key", "en", False, START, "billing", "bill")
LONG_AFTER = GONE + 60 * DAY

Told = Mapping[str, tuple[timedelta, dict[str, Any]]]
FACTS: Told = {
    "call_started": (timedelta(0), {}),
    "held": (timedelta(seconds=12), {"queue": "billing", "leaf": "bill", "path": ["bill"]}),
    "assigned": (timedelta(seconds=40), {"arm": "treat"}),
    "offered": (timedelta(seconds=50), {"article": "a1"}),
    "accepted": (timedelta(seconds=52), {"article": "a1"}),
    "text_queued": (timedelta(seconds=52), {"text_id": "t1", "article": "a1", "segments": 1}),
    "sent": (timedelta(seconds=53), {"text_id": "t1"}),
    "delivered": (timedelta(seconds=55), {"text_id": "t1"}),
    "hung_up_in_queue": (timedelta(seconds=90), {"waited_s": 78}),
    "call_ended": (timedelta(seconds=91), {"duration_s": 91}),
    "clicked": (timedelta(minutes=10), {"text_id": "t1"}),
}


def told(without: Sequence[str], more: Told) -> Iterator[FactRow]:
    """The facts of a caller who took the text, hung up and read it, some left out, some added (after START)."""
    kept = {name: one for name, one in FACTS.items() if name not in without} | dict(more)
    for n, (name, (after, data)) in enumerate(kept.items(), 1):
        yield FactRow(n, "CA1", name, START + after, 1, None, data)


def judged(
    *without: str,
    later: tuple[Contact, ...] = (),
    now: datetime = LONG_AFTER,
    window: timedelta = WINDOW,
    caller: Caller = CALLER,
    more: Told = MappingProxyType({}),
) -> Outcome:
    return outcome(caller, told(without, more), later, window, now)


def back(after: timedelta, *, same_topic: bool = False) -> Contact:
    return Contact(GONE + after, "CA2", "call", same_topic, (99,))


def yes(after: timedelta) -> Told:
    return {"said_solved": (timedelta(seconds=90) + after, {"text_id": "t1", "article": "a1"})}


def no(after: timedelta) -> Told:
    return {"said_not": (timedelta(seconds=90) + after, {"text_id": "t1", "article": "a1"})}


def test_texted_read_and_hung_up_is_provisional_until_the_window_ends() -> None:
    found = judged(now=GONE + WINDOW - timedelta(seconds=1))
    assert (found.kind, found.at, found.due_at) == (Kind.PROVISIONAL, START + timedelta(minutes=10), GONE + WINDOW)
    assert found.facts == (3, 5, 8, 11, 9)  # assigned, accepted, delivered, clicked, hung_up_in_queue


def test_nobody_came_back_within_the_window_confirms_it() -> None:
    found = judged(now=GONE + WINDOW)
    assert (found.kind, found.at, found.due_at) == (Kind.CONFIRMED_INFERRED, GONE + WINDOW, None)


def test_a_yes_confirms_it_after_a_day() -> None:
    assert judged(now=GONE + 25 * HOUR, more=yes(2 * HOUR)).kind is Kind.PROVISIONAL
    found = judged(now=GONE + 26 * HOUR, more=yes(2 * HOUR))
    assert (found.kind, found.at) == (Kind.CONFIRMED_EXPLICIT, GONE + 26 * HOUR)
    assert 12 in found.facts


def test_a_yes_on_the_last_day_waits_no_longer_than_the_window() -> None:
    found = judged(more=yes(WINDOW - HOUR))
    assert (found.kind, found.at) == (Kind.CONFIRMED_EXPLICIT, GONE + WINDOW)


def test_a_yes_after_the_window_changes_nothing() -> None:
    assert judged(more=yes(WINDOW + HOUR)).kind is Kind.CONFIRMED_INFERRED


@pytest.mark.parametrize("same_topic", [False, True])
def test_a_repeat_contact_within_the_window_on_any_topic_reverses_it(same_topic: bool) -> None:
    found = judged(later=(back(6 * DAY, same_topic=same_topic),))
    assert (found.kind, found.at, found.contact) == (
        Kind.REVERSED, GONE + 6 * DAY, back(6 * DAY, same_topic=same_topic)
    )  # fmt: skip
    assert found.facts[-1] == 99


def test_a_repeat_at_the_very_end_of_the_window_is_outside() -> None:
    assert judged(later=(back(WINDOW),)).kind is Kind.CONFIRMED_INFERRED
    assert judged(later=(back(WINDOW - timedelta(microseconds=1)),)).kind is Kind.REVERSED


def test_a_repeat_within_a_day_of_the_yes_reverses_it() -> None:
    assert judged(later=(back(12 * HOUR),), more=yes(2 * HOUR)).kind is Kind.REVERSED


def test_a_repeat_after_an_explicit_confirmation_and_within_the_window_reverses_it_late() -> None:
    found = judged(later=(back(3 * DAY),), more=yes(2 * HOUR))
    assert (found.kind, found.at) == (Kind.LATE_REVERSAL, GONE + 3 * DAY)
    assert found.was is not None
    assert (found.was.kind, found.was.at) == (Kind.CONFIRMED_EXPLICIT, GONE + 26 * HOUR)


def test_only_the_same_topic_reverses_late_after_the_window_and_until_the_thirtieth_day() -> None:
    assert judged(later=(back(8 * DAY),)).kind is Kind.CONFIRMED_INFERRED
    assert judged(later=(back(8 * DAY), back(9 * DAY, same_topic=True))).kind is Kind.LATE_REVERSAL
    assert judged(later=(back(30 * DAY, same_topic=True),)).kind is Kind.CONFIRMED_INFERRED


def test_a_no_reverses_it_and_after_a_yes_late() -> None:
    assert judged(more=no(2 * HOUR)).kind is Kind.REVERSED
    assert judged(more=no(20 * DAY)).kind is Kind.LATE_REVERSAL
    assert judged(more={**yes(HOUR), **no(2 * DAY)}).kind is Kind.LATE_REVERSAL


def test_a_no_said_while_holding_reverses_it_too() -> None:
    assert judged(more=no(timedelta(seconds=-10))).kind is Kind.REVERSED


def test_a_question_by_text_is_a_repeat_contact() -> None:
    asked: Told = {"replied": (3 * DAY, {"kind": "nothing", "segments": 1})}
    assert judged(more=asked).kind is Kind.REVERSED


def test_read_while_holding_counts_as_read_after_hanging_up_does() -> None:
    found = judged(more={"clicked": (timedelta(seconds=70), {"text_id": "t1"})})
    assert (found.kind, judged(now=GONE + HOUR).kind) == (
        Kind.CONFIRMED_INFERRED, Kind.PROVISIONAL
    )  # fmt: skip


def test_a_visit_after_the_caller_came_back_is_no_use() -> None:
    assert judged(later=(back(5 * timedelta(minutes=1)),)).kind is Kind.UNATTRIBUTED


def test_texted_without_a_visit_is_an_unattributed_abandon() -> None:
    assert judged("clicked").kind is Kind.UNATTRIBUTED


def test_an_agent_makes_it_assisted_however_late_that_is_known() -> None:
    agent: Told = {"agent_connected": (timedelta(seconds=95), {"waited_s": 80, "late": True})}
    assert judged(more=agent).kind is Kind.ASSISTED
    without_text = ("text_queued", "sent", "delivered", "clicked", "accepted")
    assert judged(*without_text, more=agent).kind is Kind.NONE


def test_a_caller_without_a_number_can_never_be_seen_coming_back() -> None:
    assert judged(caller=CALLER._replace(caller_key=None)).kind is Kind.EXPIRED


def test_hearing_it_to_the_end_and_hanging_up_is_provisional_without_a_text() -> None:
    without_text = ("text_queued", "sent", "delivered", "clicked", "accepted")
    heard: Told = {"heard": (timedelta(seconds=80), {"article": "a1"})}
    assert judged(*without_text, now=GONE + HOUR, more=heard).kind is Kind.PROVISIONAL
    after: Told = {"heard": (timedelta(seconds=95), {"article": "a1"})}  # nobody heard it then
    assert judged(*without_text, now=GONE + HOUR, more=after).kind is Kind.UNATTRIBUTED


def test_hanging_up_without_a_text_is_an_abandon_short_ones_apart() -> None:
    none = ("text_queued", "sent", "delivered", "clicked", "accepted")
    assert judged(*none).kind is Kind.ABANDONED
    short: Told = {"hung_up_in_queue": (timedelta(seconds=90), {"waited_s": 9})}
    assert judged(*none, more=short).kind is Kind.SHORT_ABANDONED
    assert judged(*none, more={"assigned": (timedelta(seconds=40), {"arm": "holdout"})}).kind is Kind.ABANDONED


def test_leaving_otherwise_is_nothing_and_a_call_under_way_is_not_judged() -> None:
    left: Told = {"left_by_choice": (timedelta(seconds=90), {"waited_s": 78})}
    assert judged("hung_up_in_queue", more=left).kind is Kind.NONE
    assert judged("hung_up_in_queue", "call_ended", "clicked").kind is Kind.UNDER_WAY


def test_what_is_not_yet_known_at_a_time_does_not_count_then() -> None:
    assert judged(now=GONE + timedelta(minutes=1)).kind is Kind.UNATTRIBUTED
    assert judged(now=GONE + HOUR, later=(back(DAY),)).kind is Kind.PROVISIONAL


SAVED = {Kind.CONFIRMED_EXPLICIT, Kind.CONFIRMED_INFERRED}
_AFTER = {
    Kind.UNATTRIBUTED: {Kind.UNATTRIBUTED, Kind.PROVISIONAL, Kind.REVERSED, Kind.LATE_REVERSAL, *SAVED},
    Kind.PROVISIONAL: {Kind.PROVISIONAL, Kind.REVERSED, Kind.LATE_REVERSAL, *SAVED},
    Kind.CONFIRMED_EXPLICIT: {Kind.CONFIRMED_EXPLICIT, Kind.LATE_REVERSAL},
    Kind.CONFIRMED_INFERRED: {Kind.CONFIRMED_INFERRED, Kind.LATE_REVERSAL},
    Kind.REVERSED: {Kind.REVERSED},
    Kind.LATE_REVERSAL: {Kind.LATE_REVERSAL},
}
_hours = st.integers(0, 24 * 40).map(lambda hours: timedelta(hours=hours, minutes=30))


@settings(deadline=None)
@given(
    st.lists(st.tuples(_hours, st.booleans()), max_size=3),
    st.none() | _hours,
    st.none() | _hours,
    st.lists(_hours, min_size=2, max_size=8).map(sorted),
)
def test_states_follow_one_another_as_the_diagram_says(
    contacts: list[tuple[timedelta, bool]],
    solved: timedelta | None,
    not_solved: timedelta | None,
    looks: list[timedelta],
) -> None:
    more = {**(yes(solved) if solved else {}), **(no(not_solved) if not_solved else {})}
    later = tuple(back(after, same_topic=same) for after, same in contacts)
    seen = [judged(later=later, now=GONE + look, more=more) for look in looks]
    for before, after in pairwise(seen):
        assert after.kind in _AFTER[before.kind]
    for one in seen:
        assert (one.kind is Kind.LATE_REVERSAL) == (one.was is not None)
        if one.was is not None:
            known = [contact for contact in later if contact != one.contact]
            confirmed = judged(later=tuple(known), now=one.was.at, more=more)
            assert (confirmed.kind, confirmed.at) == (one.was.kind, one.was.at)


@settings(deadline=None)
@given(st.lists(st.tuples(_hours, st.booleans()), max_size=4), _hours)
def test_the_order_of_contacts_says_nothing(contacts: list[tuple[timedelta, bool]], look: timedelta) -> None:
    later = tuple(back(after, same_topic=same) for after, same in contacts)
    assert judged(later=later, now=GONE + look) == judged(later=later[::-1], now=GONE + look)
