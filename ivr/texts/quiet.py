"""Quiet hours: texts nobody waits for go out between 8 and 21 h where the number is at home."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone as zones

OPENS, CLOSES = 8, 21
STEP = timedelta(minutes=15)


def _zones(number: str) -> list[ZoneInfo]:
    names = zones.time_zones_for_number(phonenumbers.parse(number, None))
    return [ZoneInfo(name) for name in names if "/" in name and not name.startswith("Etc/")]


def is_loud(at: datetime, number: str) -> bool:
    """Whether `at` lies in the open hours of every zone the number may be in; never for a number of no known zone."""
    homes = _zones(number)
    return bool(homes) and all(OPENS <= at.astimezone(home).hour < CLOSES for home in homes)


def next_loud(at: datetime, number: str) -> datetime | None:
    """The first quarter hour from `at` on that is open, None when none comes within a day."""
    for steps in range(97):
        when = at + steps * STEP
        if is_loud(when, number):
            return when
    return None
