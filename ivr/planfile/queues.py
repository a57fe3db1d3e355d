"""Hours and queues of the menu file."""

import re
from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

import phonenumbers

from ivr.call.plan import Hours, Queue
from ivr.planfile.fields import Fields, did_you_mean
from ivr.planfile.problems import Place, Problems, shown
from ivr.planfile.spoken import words_of
from ivr.planfile.tree import Node

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-4]):([0-5]\d)", re.ASCII)
_CHARGED = {phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.SHARED_COST}
ALWAYS_CLOSED: tuple[tuple[tuple[int, int], ...], ...] = ((),) * 7
Week = list[list[tuple[int, int]]]


def read_hours(node: Node | None, languages: tuple[str, ...], problems: Problems) -> dict[str, Hours]:
    """The named opening hours; queues refer to them by name."""
    found: dict[str, Hours] = {}
    if node is None:
        return found
    for name, _, inner in Fields(node, "'hours'", problems).entries():
        fields = Fields(inner, f"hours '{shown(name)}'", problems)
        found[name] = Hours(
            zone=_zone(fields),
            weekly=_weekly(fields),
            holidays=_holidays(fields),
            spoken=words_of(fields, "spoken", languages, most=20),
        )
        fields.close()
    return found


def _zone(fields: Fields) -> str:
    zone = fields.text("zone")
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        if zone:
            where = fields.place_of("zone")
            fields.error(where, f"'{shown(zone)}' is no time zone", "Write one such as America/New_York")
        return "UTC"
    return zone


def _weekly(fields: Fields) -> tuple[tuple[tuple[int, int], ...], ...]:
    node = fields.needed("weekly")
    if node is None:
        return ALWAYS_CLOSED
    week: Week = [[] for _ in DAYS]
    given: set[int] = set()
    noted = len(fields.problems)
    inner = Fields(node, f"'weekly' of {fields.name}", fields.problems)
    for name, place, spans in inner.entries():
        days = _days(name)
        if not days:
            inner.error(place, f"'{shown(name)}' is no day", "Write monday, monday-friday or every day")
        if again := given.intersection(days):
            inner.error(place, f"{DAYS[min(again)]} is given twice", "Name each day once")
        given.update(days)
        for span in _spans(inner, name, spans):
            for day in days:
                week[day].append(span)
    for day, open_spans in enumerate(week):
        open_spans.sort()
        if any(a[1] > b[0] for a, b in pairwise(open_spans)):
            inner.error(inner.place, f"the hours of {DAYS[day]} overlap", "Join them into one span")
    if not any(week) and len(fields.problems) == noted:
        inner.error(inner.place, f"{fields.name} are never open", "Give at least one day such as monday: 09:00-17:00")
    return tuple(tuple(spans) for spans in week)


def _days(name: str) -> range | list[int]:
    """The days a key names, Monday = 0; [] for a key that names none. `saturday-monday` runs over Sunday."""
    name = name.strip().casefold()
    if name == "every day":
        return range(7)
    first, _, last = (part.strip() for part in name.partition("-"))
    if first not in DAYS or (last or first) not in DAYS:
        return []
    a, b = DAYS.index(first), DAYS.index(last or first)
    return [(a + n) % 7 for n in range((b - a) % 7 + 1)]


def _spans(fields: Fields, day: str, node: Node) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for one in fields.as_items(node, day):
        if one.text.strip() == "closed":
            continue
        found = _SPAN.fullmatch(one.text.strip())
        begin, end = (int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])) if found else (0, 0)
        if end > 24 * 60 or not begin < end:
            fields.error(
                one.place,
                f"'{shown(one.text)}' are no opening hours",
                "Write 08:00-17:30, at most to 24:00; split what runs past midnight in two days",
            )
        else:
            spans.append((begin, end))
    return spans


def _holidays(fields: Fields) -> frozenset[date]:
    days: set[date] = set()
    for node in fields.texts("holidays"):
        try:
            if not re.fullmatch(r"\d{4}-\d\d-\d\d", node.text, re.ASCII):
                raise ValueError
            days.add(date.fromisoformat(node.text))
        except ValueError:
            fields.error(node.place, f"'{shown(node.text)}' is no date", "Write it as 2026-12-25")
    return frozenset(days)


def read_queues(
    node: Node | None, hours: dict[str, Hours], languages: tuple[str, ...], problems: Problems
) -> dict[str, Queue]:
    """The queues by name."""
    found: dict[str, Queue] = {}
    if node is None:
        return found
    fields = Fields(node, "'queues'", problems)
    for name, place, inner in fields.entries():
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name):
            problems.error(place, f"'{shown(name)}' is no name of a queue", "Use letters, digits, '-' and '_'")
        found[name] = _queue(name, inner, hours, languages, problems)
    if not found and node.kind == "map":
        problems.error(fields.place, "there is no queue", "Add at least one")
    return found


def _queue(name: str, node: Node, hours: dict[str, Hours], languages: tuple[str, ...], problems: Problems) -> Queue:
    fields = Fields(node, f"queue '{shown(name)}'", problems)
    named = fields.text("hours")
    if named and named not in hours:
        fields.error(fields.place_of("hours"), f"'{shown(named)}' are no hours", did_you_mean(named, list(hours)))
    size = fields.integer("max_size", 0, 1, 5000)
    workflow = fields.text("workflow_sid", "")
    if workflow and not re.fullmatch(r"WW[0-9a-f]{32}", workflow):
        fields.error(fields.place_of("workflow_sid"), "this is no workflow SID", "It is WW and 32 hex digits")
    queue = Queue(
        name=name,
        spoken=words_of(fields, "spoken", languages, most=6),
        hours=hours.get(named, Hours("UTC", ALWAYS_CLOSED)),
        max_hold_s=fields.integer("max_hold_s", 3600, 60, 14400),
        max_size=size or None,
        overflow_number=phone_number(fields, "overflow_number") or None,
        workflow_sid=workflow or None,
    )
    fields.close()
    return queue


def phone_number(fields: Fields, key: str) -> str:
    """An E.164 number that may be called, '' without one."""
    text = fields.text(key, "")
    if not text:
        return ""
    place: Place = fields.place_of(key)
    try:
        parsed = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        parsed = None
    if (
        parsed is None
        or not re.fullmatch(r"\+[1-9]\d{6,14}", text, re.ASCII)
        or not phonenumbers.is_valid_number(parsed)
    ):
        fields.error(place, f"'{shown(text)}' is no phone number", "Write it as +12025550100, with country code")
        return ""
    if phonenumbers.number_type(parsed) in _CHARGED:
        fields.error(place, f"'{text}' is a premium number", "Give a number without a surcharge")
    return text
