"""Rate cards: what a file says, and everything that refuses it."""

from datetime import date

import pytest

from ivr.ledger.rates import cost_per_contact, of_day
from ivr.ratefile import read_rates

GOOD = """\
window_days: 7
spans:
  - from: 2026-01-01
    until: 2026-10-01
    currency: USD
    agents:
      billing: {cost: 8.00, minutes: 6, owner: Ann, source: budget}
      others: {per_hour: 38.50, minutes: 7.2, occupancy: 0.85, shrinkage: 0.3, owner: Ann, source: payroll}
    prices:
      message: {value: 0.0083, owner: Ann, source: invoice}
    monthly:
      hosting: {value: 40, owner: Ann, source: invoice}
  - from: 2026-10-01
    currency: EUR
"""


def problems(text: str) -> list[str]:
    reading = read_rates(text.encode())
    assert (reading.card is None) == bool(reading.errors)
    return [str(one) for one in reading.errors]


def test_a_card_says_what_holds_on_a_day() -> None:
    card = read_rates(GOOD.encode(), 3).card
    assert card is not None
    september, october = card.at(date(2026, 9, 30)), card.at(date(2026, 10, 1))
    assert card.at(date(2025, 12, 31)) is None
    assert september is not None
    assert october is not None
    assert (september.currency, october.currency) == ("USD", "EUR")
    assert september.price("message") == 8_300
    billing, sales = september.agent("billing"), september.agent("sales")
    assert billing is not None
    assert sales is not None
    assert (billing.rate.micro, billing.rate.owner, billing.rate.source) == (8_000_000, "Ann", "budget")
    assert sales.rate.micro == 7_764_706  # 38.50 x 7.2 / (60 x 0.85 x 0.7)
    assert october.agent("billing") is None


def test_the_cost_of_a_contact_is_that_of_paid_time() -> None:
    assert cost_per_contact(30_000_000, 6_000_000, 800_000, 250_000) == 5_000_000
    with pytest.raises(ValueError, match="nobody"):
        cost_per_contact(1, 1, 1, 1_000_000)


@pytest.mark.parametrize("month", [date(2026, 2, 1), date(2026, 10, 1), date(2028, 2, 1)])
def test_the_days_of_a_month_add_up_to_its_price(month: date) -> None:
    days = [date(month.year, month.month, n) for n in range(1, 32) if n <= 28 or _is_day(month, n)]
    assert sum(of_day(40_000_001, day) for day in days) == 40_000_001


def _is_day(month: date, n: int) -> bool:
    try:
        month.replace(day=n)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ("    until: 2026-10-01\n", "    until: 2026-09-15\n", 13, "nothing holds from 2026-09-15 until 2026-10-01"),
        ("    until: 2026-10-01\n", "    until: 2026-11-01\n", 13, "two spans hold from 2026-10-01 until 2026-11-01"),
        ("    until: 2026-10-01\n", "", 12, "the span before has no end"),
        ("2026-10-01", "2026-10-15", 13, "the currency changes on 2026-10-15, in mid-month"),
        ("until: 2026-10-01", "until: 2025-10-01", 3, "not after it begins"),
        ("from: 2026-01-01", "from: 0026-01-01", 3, "no day"),
        ("value: 0.0083", "value: -0.0083", 10, "'value' of 'message' is -0.0083"),
        ("value: 0.0083", "value: 8300", 10, "is 8300"),
        ("value: 0.0083", "value: 0.00000001", 10, "six decimals"),
        ("value: 0.0083", "value: 1e-3", 10, "is 1e-3"),
        ("value: 0.0083", "value: NaN", 10, "is NaN"),
        (", source: invoice}\n    monthly", "}\n    monthly", 10, "lacks 'source'"),
        ("owner: Ann, source: budget", "owner: '', source: budget", 7, "lacks 'owner'"),
        ("occupancy: 0.85", "occupancy: 0", 8, "is 0"),
        ("shrinkage: 0.3", "shrinkage: 1", 8, "is 1"),
        ("USD", "dollars", 5, "no currency"),
        ("message:", "massage:", 10, "unknown"),
        ("window_days: 7", "window_days: 5", 1, "is 5"),
    ],
)
def test_a_wrong_card_is_refused_with_the_place(before: str, after: str, line: int, said: str) -> None:
    found = problems(GOOD.replace(before, after))
    assert any(one.startswith(f"line {line}, ") and said in one for one in found), found


def test_a_file_that_is_none_is_refused() -> None:
    assert problems("spans: []")
    assert problems("- a")
    assert problems("\x00")
