"""When offers do harm: bounds that hold at every look, so that looking every hour raises no more false alarms.

Treated callers beside the holdout, as in ivr/ledger/estimate.py. docs/decisions/0051 says what is tolerated, and why.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from math import log
from typing import NamedTuple

import numpy as np
from scipy.special import betaincc, betaln

from ivr.ledger.estimate import ENOUGH, Arms, always_valid, pooled

ALPHA = 0.05  # the chance that any alarm for all offers is ever false; as much again for all articles together
OPT_OUTS = 0.01  # of callers texted, that may opt out
PRIOR = (1.0, 30.0)  # what opt-outs may be expected to be: about three in a hundred, if not few


class Harm(StrEnum):
    """What may get worse."""

    AGENT_CONTACTS = "agent_contacts"  # more of the treated needed an agent within the window
    REPEAT_CONTACTS = "repeat_contacts"  # more of them came back within the window, by whatever channel
    SILENT_ABANDONMENT = "silent_abandonment"  # more of them hung up and had used no article
    OPT_OUTS = "opt_outs"


#: points by which the treated may be worse. Who is helped by an article has more often hung up, and some of these come
#: back: a little more of that is the price of fewer contacts with agents, which have no such allowance.
TOLERATED = {Harm.AGENT_CONTACTS: 0.0, Harm.REPEAT_CONTACTS: 0.02, Harm.SILENT_ABANDONMENT: 0.02}


class Tally(NamedTuple):
    """First exposures of an article ("": of one as it is no more), by stratum and arm. `callers`: a day old at least;
    `matured`: by the window."""

    article: str
    queue: str
    week: date
    share: float
    arm: str
    callers: int
    silent: int
    matured: int
    agent: int
    repeat: int
    texted: int
    opted_out: int


class Alarm(NamedTuple):
    """A harm that is proven. `article`: None for all offers; `worse`: by how much, `surely`: at least, in shares."""

    harm: Harm
    article: str | None
    worse: float
    surely: float


def alarms(tallies: Iterable[Tally]) -> list[Alarm]:
    """Every alarm as of now: by article, then for all offers but those of articles that have one. Rows without an
    article count for all offers only."""
    kept = list(tallies)
    articles = sorted({one.article for one in kept if one.article})
    found: list[Alarm] = []
    for article in articles:
        of_article = [one for one in kept if one.article == article]
        found += _alarms(article, of_article, ALPHA / len(Harm) / len(articles))
    harmful = {one.article for one in found}
    return found + _alarms(None, [one for one in kept if one.article not in harmful], ALPHA / len(Harm))


def _alarms(article: str | None, rows: list[Tally], alpha: float) -> list[Alarm]:
    found = []
    for harm, tolerated in TOLERATED.items():
        worse = _worse(harm, rows, alpha)
        if worse is not None and worse[1] > tolerated:
            found.append(Alarm(harm, article, *worse))
    texted, gone = sum(row.texted for row in rows), sum(row.opted_out for row in rows)
    if opt_out_evidence(gone, texted) >= -log(alpha):
        found.append(Alarm(Harm.OPT_OUTS, article, gone / texted, OPT_OUTS))
    return found


def _worse(harm: Harm, rows: list[Tally], alpha: float) -> tuple[float, float] | None:
    """By how much the treated are worse, and by how much surely; None before enough is known."""
    arms = _arms(harm, rows)
    weights = arms.weights()
    held, treated = pooled(arms.held_out, arms.held_out_sum, weights), pooled(arms.treated, arms.treated_sum, weights)
    if min(held.callers, treated.callers) < ENOUGH:
        return None
    one = always_valid(treated.share - held.share, held.variance + treated.variance, alpha)
    return one.estimate, one.low


def _arms(harm: Harm, rows: list[Tally]) -> Arms:
    found: defaultdict[tuple[float, str, date], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for row in rows:
        place = 0 if row.arm == "holdout" else 1
        silent = harm is Harm.SILENT_ABANDONMENT
        counts = found[row.share, row.queue, row.week]
        counts[place] += row.callers if silent else row.matured
        counts[place + 2] += row.silent if silent else row.agent if harm is Harm.AGENT_CONTACTS else row.repeat
    table = np.array([(key[0], *found[key]) for key in sorted(found)], dtype=np.float64).reshape(-1, 5)
    return Arms(*table.T)


def opt_out_evidence(opted_out: int, texted: int) -> float:
    """Log evidence that more than OPT_OUTS of those texted opt out: the likelihood mixed over greater shares, over that
    at OPT_OUTS. While they are no more it ever passes log(1/a) with a chance of at most a (Ville)."""
    a, b = PRIOR
    more = log(betaincc(a + opted_out, b + texted - opted_out, OPT_OUTS)) - log(betaincc(a, b, OPT_OUTS))
    mixed = betaln(a + opted_out, b + texted - opted_out) - betaln(a, b) + more
    return float(mixed - opted_out * log(OPT_OUTS) - (texted - opted_out) * log(1 - OPT_OUTS))
