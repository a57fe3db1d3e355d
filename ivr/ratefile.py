"""The rate card as a YAML file: its text in, the rate card and every problem out."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ivr.ledger.books import MICRO
from ivr.ledger.rates import PRICES, AgentCost, Rate, RateCard, Span, cost_per_contact, joints
from ivr.planfile.fields import Fields
from ivr.planfile.problems import Place, Problem, Problems, shown
from ivr.planfile.tree import Node, read_tree

WINDOWS = (1, 3, 7)
EARLIEST = date(2015, 1, 1)  # before: a slip of the pen
HIGHEST = {"message": 10, "carrier_fee": 10, "failed_message": 10, "reply": 10, "lookup": 10, "speech": 10}
HIGHEST |= {"voice_minute": 100, "content_hour": 10_000}
COST, PER_HOUR, MONTHLY = 10_000, 10_000, 10_000_000


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says; `card` is there when nothing refuses it."""

    card: RateCard | None
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What refuses the file."""
        return tuple(one for one in self.problems if one.error)


def read_rates(raw: bytes, version: int = 0) -> Reading:
    """Read a rate card. Never raises: whatever is wrong is in `problems`."""
    problems = Problems()
    root = read_tree(raw, problems)
    if root is None or root.kind != "map":
        if root is not None:
            problems.error(root.place, "the file is no block of keys", "Begin with 'spans:'")
        return Reading(None, problems.all())
    top = Fields(root, "the file", problems)
    window = top.integer("window_days", 7, 1, 7)
    if window not in WINDOWS:
        top.error(top.place_of("window_days"), f"'window_days' is {window}", "It must be 1, 3 or 7")
    nodes = top.as_items(node, "spans") if (node := top.needed("spans")) is not None else []
    if node is not None and not nodes:
        top.error(top.place_of("spans"), "there is no span", "Add one: '- from: 2026-01-01'")
    spans = [_span(one, f"span {n}", problems) for n, one in enumerate(nodes, 1)]
    top.close()
    whole = [one for one in spans if one is not None]
    if len(whole) == len(spans):
        for n, what, do in joints([(one.first, one.until, one.currency) for one in whole]):
            problems.error(nodes[n].place, what, do)
    found = problems.all()
    return Reading(None if any(one.error for one in found) else RateCard(version, window, tuple(whole)), found)


def _span(node: Node, name: str, problems: Problems) -> Span | None:
    fields = Fields(node, name, problems)
    first, until = _day(fields, "from", needed=True), _day(fields, "until")
    currency = fields.text("currency")
    if currency and not re.fullmatch(r"[A-Z]{3}", currency):
        fields.error(fields.place_of("currency"), f"'{shown(currency)}' is no currency", "Write three letters: USD")
    agents = _block(fields, "agents", problems)
    prices, monthly = _block(fields, "prices", problems), _block(fields, "monthly", problems)
    span = Span(
        first or date.min,
        until,
        currency,
        {queue: cost for queue, _, one in agents.entries() if (cost := _agent(one, queue, problems))},
        {one: rate for one in PRICES if (rate := _rate(prices.optional(one), one, HIGHEST[one], problems))},
        {item: rate for item, _, one in monthly.entries() if (rate := _rate(one, item, MONTHLY, problems))},
        _rate(fields.optional("cashable"), "cashable", 1, problems),
        _rate(fields.optional("gave_up"), "gave_up", 1, problems),
    )
    for queue, place, _ in (*agents.entries(), *monthly.entries()):
        _check_name(queue, place, problems)
    prices.close()
    fields.close()
    if not agents.entries():
        problems.warn(fields.place, f"{name} has no cost of a contact", "Pages show minutes and contacts, no money")
    return span if first is not None and currency else None


def _block(fields: Fields, key: str, problems: Problems) -> Fields:
    node = fields.optional(key)
    return Fields(node or Node("map", fields.place), f"'{key}' of {fields.name}", problems)


def _check_name(name: str, place: Place, problems: Problems) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_ .-]{0,63}", name):
        problems.error(place, f"'{shown(name)}' is no name", "Use letters, digits, '-', '_', '.' and blanks")


def _agent(node: Node, queue: str, problems: Problems) -> AgentCost | None:
    """Either the cost of a contact, or what it is made of."""
    fields = Fields(node, f"agents of '{shown(queue)}'", problems)
    owner, source = fields.text("owner"), fields.text("source")
    given = fields.optional("cost")
    minutes = _micro(fields, "minutes", 0, 480, above=True)
    if given is not None:
        cost = _micro(fields, "cost", 0, COST)
        fields.close()
        return AgentCost(Rate(cost, owner, source), minutes) if cost is not None else None
    steps = {
        "per_hour": _micro(fields, "per_hour", 0, PER_HOUR, needed=True),
        "minutes": minutes,
        "occupancy": _micro(fields, "occupancy", 0, 1, needed=True, above=True),
        "shrinkage": _micro(fields, "shrinkage", 0, Decimal("0.95"), needed=True),
    }
    if minutes is None:
        fields.needed("minutes")
    fields.close()
    known = {name: value for name, value in steps.items() if value is not None}
    if len(known) < len(steps):
        return None
    made = cost_per_contact(known["per_hour"], known["minutes"], known["occupancy"], known["shrinkage"])
    if made > COST * MICRO:
        fields.error(fields.place, f"a contact would cost {made / MICRO:,.2f}", f"It must be at most {COST}")
    return AgentCost(Rate(made, owner, source), minutes, known)


def _rate(node: Node | None, name: str, highest: int, problems: Problems) -> Rate | None:
    if node is None:
        return None
    fields = Fields(node, f"'{shown(name)}'", problems)
    micro = _micro(fields, "value", 0, highest, needed=True)
    rate = Rate(micro or 0, fields.text("owner"), fields.text("source"))
    fields.close()
    return rate


def _micro(
    fields: Fields, key: str, low: int, high: int | Decimal, *, needed: bool = False, above: bool = False
) -> int | None:
    """A number in millionths, from low (without it, if `above`) to high."""
    node = fields.needed(key) if needed else fields.optional(key)
    if node is None:
        return None
    wanted = f"a number {'above' if above else 'from'} {low} {'and at most' if above else 'to'} {high}"
    if node.kind != "text" or not re.fullmatch(r"-?\d{1,9}(\.\d{1,6})?", node.text, re.ASCII):
        found = shown(node.text) or "no text"
        fields.error(node.place, f"'{key}' of {fields.name} is {found}", f"It must be {wanted}, six decimals at most")
        return None
    value = Decimal(node.text)
    if value < low or value > high or (above and value == low):
        fields.error(node.place, f"'{key}' of {fields.name} is {node.text}", f"It must be {wanted}")
        return None
    return int(value * MICRO)


def _day(fields: Fields, key: str, *, needed: bool = False) -> date | None:
    node = fields.needed(key) if needed else fields.optional(key)
    if node is None:
        return None
    try:
        if node.kind == "text" and re.fullmatch(r"\d{4}-\d\d-\d\d", node.text, re.ASCII):
            day = date.fromisoformat(node.text)
            if day >= EARLIEST:
                return day
    except ValueError:
        pass
    fields.error(node.place, f"'{key}' of {fields.name} is no day", f"Write it as 2026-01-31, not before {EARLIEST}")
    return None
