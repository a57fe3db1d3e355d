"""Phone numbers from outside, and as they are kept."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.call.plan import OfferRules
from ivr.call.state import CallerKind
from ivr.texts import quiet
from ivr.texts.consent import Standing, may_text
from ivr.texts.numbers import Numbers, check_typed, classify, readable, textable

OWN = "+13105550100"


@pytest.mark.parametrize(
    ("from_", "kind"),
    [
        ("+12025550143", CallerKind.MOBILE),
        ("+14165550143", CallerKind.MOBILE),
        ("+266696687", CallerKind.WITHHELD),
        ("+86282452253", CallerKind.WITHHELD),
        ("+8656696", CallerKind.WITHHELD),
        ("+2562533", CallerKind.WITHHELD),
        ("+7378742833", CallerKind.WITHHELD),
        ("+7748283", CallerKind.WITHHELD),
        ("anonymous", CallerKind.WITHHELD),
        ("Restricted", CallerKind.WITHHELD),
        ("", CallerKind.WITHHELD),
        ("sip:anonymous@example.com", CallerKind.SIP),
        ("client:desk", CallerKind.SIP),
        ("+18005551212", CallerKind.OTHER),
        ("+19005550123", CallerKind.OTHER),
        ("+18765550123", CallerKind.OTHER),
        ("+34612345678", CallerKind.OTHER),
        (OWN, CallerKind.OTHER),
        ("12345", CallerKind.OTHER),
        ("+1202", CallerKind.OTHER),
        ("nonsense", CallerKind.OTHER),
    ],
)
def test_a_caller_is_known_by_the_number(from_: str, kind: CallerKind) -> None:
    assert classify(from_, own=OWN, countries=("US", "CA")).kind is kind


def test_landlines_and_countries_are_told_apart() -> None:
    assert classify("+34911234567", own=OWN, countries=("ES",)).kind is CallerKind.LANDLINE
    assert classify("+34612345678", own=OWN, countries=("ES",)).kind is CallerKind.MOBILE
    assert classify("+34612345678", own=OWN, countries=("US",)).has_number
    assert not classify("anonymous", own=OWN, countries=("US",)).has_number


@pytest.mark.parametrize(
    ("digits", "e164", "reason"),
    [
        ("2025550143", "+12025550143", None),
        ("12025550143", "+12025550143", None),
        ("202 555 0143", "+12025550143", None),
        ("4165550143", "+14165550143", None),
        ("", None, "empty"),
        ("*", None, "empty"),
        ("911", None, "not_a_number"),
        ("8765550123", None, "country"),
        ("8005551212", None, "not_mobile"),
        ("9005550123", None, "not_mobile"),
        ("3105550100", None, "own"),
        ("9" * 40, None, "not_a_number"),
    ],
)
def test_a_typed_number_is_checked(digits: str, e164: str | None, reason: str | None) -> None:
    verdict = check_typed(digits, ("US", "CA"), OWN)
    assert (verdict.e164, verdict.reason) == (e164, reason)


@given(st.text(max_size=60))
def test_no_input_breaks_the_reading_of_a_number(text: str) -> None:
    classify(text, own=OWN, countries=("US",))
    check_typed(text, ("US", "ES"))
    textable(text, ("US",))


@pytest.mark.parametrize(
    ("number", "shown"), [("+12025550143", "+1 202-555-0143"), ("+15005550006", "+1 500-555-0006"), ("611", "611")]
)
def test_a_number_is_shown_as_people_write_it(number: str, shown: str) -> None:
    assert readable(number) == shown


def test_sealed_numbers_open_under_old_keys_too() -> None:
    old = Numbers(b"h" * 32, [b"a" * 32])
    new = Numbers(b"h" * 32, [b"b" * 32, b"a" * 32])
    sealed = old.seal("+12025550143")
    assert b"2025550143" not in sealed
    assert old.seal("+12025550143") != sealed
    assert new.open(sealed) == "+12025550143"
    with pytest.raises(ValueError, match="not in NUMBER_ENCRYPTION_KEY"):
        old.open(new.seal("+12025550143"))
    with pytest.raises(ValueError, match="not in NUMBER_ENCRYPTION_KEY"):
        old.open(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    assert old.key("+12025550143") == new.key(" +12025550143 ")
    assert Numbers(b"i" * 32, [b"a" * 32]).key("+12025550143") != old.key("+12025550143")
    with pytest.raises(ValueError, match="at least one"):
        Numbers(b"h" * 32, [])


def test_a_bucket_is_even_and_its_own_in_each_experiment() -> None:
    numbers = Numbers(b"h" * 32, [b"a" * 32])
    buckets = [numbers.bucket("offer-1", f"caller {n}") for n in range(4000)]
    assert all(0 <= bucket < 10_000 for bucket in buckets)
    assert 300 < sum(bucket < 1000 for bucket in buckets) < 500
    assert numbers.bucket("offer-1", "x") == numbers.bucket("offer-1", "x") != numbers.bucket("offer-2", "x")


RULES = OfferRules()
FREE = Standing(
    opted_out=False, textable=True, country_allowed=True, typed=False, again=False, in_call=0, in_day=0, typed_in_day=0,
    prefix_spent=False, country_spent=False, minute_spent=False,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"opted_out": True, "again": True}, "opted_out"),
        ({"textable": False}, "kind"),
        ({"country_allowed": False}, "country"),
        ({"again": True}, "repeat"),
        ({"in_call": 2}, "call_cap"),
        ({"in_call": 1, "in_day": 2}, None),
        ({"in_day": 3}, "day_cap"),
        ({"typed": True}, None),
        ({"typed": True, "typed_in_day": 1}, "typed_cap"),
        ({"typed_in_day": 1}, None),
        ({"prefix_spent": True}, "prefix_cap"),
        ({"country_spent": True, "minute_spent": True}, "country_cap"),
        ({"minute_spent": True}, "minute_cap"),
    ],
)
def test_a_text_goes_only_where_it_may(changes: dict[str, bool | int], reason: str | None) -> None:
    values = {name: getattr(FREE, name) for name in Standing.__dataclass_fields__}
    assert may_text(Standing(**{**values, **changes}), RULES) == reason


def test_quiet_hours_are_those_of_the_number() -> None:
    new_york, los_angeles = "+12025550143", "+13105550123"
    eight_thirty_pm_in_new_york = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
    assert quiet.is_loud(eight_thirty_pm_in_new_york, new_york, RULES)
    later = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 21 h in New York, 18 h in Los Angeles
    assert not quiet.is_loud(later, new_york, RULES)
    assert quiet.is_loud(later, los_angeles, RULES)
    assert quiet.next_loud(later, new_york, RULES) == datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
    assert quiet.next_loud(later, los_angeles, RULES) == later


def test_a_plan_may_keep_longer_quiet_hours() -> None:
    number, seven_pm = "+12025550143", datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
    longer = OfferRules(quiet_from_h=19, quiet_until_h=10)
    assert quiet.is_loud(seven_pm, number, RULES)
    assert quiet.next_loud(seven_pm, number, longer) == datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
