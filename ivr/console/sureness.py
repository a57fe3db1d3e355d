"""What the share of texts that may be wrong comes to: how many of the right articles are still offered, and whether
that share can be promised at all."""

from dataclasses import dataclass

from psycopg import Connection

from ivr import gate
from ivr.planfile.offers import WRONG_SHARE
from ivr.wiring import Wiring
from search.calibration import Calibrations, Promise, shipped

SHARES = (0.02, 0.05, 0.1, 0.2, 0.3)


@dataclass(frozen=True, slots=True)
class Line:
    """A share of texts that may be wrong, and what comes of it in each language."""

    share: float
    promises: tuple[Promise, ...]


@dataclass(frozen=True, slots=True)
class Sureness:
    """`callers` says whom nothing here helps, `own` whether the calibration is the community's own; each of `lines` has
    a promise for each of `languages`, those of the live menu."""

    callers: gate.Callers
    own: bool
    languages: tuple[str, ...]
    lines: tuple[Line, ...]


def sureness(conn: Connection, wiring: Wiring, typed: str) -> Sureness | None:
    """With a line for the percentage `typed`, too. None without a menu, or where the calibration is damaged: the check
    of the settings says so."""
    try:
        plan, calibrations = wiring.plans.live(conn), gate.of_index(conn)
    except (LookupError, ValueError):
        return None
    known = gate.callers(conn, wiring.clock())
    languages = tuple(one.code for one in plan.languages)
    lines = tuple(
        Line(share, tuple(calibrations.of(code).promise(share, known.unanswerable) for code in languages))
        for share in sorted({*SHARES, *_share(typed)})
    )
    return Sureness(known, calibrations != Calibrations(shipped()), languages, lines)


def _share(typed: str) -> tuple[float, ...]:
    try:
        share = round(float(typed.replace(",", ".")) / 100, 4)
    except ValueError:
        return ()
    least, most = WRONG_SHARE
    return (share,) if least <= share <= most else ()
