"""Lines of the books as they are printed: rounded so that whatever is added up on paper is what stands there."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ivr.ledger.bands import round_half
from ivr.ledger.books import COSTS, MEMO, MICRO, Entry, Line

CENT = MICRO // 100
CONTACT = MICRO // 100  # contacts are shown to a hundredth
TENTH_MINUTE_MS = 6000  # agents' time to a tenth of a minute

_GROUPS = ("confirmed", "late_reversals", "costs", "pending")


class Row(NamedTuple):
    """A line as it is printed: contacts in hundredths, minutes in tenths, money in cents. They add up."""

    kind: Entry
    queue: str
    currency: str
    entries: int
    quantity: int
    contacts: int
    minutes: int
    cents: int


class Sum(NamedTuple):
    """Printed rows added up, in the same units."""

    currency: str
    confirmed: tuple[int, int, int]  # contacts, minutes, cents
    late_reversals: tuple[int, int, int]
    costs: tuple[int, int, int]
    net: tuple[int, int, int]
    pending: tuple[int, int, int]


def apportioned(values: Sequence[int], unit: int, total: int | None = None) -> list[int]:
    """Each value in whole units so that they add up to `total` (default: their own sum, rounded), by largest remainder.
    A total within one unit of the sum can always be met."""
    floors = [value // unit for value in values]
    left = (round_half(sum(values), unit) if total is None else total) - sum(floors)
    order = sorted(range(len(values)), key=lambda n: (-(values[n] % unit), n))
    for n in order[:left]:
        floors[n] += 1
    return floors


def group(kind: Entry) -> str:
    """Where a kind stands on a statement."""
    if kind in MEMO:
        return "pending"
    if kind is Entry.LATE_REVERSAL:
        return "late_reversals"
    return "costs" if kind in COSTS else "confirmed"


def printed(lines: Sequence[Line]) -> tuple[tuple[Row, ...], tuple[Sum, ...]]:
    """The lines as printed, and their sums: by currency, the net is rounded first, then what it is made of, so that
    whatever is added up on paper is what stands there."""
    rows: list[Row] = []
    sums: list[Sum] = []
    order = {kind: n for n, kind in enumerate(Entry)}
    for currency in sorted({line.currency for line in lines}, key=lambda one: (one == "", one)):
        mine = sorted(
            (line for line in lines if line.currency == currency), key=lambda one: (order[one.kind], one.queue)
        )
        columns = [
            _column(mine, lambda line: line.figure.contacts, CONTACT),
            _column(mine, lambda line: line.figure.agent_ms, TENTH_MINUTE_MS),
            _column(mine, lambda line: line.figure.amount, CENT),
        ]
        for n, line in enumerate(mine):
            cells = [by_line[n] for by_line, _ in columns]
            rows.append(Row(line.kind, line.queue, currency, line.entries, line.figure.quantity, *cells))
        contacts, agent_ms, amounts = (groups for _, groups in columns)
        by_group = {name: (contacts[name], agent_ms[name], amounts[name]) for name in (*_GROUPS, "net")}
        sums.append(Sum(currency, **by_group))
    return tuple(rows), tuple(sums)


def _column(lines: Sequence[Line], value: Callable[[Line], int], unit: int) -> tuple[list[int], dict[str, int]]:
    """One column in whole units: of each line, and of each group and the net."""
    exact = {name: [n for n, line in enumerate(lines) if group(line.kind) == name] for name in _GROUPS}
    totals = {name: sum(value(lines[n]) for n in members) for name, members in exact.items()}
    in_net = _GROUPS[:3]
    shown = dict(zip(in_net, apportioned([totals[name] for name in in_net], unit), strict=True))
    shown["pending"] = round_half(totals["pending"], unit)
    by_line = [0] * len(lines)
    for name, members in exact.items():
        for n, cell in zip(members, apportioned([value(lines[n]) for n in members], unit, shown[name]), strict=True):
            by_line[n] = cell
    shown["net"] = sum(shown[name] for name in in_net)
    return by_line, shown
