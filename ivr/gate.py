"""What the gate of the search goes by, beside the share of wrong texts that a manager accepts: the share of callers
nothing here helps, and the calibrations of the live index."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import Connection

from models import indexes, site
from search import calibration as calibrations
from search.calibration import BELIEVED, UNANSWERABLE_SHARE, Calibrations

WITHIN = timedelta(days=28)  # calls of that time count, and no estimate is older
LEAST_CALLS = 200  # searched calls: fewer tell nothing
_KEY = "unanswerable_share"


@dataclass(frozen=True)
class Callers:
    """The share of callers with a problem that no article solves, and from how many calls it is known (0: assumed)."""

    unanswerable: float = UNANSWERABLE_SHARE
    calls: int = 0


def callers(conn: Connection, now: datetime) -> Callers:
    """What is known of them: nothing, unless `note_callers` wrote it lately and it can be true."""
    try:
        kept = json.loads(site.get(conn, _KEY) or "")
        known = Callers(float(kept["share"]), int(kept["calls"]))
        fresh = abs(now - datetime.fromisoformat(kept["at"])) <= WITHIN
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return Callers()
    low, high = BELIEVED
    return known if fresh and low <= known.unanswerable <= high and known.calls >= LEAST_CALLS else Callers()


def note_callers(conn: Connection, known: Callers, now: datetime) -> None:
    """Write it down; web processes take it up within seconds."""
    content = {"share": round(known.unanswerable, 2), "calls": known.calls, "at": now.isoformat()}
    site.put(conn, _KEY, json.dumps(content))


def of_index(conn: Connection) -> Calibrations:
    """Those of the live index, the shipped one where it has none. Raises `ValueError` when they are damaged."""
    live = indexes.current(conn)
    chunk = indexes.chunk(conn, live.version, "calibration.json", 0) if live else None
    return calibrations.calibrations_from(json.loads(chunk.content) if chunk else {})
