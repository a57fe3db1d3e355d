"""Quiet hours: texts nobody waits for go out in the hours that a plan opens, where the number is at home."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone as zones

from ivr.call.plan import OfferRules

STEP = timedelta(minutes=15)


def _zones(number: str) -> list[ZoneInfo]:
    names = zones.time_zones_for_number(phonenumbers.parse(number, None))
    return [ZoneInfo(name) for name in names if "/" in name and not name.startswith("Etc/")]


def is_loud(at: datetime, number: str, rules: OfferRules) -> bool:
    """Whether `at` lies in the open hours of every zone the number may be in; never for a number of no known zone."""
    homes = _zones(number)
    return bool(homes) and all(rules.quiet_until_h <= at.astimezone(home).hour < rules.quiet_from_h for home in homes)


def next_loud(at: datetime, number: str, rules: OfferRules) -> datetime | None:
    """The first quarter hour from `at` on that is open, None when none comes within a day."""
    for steps in range(97):
        when = at + steps * STEP
        if is_loud(when, number, rules):
            return when
    return None
