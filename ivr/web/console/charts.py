"""Charts as numbers for inline SVG: where each bar begins and how long it is, in hundredths of the width."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ivr.ledger.books import MICRO


class Bar(NamedTuple):
    """A bar from `x`, `width` long; its whisker, if it has one, from `low` to `high`. All 0..100."""

    key: str
    value: float
    x: float
    width: float
    low: float | None
    high: float | None


class Chart(NamedTuple):
    """Bars over one scale; `zero` is where nothing is."""

    bars: tuple[Bar, ...]
    zero: float


def bands(figures: Mapping[str, Any]) -> Chart:
    """The three numbers of a statement's figures, in contacts."""
    avoided = (figures["told"] or {}).get("avoided")
    rows: list[tuple[str, float, float | None, float | None]] = []
    if avoided:
        rows.append(("incremental", *(avoided[name] / MICRO for name in ("estimate", "low", "high"))))
    rows.append(("ledger", figures["ledger"]["contacts"] / MICRO, None, None))
    rows.append(("naive", float(figures["counts"]["naive"]), None, None))
    return _chart(rows)


def columns(values: Sequence[float]) -> Chart:
    """One bar a value."""
    return _chart([(str(n), value, None, None) for n, value in enumerate(values)])


def _chart(rows: Sequence[tuple[str, float, float | None, float | None]]) -> Chart:
    ends = [0.0, *(end for row in rows for end in row[1:] if end is not None)]
    least, most = min(ends), max(ends)
    scale = 100 / ((most - least) or 1)

    def at(value: float) -> float:
        return round((value - least) * scale, 2)

    bars = tuple(
        Bar(
            key,
            value,
            min(at(0), at(value)),
            round(abs(at(value) - at(0)), 2),
            None if low is None else at(low),
            None if high is None else at(high),
        )
        for key, value, low, high in rows
    )
    return Chart(bars, at(0))
