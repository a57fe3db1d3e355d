"""Callers whose truth is known: each one's month with an offer and without.

Arrivals, waits, patience and length of conversations are those of a real call centre (a bank's, 99,566 calls of three
months of 1999): the figures below are fitted to it. What callers do with a text is made up, in `Law`.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

#: shares of the calls of a week by weekday (Monday first), and of a day by hour
WEEKDAYS = (0.1846, 0.1827, 0.1739, 0.1765, 0.0611, 0.0265, 0.1947)
HOURS = (
    0.0034, 0.0012, 0.0007, 0.0004, 0.0003, 0.0010, 0.0041, 0.0276, 0.0647, 0.0796, 0.0875, 0.0768,
    0.0690, 0.0722, 0.0721, 0.0725, 0.0715, 0.0555, 0.0492, 0.0478, 0.0408, 0.0391, 0.0357, 0.0273,
)  # fmt: skip
WAIT = (3.986, 1.031)  # lognormal; maximum likelihood with hang-ups as censored, 46,593 queued calls
PATIENCE = (0.9295, 407.9)  # Weibull shape and scale; the same calls, answered ones as censored
SERVICE = (4.7915, 0.9343)  # lognormal
OFFER_S = (15.0, 120.0)  # held when the offer is, or would be, made
LINE_S = 9.0  # the offer itself
QUEUES = (0.5, 0.3, 0.2)  # shares of three queues ...
QUEUE_WAITS = (1.0, 1.6, 2.5)  # ... and how much longer they wait than the bank's callers did
SEASONS = (0.7, 1.0, 1.4, 2.0)  # a week's load: so many times the callers and the wait
ARTICLES = 4
MONDAY = date(2026, 8, 3)
DAY_S = 86_400.0
WEEK_S = 7 * DAY_S
WINDOW_S = WEEK_S


@dataclass(frozen=True, slots=True)
class Law:
    """What callers do. Shares of those concerned; `bad` is an article for which `worse` is the law."""

    name: str
    accepts: float = 0.3  # of callers of middling patience; the impatient more
    impatience: float = 0.8  # by how much more: log-odds for each e-fold of patience less
    reads: float = 0.55
    solves: float = 0.45  # of those who read
    leaves: float = 0.2  # hang up with the text, to read it later
    gives_up: float = 0.1  # read it in vain and hang up
    returns: float = 0.45  # of those who hung up unhelped, by a call or otherwise
    returns_left: float = 0.6  # of those who hung up only because of the text, unhelped
    returns_helped: float = 0.06
    returns_served: float = 0.1
    unseen: float = 0.0  # of the returns, by a channel that is not connected
    opts_out: float = 0.004
    numberless: float = 0.08
    bad: int | None = None
    worse: "Law | None" = None


HELPS = Law("helps")
NOTHING = Law("changes nothing", solves=0.0, leaves=0.0, gives_up=0.0, returns_helped=0.45)
HARMS = Law(
    "harms",
    accepts=0.45,
    reads=0.25,
    solves=0.02,
    leaves=0.5,
    gives_up=0.6,
    returns=0.85,
    returns_left=0.95,
    opts_out=0.03,
)
ONE_HARMS = replace(HELPS, name="one article harms", bad=0, worse=HARMS)
UNSEEN = replace(HELPS, name="a third comes back unseen", unseen=1 / 3)


@dataclass(frozen=True, slots=True)
class Lived:
    """What callers did, in one of the two worlds; seconds since the call began, infinite for never."""

    asked: Bools  # had the whole offer
    text_s: Floats  # when the text was sent
    gone: Bools  # hung up while holding
    left_s: Floats  # the hold
    agent_s: Floats  # with an agent in this call, 0 without
    next_call_s: Floats
    next_agent_s: Floats  # the agent of that call
    next_agent_for_s: Floats  # how long the agent spoke
    next_other_s: Floats
    unseen_s: Floats
    accepted: Bools
    delivered: Bools
    clicked_s: Floats
    said_solved_s: Floats
    said_not_s: Floats
    scanned: Bools
    opted_out: Bools

    @property
    def agent_at_s(self) -> Floats:
        """When an agent answered this call."""
        return np.where(self.gone, np.inf, self.left_s)

    @property
    def used_s(self) -> Floats:
        """When the text was first used, before any further contact."""
        first = np.minimum(self.clicked_s, self.said_solved_s)
        soon = self.delivered & (first < self.text_s + DAY_S)
        return np.where(soon, first, np.inf)


@dataclass(frozen=True, slots=True)
class Month:
    """Eligible callers, one exposure each, an array entry a caller; `began_s` since its Monday."""

    law: Law
    began_s: Floats
    queue: Ints
    season: Ints
    article: Ints
    monday: date
    offer_s: Floats
    keyed: Bools
    held_out: Bools
    share: Floats  # the holdout share the caller was drawn with
    offered: Lived
    not_offered: Lived

    @property
    def began(self) -> datetime:
        """Its first instant."""
        return datetime(self.monday.year, self.monday.month, self.monday.day, tzinfo=UTC)

    @property
    def callers(self) -> int:
        """How many."""
        return len(self.began_s)


def month(
    chance: np.random.Generator,
    law: Law,
    *,
    callers: int,
    shares: tuple[tuple[int, float], ...],
    days: int = 30,
    monday: date = MONDAY,
) -> Month:
    """About that many eligible callers in so many days from a Monday on. `shares`: (from this day on, held out)."""
    weeks = -(-days // 7)
    seasons = chance.integers(0, len(SEASONS), weeks)
    load = np.repeat(np.array(SEASONS)[seasons], 7)[:days] * np.resize(WEEKDAYS, days)
    count = chance.poisson(callers * 1.65)  # more than half of them are answered, or gone, before an offer
    day = chance.choice(days, count, p=load / load.sum())
    began_s = day * DAY_S + chance.choice(24, count, p=np.array(HOURS) / sum(HOURS)) * 3600
    began_s += chance.uniform(0, 3600, count)
    queue, season = chance.choice(len(QUEUES), count, p=QUEUES), seasons[day // 7]
    wait_s = chance.lognormal(*WAIT, count) * np.array(QUEUE_WAITS)[queue] * np.array(SEASONS)[season]
    patience_s = PATIENCE[1] * chance.weibull(PATIENCE[0], count)
    offer_s = chance.uniform(*OFFER_S, count)
    eligible = np.minimum(wait_s, patience_s) > offer_s
    began_s, queue, season, wait_s, patience_s, offer_s = (
        one[eligible] for one in (began_s, queue, season, wait_s, patience_s, offer_s)
    )
    count = len(began_s)
    article = chance.integers(0, ARTICLES, count)
    share = np.zeros(count)
    for first, held_out in shares:
        share[began_s >= first * DAY_S] = held_out
    lots = Lots(chance.random((len(Lots.NAMES), count)), wait_s, patience_s, offer_s, chance)
    bad = np.zeros(count, dtype=bool) if law.bad is None else article == law.bad
    return Month(
        law,
        began_s,
        queue,
        season,
        article,
        monday,
        offer_s,
        keyed=chance.random(count) >= law.numberless,
        held_out=np.floor(chance.random(count) * 10_000) < np.round(share * 10_000),
        share=share,
        offered=lots.live(law, bad, offered=True),
        not_offered=lots.live(law, bad, offered=False),
    )


class Lots:
    """What chance has in store for callers: the same with an offer and without."""

    NAMES = (
        "accepts", "delivered", "reads", "solves", "leaves", "gives_up", "returns", "answered", "channel", "unseen",
        "says", "scanned", "opts_out",
    )  # fmt: skip

    def __init__(
        self, drawn: Floats, wait_s: Floats, patience_s: Floats, offer_s: Floats, chance: np.random.Generator
    ) -> None:
        self.drawn: dict[str, Floats] = dict(zip(self.NAMES, drawn, strict=True))
        self.wait_s, self.patience_s, self.offer_s = wait_s, patience_s, offer_s
        count = len(wait_s)
        self.service_s = np.maximum(1.0, chance.lognormal(*SERVICE, count))
        self.again_s = np.maximum(10.0, chance.lognormal(*SERVICE, count))  # shorter calls are no contacts
        self.click_after_s = chance.exponential(150, count)
        self.back_after_s = 600 + chance.exponential(1.5 * DAY_S, count)
        self.back_wait_s = chance.exponential(90, count)
        self.says_after_s = chance.uniform(60, 5400, count)

    def live(self, law: Law, bad: Bools, *, offered: bool) -> Lived:
        """What callers do, with an offer or without."""

        def share(name: str) -> Floats:
            usual = float(getattr(law, name))
            return np.where(bad, float(getattr(law.worse, name)), usual) if law.worse else np.full(len(bad), usual)

        def falls(lot: str, name: str) -> Bools:
            return self.drawn[lot] < share(name)

        never = np.full(len(bad), np.inf)
        asked = np.minimum(self.wait_s, self.patience_s) > self.offer_s + LINE_S
        odds = share("accepts") / (1 - share("accepts")) * (300 / self.patience_s) ** law.impatience
        accepted = offered & asked & (self.drawn["accepts"] < odds / (1 + odds))
        delivered = accepted & (self.drawn["delivered"] < 0.94)
        text_s = self.offer_s + LINE_S + 1
        reads = delivered & falls("reads", "reads")
        click_s = np.where(reads, text_s + 7 + self.click_after_s, np.inf)
        solves = reads & falls("solves", "solves")
        done_s = click_s + 60
        leave_s = np.where(delivered & falls("leaves", "leaves"), text_s + 14, np.inf)
        leave_s = np.minimum(leave_s, np.where(solves | (reads & falls("gives_up", "gives_up")), done_s, np.inf))
        left_s = np.minimum(np.minimum(self.patience_s, leave_s), self.wait_s)
        gone = np.minimum(self.patience_s, leave_s) < self.wait_s
        clicked_s = np.where(gone | (click_s < left_s), click_s, np.inf)  # nobody reads on with an agent
        helped = gone & solves
        because = gone & (self.patience_s >= self.wait_s)
        unhelped = np.where(because, share("returns_left"), np.where(delivered, share("returns"), HELPS.returns))
        again = np.where(gone, np.where(helped, share("returns_helped"), unhelped), share("returns_served"))
        returns = self.drawn["returns"] < again
        over_s = np.where(gone, left_s, left_s + self.service_s)
        back_s = np.where(returns, np.maximum(over_s, np.where(helped, clicked_s, 0)) + self.back_after_s, np.inf)
        unseen = self.drawn["unseen"] < law.unseen
        other = ~unseen & (self.drawn["channel"] < 0.25)
        calls = ~unseen & ~other
        answered = calls & (self.drawn["answered"] < 0.9)
        said_s = np.where(gone & (clicked_s < np.inf), clicked_s + self.says_after_s, np.inf)
        yes = np.where(solves, self.drawn["says"] < 0.3, self.drawn["says"] < 0.02)
        no = ~solves & (self.drawn["says"] > 0.85)
        return Lived(
            asked=offered & asked,
            text_s=np.where(accepted, text_s, np.inf),
            gone=gone,
            left_s=left_s,
            agent_s=np.where(gone, 0.0, self.service_s),
            next_call_s=np.where(calls, back_s, never),
            next_agent_s=np.where(answered, back_s + self.back_wait_s, never),
            next_agent_for_s=np.where(answered & returns, self.again_s, 0.0),
            next_other_s=np.where(other, back_s, never),
            unseen_s=np.where(unseen, back_s, never),
            accepted=accepted,
            delivered=delivered,
            clicked_s=clicked_s,
            said_solved_s=np.where(yes, said_s, never),
            said_not_s=np.where(no, said_s, never),
            scanned=delivered & (self.drawn["scanned"] < 0.2),
            opted_out=delivered & falls("opts_out", "opts_out"),
        )
