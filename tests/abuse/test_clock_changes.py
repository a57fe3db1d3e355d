"""Nights on which clocks are put forward or back (R22): what is by the wall clock stays so."""

from datetime import UTC, datetime, timedelta

import pytest

from ivr.call.plan import Hours, OfferRules
from ivr.texts import quiet

SPAN = ((8 * 60, 20 * 60),)


def hours(zone: str) -> Hours:
    return Hours(zone, (SPAN,) * 7, frozenset())


@pytest.mark.parametrize(
    ("zone", "opens"),
    [
        ("America/New_York", datetime(2026, 3, 7, 13, tzinfo=UTC)),  # the day before
        ("America/New_York", datetime(2026, 3, 8, 12, tzinfo=UTC)),  # forward in the night
        ("America/New_York", datetime(2026, 10, 31, 12, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, 13, tzinfo=UTC)),  # back in the night
        ("Europe/Berlin", datetime(2026, 3, 29, 6, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 4, 3, 21, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 21, 30, tzinfo=UTC)),  # by half an hour
        ("Australia/Lord_Howe", datetime(2026, 10, 3, 21, tzinfo=UTC)),
    ],
)
def test_a_queue_opens_and_closes_by_the_wall_clock(zone: str, opens: datetime) -> None:
    moment, length = timedelta(seconds=1), timedelta(hours=12)
    open_at = hours(zone).closed_why
    assert [open_at(at) is None for at in (opens - moment, opens, opens + length - moment, opens + length)] == [
        False, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("evening", "morning"),
    [
        (datetime(2026, 3, 8, 3, tzinfo=UTC), datetime(2026, 3, 8, 12, tzinfo=UTC)),
        (datetime(2026, 11, 1, 3, tzinfo=UTC), datetime(2026, 11, 1, 13, tzinfo=UTC)),
    ],
    ids=["forward", "back"],
)
def test_the_follow_up_waits_for_the_morning_of_the_wall_clock(evening: datetime, morning: datetime) -> None:
    assert quiet.next_loud(evening, "+12025550143", OfferRules()) == morning
