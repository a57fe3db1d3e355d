"""A month as one value: lines that add up, three numbers, what turns into cash, and what cannot be said."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.ledger.bands import Band, added
from ivr.ledger.books import COSTS, MEMO, MICRO, Entry, Figure, Line, Period, totals
from ivr.ledger.estimate import Arms, Cell, Interval, Minutes, incremental
from ivr.ledger.printed import CENT, apportioned, printed
from ivr.ledger.rates import AgentCost, Rate, RateCard, Span
from ivr.ledger.statement import Channel, Counts, Given, Sealed, Statement, Worth, statement
from ivr.ledger.statement_words import Number, headline, payback_words, sections

SEPTEMBER, MONDAY = date(2026, 9, 1), date(2026, 9, 7)
CLOSED = Period(SEPTEMBER, datetime(2026, 10, 9, tzinfo=UTC), "staff:2", "month end", 1, {})
RATE = Rate(8 * MICRO, "Ann", "budget")
HALF = Rate(MICRO // 2, "Ann", "board")
MINUTE = Rate(8_500, "Ann", "invoice")
SPAN = Span(SEPTEMBER, None, "USD", {"billing": AgentCost(RATE)}, {"voice_minute": MINUTE}, {}, HALF)
CARD = RateCard(1, 7, (SPAN,))
MINUTES = Minutes(Interval(0.1, 0.05, 0.15), Interval(1000.0, 500.0, 1500.0))


def cells(needed_treated: int, needed_held_out: int, queue: str = "billing", of: int = 1000) -> list[Cell]:
    return [
        Cell(queue, MONDAY, 0.5, arm, contacted, 300 * contacted, callers)
        for arm, needed in (("treat", needed_treated), ("holdout", needed_held_out))
        for contacted, callers in ((True, needed), (False, of - needed))
    ]


def line(kind: Entry, amount: int, contacts: int = 0, queue: str = "billing", currency: str = "USD") -> Line:
    return Line(SEPTEMBER, kind, queue, currency, 1, Figure(amount, contacts, 0, 1))


def month(**changes: Any) -> Statement:
    """A closed month: 100 of 1,000 callers less needed an agent."""
    found = changes.pop("cells", cells(600, 700))
    live = changes.get("closed", CLOSED) is None
    base = Given(
        month=SEPTEMBER,
        zone="America/New_York",
        now=datetime(2026, 10, 9, tzinfo=UTC),
        closed=CLOSED,
        window_days=7,
        lines=[line(Entry.CONFIRMED_INFERRED, 640 * MICRO, 80 * MICRO), line(Entry.MESSAGE, -100 * MICRO)],
        earlier=[],
        channels=[Channel("calls and texts", None), Channel("e-mail", datetime(2026, 10, 8, tzinfo=UTC))],
        counts=Counts(5000, 250, 120, 40, 10, 300),
        cells=found,
        incremental=incremental(Arms.of(found), live=live, callers_a_week=500),
        agent_minutes=MINUTES,
        wait_minutes=MINUTES,
        call_minutes=MINUTES,
        card=CARD,
        books=Sealed(2, "ab" * 32),
    )
    return statement(replace(base, **changes))


# ---- lines


amounts = st.integers(-(10**12), 10**12)


@given(st.lists(amounts, min_size=1, max_size=30), st.sampled_from([1, 7, 10_000]))
def test_parts_in_whole_units_add_up_to_the_rounded_whole_and_each_is_next_to_its_own(
    values: list[int], unit: int
) -> None:
    parts = apportioned(values, unit)
    assert abs(2 * (sum(parts) * unit - sum(values))) <= unit
    assert all(abs(part * unit - value) < unit for part, value in zip(parts, values, strict=True))


lines_of = st.lists(
    st.builds(
        Line, st.just(SEPTEMBER), st.sampled_from(list(Entry)), st.sampled_from(["billing", "sales", ""]),
        st.sampled_from(["USD", "EUR", ""]), st.integers(1, 9),
        st.builds(Figure, amounts, amounts, amounts, st.integers(0, 9)),
    ),
    max_size=25, unique_by=lambda one: (one.kind, one.queue, one.currency),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(lines_of)
def test_what_is_printed_adds_up_to_its_totals_and_these_to_the_books(lines: list[Line]) -> None:
    rows, sums = printed(lines)
    assert len(rows) == len(lines)
    books = totals(lines)
    for total in sums:
        mine = [row for row in rows if row.currency == total.currency]
        costs = sum(row.cents for row in mine if row.kind in COSTS)
        pending = sum(row.cents for row in mine if row.kind in MEMO)
        late = sum(row.cents for row in mine if row.kind is Entry.LATE_REVERSAL)
        confirmed = sum(row.cents for row in mine) - costs - pending - late
        printed_sums = (total.confirmed, total.late_reversals, total.costs, total.pending)
        assert [one[2] for one in printed_sums] == [confirmed, late, costs, pending]
        assert total.net[2] == confirmed + late + costs
        assert abs(2 * (total.net[2] * CENT - books[total.currency].net)) <= CENT


# ---- three numbers


def test_a_difference_told_from_zero_is_the_headline_with_its_interval_and_worth() -> None:
    one = month()
    assert one.told is not None
    assert one.told.avoided is not None
    assert one.told.headline
    assert one.told.avoided.estimate == 100 * MICRO
    assert one.told.worth == one.told.avoided.times(8 * MICRO)
    assert one.told.worth is not None
    assert one.told.net == one.told.worth.plus(-100 * MICRO)
    assert headline(one) == "The offers avoided 100.0 contacts with agents, 95 % interval 58.2 to 141.3."


def test_harm_is_said_in_the_same_place_and_words() -> None:
    assert headline(month(cells=cells(700, 600))).startswith(
        "The offers caused 100.0 more contacts with agents, 95 % interval 58.2 to 141.3"
    )


def test_what_cannot_be_told_from_zero_says_when_it_may_be() -> None:
    one = month(cells=cells(690, 700))
    assert one.told is not None
    assert not one.told.headline
    assert one.told.weeks is not None
    assert one.told.weeks > 50
    assert headline(one) == (
        f"Not yet distinguishable from zero; at this rate measurable in about {one.told.weeks} weeks."
    )


def test_groups_that_are_not_as_drawn_hide_the_figure() -> None:
    odd = cells(600, 700)[:2] + [one._replace(callers=one.callers * 2) for one in cells(600, 700)[2:]]
    one = month(cells=odd)
    assert one.told is not None
    assert (one.told.hidden, one.told.avoided, one.told.worth, one.cashable) == (True, None, None, None)
    numbers = next(part for part in sections(one) if part.key == "numbers")
    assert "1,000 callers were offered an article, 2,000 were held out by lot." in numbers.words
    assert headline(one).startswith("The sizes of the two groups are not as drawn (chance ")


def test_an_arm_that_stayed_empty_against_its_design_is_told_like_any_other_odd_one() -> None:
    one = month(cells=[cell for cell in cells(600, 700) if cell.arm == "treat"])
    assert one.told is not None
    assert (one.told.hidden, one.told.treated, one.told.held_out, one.told.odd) == (True, 1000, 0, 0)
    assert headline(one).startswith("The sizes of the two groups are not as drawn (chance ")
    few = month(cells=[cell._replace(callers=2) for cell in cells(600, 700) if cell.arm == "treat"])
    assert few.told is None  # four of four by lot is no alarm
    assert headline(few).startswith("Nothing can be compared")


def test_the_comparison_is_told_for_each_time_to_come_back() -> None:
    windows = [(days, incremental(Arms.of(cells(needed, 700)), live=False)) for days, needed in ((1, 500), (7, 600))]
    found = {part.key: part for part in sections(month(windows=windows))}["windows"]
    assert [(row[0], row[1], row[2], row[3]) for row in found.rows] == [
        ("24 hours", "50.0 %", "70.0 %", Number(2000, 1)),
        ("7 days", "60.0 %", "70.0 %", Number(1000, 1)),
    ]
    odd = [cell for cell in cells(600, 700) if cell.arm == "treat"]
    assert "windows" not in {part.key for part in sections(month(cells=odd, windows=windows))}


def test_without_anybody_held_out_nothing_is_compared() -> None:
    one = month(cells=[], incremental=None)
    assert one.told is None
    assert headline(one).startswith("Nothing can be compared")


def test_a_queue_without_a_cost_is_named_and_there_is_no_money() -> None:
    one = month(cells=cells(600, 700) + cells(600, 700, "sales"))
    assert one.told is not None
    assert one.told.worth is None
    assert one.reasons["worth"] == "No money: the rate card has no cost of a contact for sales."


def test_a_rate_card_that_begins_in_mid_month_prices_the_month() -> None:
    card = RateCard(1, 7, (replace(SPAN, first=date(2026, 9, 10)),))
    one = month(card=card)  # callers of the week of the 7th
    assert (one.currency, one.ledger.amount, one.costs) == ("USD", 640 * MICRO, -100 * MICRO)
    assert one.told is not None
    assert one.told.worth is not None
    assert one.told.worth.estimate == 800 * MICRO
    before = [cell._replace(week=date(2026, 8, 31)) for cell in cells(600, 700)]
    unpriced = month(card=card, cells=cells(600, 700) + before)
    assert unpriced.reasons["worth"] == (
        "No money: the rate card has no cost of a contact for calls of the week of 2026-08-31."
    )


def test_contacts_of_another_currency_count_and_its_money_stands_apart() -> None:
    late = line(Entry.LATE_REVERSAL, -8 * MICRO, -MICRO, currency="EUR")
    one = month(lines=[line(Entry.CONFIRMED_INFERRED, 640 * MICRO, 80 * MICRO), late])
    assert (one.ledger.contacts, one.ledger.amount) == (79 * MICRO, 640 * MICRO)
    assert [total.net[2] for total in one.sums] == [-800, 64_000]


def test_a_part_in_which_all_was_taken_back_is_told_and_not_listed() -> None:
    undone = replace(line(Entry.CONFIRMED_INFERRED, 0, currency=""), figure=Figure(), entries=2)
    one = month(lines=[line(Entry.CONFIRMED_INFERRED, 640 * MICRO, 80 * MICRO), undone])
    assert [total.currency for total in one.sums] == ["USD"]
    assert one.reasons["undone"] in sections(one)[0].words
    assert one.reasons["undone"].startswith("2 entries are not listed")


def test_without_a_rate_card_there_are_contacts_and_minutes_and_a_labelled_placeholder() -> None:
    one = month(card=None, lines=[line(Entry.CONFIRMED_INFERRED, 0, 80 * MICRO, currency="")])
    assert (one.currency, one.payback) == ("", None)
    words = " ".join(word for part in sections(one) for word in part.words)
    assert "placeholder, not your data" in words
    assert one.ledger.contacts == 80 * MICRO


# ---- cash


def test_only_the_cashable_share_and_the_carriers_minutes_turn_into_cash() -> None:
    one = month()
    assert one.told is not None
    assert one.told.worth is not None
    assert one.cashable_share == MICRO // 2
    assert one.carrier_worth == Band(8_500_000, 4_250_000, 12_750_000)
    assert one.cashable == added([one.told.worth.times(MICRO // 2), one.carrier_worth])


def test_until_finance_sets_a_share_all_is_capacity() -> None:
    one = month(card=RateCard(1, 7, (replace(SPAN, cashable=None),)))
    assert one.cashable == one.carrier_worth
    assert one.reasons["cashable"].startswith("Finance has set no cashable share")


def test_doubts_of_independent_months_add_up_as_squares_do() -> None:
    assert added([Band(10, 7, 14), Band(20, 16, 23)]) == Band(30, 25, 35)


def test_payback_counts_all_costs_since_the_start_and_names_the_month() -> None:
    earlier = [
        Worth(date(2026, 7, 1), "USD", None, -300 * MICRO),
        Worth(date(2026, 8, 1), "USD", Band(200 * MICRO, 100 * MICRO, 300 * MICRO), -50 * MICRO),
    ]
    back = month(earlier=earlier).payback
    assert back is not None
    assert (back.since, back.costs) == (date(2026, 7, 1), -450 * MICRO)
    assert back.net.estimate == (400 + 200 - 450) * MICRO + 8_500_000
    assert back.paid_in == SEPTEMBER
    assert payback_words(back) == "By the estimate it had paid back in 2026-09." + (
        "" if back.net.low >= 0 else " Its interval does not rule out that it has not."
    )


def test_what_has_not_paid_back_is_projected_with_its_doubt() -> None:
    back = month(earlier=[Worth(date(2026, 8, 1), "USD", None, -2000 * MICRO)]).payback
    assert back is not None
    assert back.paid_in is None
    assert back.months_left is not None
    assert payback_words(back).startswith("Not paid back. At this month's rate in 4 to 12 months.")


def test_a_month_that_costs_more_than_it_brings_never_pays_back() -> None:
    back = month(cells=cells(700, 600), call_minutes=None).payback
    assert back is not None
    assert payback_words(back) == "Not paid back, and at this month's rate it will not be."


# ---- words


def test_the_first_page_says_what_was_visible() -> None:
    first = sections(month())[0]
    assert first.rows == (("calls and texts", "live"), ("e-mail", "2026-10-07 20:00"))
    assert first.words[0] == "From 2026-09-01 until, and without, 2026-10-01, America/New_York time."
    assert "Callers without a number: 250 of 5,000 calls (5.0 %)" in first.words[2]
    assert first.words[-1].endswith("ab" * 32)


def test_an_open_month_says_that_it_is_a_draft() -> None:
    assert sections(month(closed=None))[0].words[1].startswith("Draft, not closed.")


@pytest.mark.parametrize(
    ("number", "plain", "text"),
    [
        (Number(-123450, 2), "-1234.50", "-1,234.50"),
        (Number(5, 2), "0.05", "0.05"),
        (Number(-5, 1), "-0.5", "-0.5"),
        (Number(1234567), "1234567", "1,234,567"),
        (Number(0, 2), "0.00", "0.00"),
    ],
)
def test_a_number_is_written_for_machines_and_for_people(number: Number, plain: str, text: str) -> None:
    assert (number.plain(), number.text()) == (plain, text)
