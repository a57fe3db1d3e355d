"""Bounds that tell harm, however often one looks."""

from datetime import date
from math import log

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta

from ivr.ledger.guardrails import OPT_OUTS, Alarm, Harm, Tally, alarms, opt_out_evidence


def rows(
    article: str = "a1",
    *,
    silent: int = 90,
    agent: int = 800,
    repeat: int = 100,
    opted_out: int = 0,
    share: float = 0.5,
) -> list[Tally]:
    """A thousand callers held out of whom 90 were silent, 800 needed an agent and 100 came back; a thousand treated."""
    week = date(2026, 9, 7)
    return [
        Tally(article, "billing", week, share, "holdout", 1000, 90, 1000, 800, 100, 0, 0),
        Tally(article, "billing", week, share, "treat", 1000, silent, 1000, agent, repeat, 300, opted_out),
    ]


def harms(found: list[Alarm]) -> list[tuple[Harm, str | None]]:
    return [(one.harm, one.article) for one in found]


def test_arms_alike_raise_no_alarm() -> None:
    assert alarms(rows()) == []
    assert alarms([]) == []


def test_a_little_more_of_what_is_tolerated_raises_none() -> None:
    assert alarms(rows(silent=110, repeat=120, agent=700)) == []


@pytest.mark.parametrize(
    ("counts", "harm"),
    [
        ({"silent": 240}, Harm.SILENT_ABANDONMENT),
        ({"agent": 920}, Harm.AGENT_CONTACTS),
        ({"repeat": 260}, Harm.REPEAT_CONTACTS),
        ({"opted_out": 25}, Harm.OPT_OUTS),
    ],
)
def test_proven_harm_pauses_the_article_and_leaves_the_others(counts: dict[str, int], harm: Harm) -> None:
    assert harms(alarms([*rows("bad", **counts), *rows("good")])) == [(harm, "bad")]


def test_harm_spread_thinly_over_articles_stops_all_offers() -> None:
    found = alarms([row for n in range(12) for row in rows(f"a{n}", repeat=170)])
    assert harms(found) == [(Harm.REPEAT_CONTACTS, None)]
    assert found[0].worse == pytest.approx(0.07)
    assert 0.02 < found[0].surely < 0.07


def test_exposures_before_an_article_changed_count_for_all_offers_only() -> None:
    assert harms(alarms(rows("", repeat=260))) == [(Harm.REPEAT_CONTACTS, None)]


def test_a_few_callers_prove_nothing() -> None:
    week = date(2026, 9, 7)
    few = [
        Tally("a1", "billing", week, 0.5, "holdout", 20, 0, 20, 0, 0, 0, 0),
        Tally("a1", "billing", week, 0.5, "treat", 20, 20, 20, 20, 20, 0, 0),
    ]
    assert alarms(few) == []


def test_opt_out_evidence_is_the_mixed_likelihood_over_that_of_one_in_a_hundred() -> None:
    prior = beta(1, 30)

    def likelihood(p: float) -> float:
        return float(p**9 * (1 - p) ** 391)

    mixed, _ = quad(lambda p: likelihood(p) * prior.pdf(p) / prior.sf(OPT_OUTS), OPT_OUTS, 1, points=[0.02, 0.05])
    assert opt_out_evidence(9, 400) == pytest.approx(log(mixed / likelihood(OPT_OUTS)), abs=1e-4)
    assert opt_out_evidence(0, 0) == pytest.approx(0.0)


def test_opt_outs_at_one_in_a_hundred_raise_few_alarms_whenever_one_looks() -> None:
    chance = np.random.default_rng(11)
    runs, looks = 400, 60
    gone = chance.binomial(20, OPT_OUTS, (runs, looks)).cumsum(axis=1)
    raised = [any(opt_out_evidence(int(x), 20 * (n + 1)) >= log(1 / 0.05) for n, x in enumerate(run)) for run in gone]
    assert sum(raised) / runs <= 0.05
