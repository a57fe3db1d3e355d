"""The rules of offers as a form: when they are made, how sure they are, who hears none, and how many texts go out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from psycopg import Connection

from ivr.call.plan import OfferRules
from ivr.console import menus
from ivr.console.actors import Actor
from ivr.console.errors import Sentence, Wrong, sentence
from ivr.ledger.estimate import weeks_needed
from ivr.planfile import editing
from ivr.planfile.document import values_of
from ivr.planfile.offers import HOLDOUT_SHARE, RANGES, WRONG_SHARE
from ivr.wiring import Wiring
from models import counts

#: whole numbers a form has, by what they are about; the rest of `RANGES` is for who knows the carrier
WAITING = (
    "first_after_s",
    "unknown_wait_after_s",
    "min_wait_s",
    "min_position",
    "reminder_after_s",
    "further_after_s",
    "announce_every_s",
)
CAPS = ("texts_per_call", "texts_per_day", "return_within_h")
QUIET = ("quiet_from_h", "quiet_until_h")
WHOLE = (*WAITING, *CAPS, "follow_up_after_h", *QUIET)
#: shares, typed as percentages: (least, most)
SHARES: Mapping[str, tuple[int, int]] = {
    name: (round(100 * least), round(100 * most))
    for name, (least, most) in {"wrong_share": WRONG_SHARE, "holdout_share": HOLDOUT_SHARE}.items()
}

LATELY = timedelta(days=28)
FEW = 200  # calls of the last 28 days; of fewer no rate is known
POINTS = (1, 2, 3, 5, 8)
HOLDOUTS = (0.05, 0.1, 0.2, 0.5)


# ---- what a menu file says


def rules(text: str) -> dict[str, str]:
    """The rules of a menu file as a form shows them, shares as percentages. Raises Unreadable."""
    default, block = OfferRules(), values_of(text).get("offers")
    said = {key: value for key, value in block.items() if isinstance(value, str)} if isinstance(block, dict) else {}
    shown = {name: said.get(name, str(getattr(default, name))) for name in WHOLE}
    shown |= {name: _percent(said.get(name, str(getattr(default, name)))) for name in SHARES}
    return shown | {"follow_up": "on" if said.get("follow_up", "") == "true" else ""}


def _percent(written: str) -> str:
    """0.10 as 10; what is no number as it is written."""
    try:
        return _plain(Decimal(written) * 100) if len(written) < 20 else written
    except InvalidOperation:
        return written


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f")


def change(
    conn: Connection, wiring: Wiring, by: Actor, draft_id: int | None, revision: int, typed: Mapping[str, str]
) -> int:
    """Put the rules that were changed into a draft (None: into a new one, of the live menu); which draft.

    Raises Wrong with what is wrong beside each field, Missing, SetAside.
    """
    wanted = written(typed)
    if draft_id is None:
        draft_id = menus.begin(conn, wiring, by, "Offer rules")
        revision = menus.draft(conn, draft_id).draft.revision
    menus.edit(conn, wiring, by, draft_id, revision, lambda text: _changed(text, wanted))
    return draft_id


def _changed(text: str, wanted: Mapping[str, str]) -> str:
    """Only what differs is written: a comment beside 0.10 is not lost to 0.1."""
    try:
        before: Mapping[str, str] = written(rules(text))
    except Wrong:
        before = {}
    changed = {name: value for name, value in wanted.items() if before.get(name) != value}
    return editing.set_offers(text, changed) if changed else text


def written(typed: Mapping[str, str]) -> dict[str, str]:
    """The rules as a menu file has them. Raises Wrong."""
    problems: dict[str, Sentence | str] = {}
    found = {}
    for name in WHOLE:
        least, most = RANGES[name]
        given = typed.get(name, "").strip()
        if re.fullmatch(r"[0-9]{1,6}", given) and least <= int(given) <= most:
            found[name] = str(int(given))
        else:
            problems[name] = sentence("A number from %(least)s to %(most)s.", least=least, most=most)
    for name, (least, most) in SHARES.items():
        given = typed.get(name, "").strip().removesuffix("%").strip().replace(",", ".")
        if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,2})?", given) and least <= Decimal(given) <= most:
            found[name] = _plain(Decimal(given) / 100)
        else:
            problems[name] = sentence("A percentage from %(least)s to %(most)s.", least=least, most=most)
    if problems:
        raise Wrong(problems)
    return found | {"follow_up": "true" if typed.get("follow_up") else "false"}


# ---- weeks until measurable


@dataclass(frozen=True, slots=True)
class Line:
    """Weeks until a difference of so many points can be told from zero, by share held out; None: not foreseeable."""

    points: int
    weeks: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Weeks:
    """What the table rests on: calls a week in which an offer could be made, and the share of callers on hold whom an
    agent answered. `lines` empty: too few calls to tell."""

    calls_a_week: int
    agents: float
    shares: tuple[float, ...]
    lines: tuple[Line, ...]


def weeks(conn: Connection, wiring: Wiring, share: float | None) -> Weeks:
    """By the site's own rates of the last 28 days, as if each call were another caller; `share`: the one held out, to
    stand in the table too."""
    since = (wiring.clock() - LATELY).date()
    lately = list(counts.queues(conn, since).values())
    eligible, held = sum(one.eligible for one in lately), sum(one.held for one in lately)
    agents = min(1.0, sum(one.agents for one in lately) / held) if held else 0.0
    a_week = eligible / (LATELY / timedelta(weeks=1))
    shares = tuple(sorted({*HOLDOUTS, *([share] if share else [])}))
    if eligible < FEW or agents == 0:
        return Weeks(round(a_week), agents, shares, ())
    lines = [
        Line(points, tuple(weeks_needed(agents, points / 100, one, a_week) for one in shares)) for points in POINTS
    ]
    return Weeks(round(a_week), agents, shares, tuple(lines))


def share_of(shown: Mapping[str, str]) -> float | None:
    """The share held out that a form shows; None where it shows none."""
    try:
        share = float(shown.get("holdout_share", "").replace(",", ".")) / 100
    except ValueError:
        return None
    least, most = HOLDOUT_SHARE
    return share if least < share <= most else None
