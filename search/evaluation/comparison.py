"""The service's own finder over judged sets, beside plain ways of searching."""

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from rich.text import Text

from search.encoder import Encoder
from search.evaluation.baselines import baselines
from search.evaluation.judged import JudgedSet
from search.evaluation.measures import MEASURES, Gate, Numbers, auroc, gate, gate_at, interval, judge
from search.evaluation.trials import built
from search.finder import Finder
from search.result import Match

OURS = "Offhold"
BASES = (0.3, 0.5, 0.7)  # shares of callers with a problem that no article solves
AT = (0.10, 0.05)  # shares of unanswerable queries that get an offer
COMPARED = ("success@1", "nDCG@10")
NOTHING = -math.inf

Bools = npt.NDArray[np.bool_]


class System:
    """What one way of searching answered: `values` has a row a query of MEASURES; `best` is what its gate goes by."""

    def __init__(self, name: str, judged: JudgedSet, ranked: Sequence[Sequence[str]], best: Numbers) -> None:
        self.name, self.best = name, best
        pairs = list(zip(judged.queries, ranked, strict=True))
        self.values = np.array([judge(own, one.relevant) for one, own in pairs])
        self.right = np.array([bool(own) and own[0] in one.relevant for one, own in pairs])

    def means(self, answerable: Bools) -> dict[str, float]:
        """Each measure over the answerable queries; NaN where there are none."""
        if not answerable.any():
            return dict.fromkeys(MEASURES, math.nan)
        return dict(zip(MEASURES, map(float, self.values[answerable].mean(axis=0)), strict=True))


def compare(judged: JudgedSet, encoder: Encoder, kept: Encoder) -> dict[str, Any]:
    """Everything measured on one set, as plain values. `kept` may remember vectors; times are taken with `encoder`."""
    finder = Finder(built(judged, kept), encoder)
    answerable = np.array([one.answerable for one in judged.queries])
    ranked: list[list[str]] = []
    logits, times, offers = [], [], []
    for one in judged.queries:
        began = time.perf_counter()
        found = finder.rank(one.query)
        times.append((time.perf_counter() - began) * 1000)
        ranked.append([finder.article_id(place) for place in found.places] if found else [])
        logits.append(found.gate if found else NOTHING)
        offers.append(isinstance(finder.find(one.query), Match))
    ours = System(OURS, judged, ranked, np.array(logits))
    others = [System(name, judged, own.ranked, own.best) for name, own in baselines(judged, kept.encode)]
    served = gate(np.array(offers), ours.right, answerable)
    return {
        "set": judged.name,
        "articles": len(judged.articles),
        "skipped": judged.skipped,
        "unknown_judgements": judged.unknown,
        "answerable": int(answerable.sum()),
        "unanswerable": int((~answerable).sum()),
        "systems": [_system(one, ours, answerable) for one in (ours, *others)],
        "gate": _shares(served),
        "wrong": [
            {"unanswerable": base, "wrong_texts": served.wrong_share(base), "callers_served": served.served(base)}
            for base in BASES
        ],
        "p50_ms": float(np.percentile(times, 50)),
        "p95_ms": float(np.percentile(times, 95)),
    }


def _system(one: System, ours: System, answerable: Bools) -> dict[str, Any]:
    out: dict[str, Any] = {"name": one.name, **one.means(answerable)}
    for share in AT:
        out[f"gate_at_{share:.2f}"] = _shares(gate_at(one.best, one.right, answerable, share))
    out["AUROC"] = auroc(one.best[answerable], one.best[~answerable])
    if one is not ours:
        for name in COMPARED:
            column = MEASURES.index(name)
            low, high = interval(ours.values[answerable, column], one.values[answerable, column])
            out[f"difference_{name}"] = [low, high]
    return out


def _shares(one: Gate) -> dict[str, float]:
    return {
        "offered": one.offered,
        "right_and_offered": one.right,
        "offered_unanswerable": one.offered_unanswerable,
    }


def show(result: dict[str, Any], out: Console) -> None:
    """The tables of one set."""
    counts = f"{result['articles']:,} articles, {result['answerable']} answerable and {result['unanswerable']} not"
    table = Table(title=Text(f"{result['set']}: {counts}"))
    heads = ("", *MEASURES, *(f"right, offered at {share:.0%}" for share in AT), "AUROC")
    for head in (*heads, *(f"{name}: ours minus this, 95 %" for name in COMPARED)):
        table.add_column(head, justify="left" if not head else "right")
    for one in result["systems"]:
        gates = [one[f"gate_at_{share:.2f}"] for share in AT]
        table.add_row(
            one["name"],
            *(f"{one[name]:.3f}" for name in MEASURES),
            *(f"{own['right_and_offered']:.3f}, {own['offered']:.3f}" for own in gates),
            f"{one['AUROC']:.3f}",
            *(_interval(one.get(f"difference_{name}")) for name in COMPARED),
        )
    out.print(table)
    if result["skipped"] or result["unknown_judgements"]:
        out.print(
            f"left out: {result['skipped']:,} articles that an import would refuse, {result['unknown_judgements']:,} "
            "judgements of articles or queries that are not there",
            soft_wrap=True,
        )
    served = result["gate"]
    out.print(
        f"as served: an offer to {served['offered']:.1%} of the answerable, the right one to "
        f"{served['right_and_offered']:.1%}, and to {served['offered_unanswerable']:.1%} of the unanswerable",
        soft_wrap=True,
    )
    for base in result["wrong"]:
        out.print(
            f"  if nothing answers {base['unanswerable']:.0%} of callers: {base['wrong_texts']:.1%} of texts wrong, "
            f"{base['callers_served']:.1%} of all callers get the right one",
            soft_wrap=True,
        )
    out.print(f"a query: p50 {result['p50_ms']:.1f} ms, p95 {result['p95_ms']:.1f} ms, encoder included\n")


def _interval(one: list[float] | None) -> str:
    return f"{one[0]:+.3f} to {one[1]:+.3f}" if one else ""
