"""What should stand in the books of a call, from its row, its outcome, what it used and what things cost."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import NamedTuple

from ivr.ledger.baselines import Haircut
from ivr.ledger.books import MICRO, Due, Entry, Figure, Key, month_of
from ivr.ledger.outcomes import RESTS_ON, Kind, Outcome
from ivr.ledger.rates import Span
from ivr.ledger.summary import Summary

_OPEN = frozenset(
    (Kind.PROVISIONAL, Kind.CONFIRMED_EXPLICIT, Kind.CONFIRMED_INFERRED, Kind.REVERSED, Kind.LATE_REVERSAL)
)
_CONFIRMED = {
    Kind.CONFIRMED_EXPLICIT: Entry.CONFIRMED_EXPLICIT,
    Kind.CONFIRMED_INFERRED: Entry.CONFIRMED_INFERRED,
}
_QUEUED = {"text_queued": Entry.MESSAGE, "news_queued": Entry.MESSAGE, "follow_up_queued": Entry.FOLLOW_UP}


class Used(NamedTuple):
    """A fact that cost something. `since`: of `described`, when the caller had chosen the leaf."""

    id: int
    name: str
    at: datetime
    text_id: str | None
    segments: int
    since: datetime | None = None


class Price(NamedTuple):
    """What the carrier says a text cost, in micro-units; its fees to other carriers are not in it."""

    micro: int
    currency: str


class Terms(NamedTuple):
    """What a call is booked by: the day it began, the rate card's span of that day, and the haircut of it."""

    day: date
    span: Span | None
    card: int | None
    haircut: Haircut

    def due(self, call: Summary, kind: Entry, at: datetime, figure: Figure, facts: Iterable[int]) -> Due:
        """A figure in the month of the call."""
        return Due(
            key=Key(call.call_sid, kind),
            at=at,
            month=month_of(self.day),
            queue=call.queue or "",
            currency=self.span.currency if self.span else "",
            figure=figure,
            facts=tuple(facts),
            card=self.card,
        )


def dues(
    call: Summary,
    outcome: Outcome,
    used: Iterable[Used],
    prices: Mapping[str, Price],
    terms: Terms,
    day_of: Callable[[datetime], date],
) -> list[Due]:
    """All figures of a call, in millionths of the currency.

    A text that was used (or a short version heard to its end) and a hang-up after it are worth what a contact with an
    agent costs, times one less the haircut: the share of like callers who give up and do not come back anyway. That is
    pending until the window has passed, then confirmed, or taken back when the caller returns. Costs are what was used
    times its price: segments of a text times the price and the carrier's fee, uses times their price, the time our
    question adds times the price of a minute.

    `prices` are by text id; `day_of` gives the day in the site's zone.
    """
    rows = tuple(used)
    return [*_saving(call, outcome, terms, day_of), *_costs(call, rows, prices, terms)]


def _saving(call: Summary, outcome: Outcome, terms: Terms, day_of: Callable[[datetime], date]) -> Iterator[Due]:
    if outcome.kind not in _OPEN:
        return
    assert call.hung_up_at is not None
    assert call.used_at is not None
    confirmed = outcome.was or (outcome if outcome.kind in _CONFIRMED else None)
    figure, share = _worth(call, terms)

    def due(kind: Entry, at: datetime, amount: Figure, facts: Iterable[int], undoes: Entry | None = None) -> Due:
        made = terms.due(call, kind, at, amount, facts)
        return made._replace(
            baseline=terms.haircut.day, share=share, undoes=Key(call.call_sid, undoes) if undoes else None
        )

    first = [call.evidence[name] for name in RESTS_ON if name in call.evidence]
    yield due(Entry.PROVISIONAL, max(call.hung_up_at, call.used_at), figure, first)
    back = outcome.contact.ref if outcome.contact else ""
    if outcome.kind is Kind.REVERSED:
        yield due(Entry.REVERSAL, outcome.at, figure.minus(), outcome.facts, Entry.PROVISIONAL)._replace(contact=back)
    if confirmed is not None:
        kind = _CONFIRMED[confirmed.kind]
        yield due(Entry.RELEASED, confirmed.at, figure.minus(), confirmed.facts, Entry.PROVISIONAL)
        yield due(kind, confirmed.at, figure, confirmed.facts)
        if outcome.kind is Kind.LATE_REVERSAL:
            late = due(Entry.LATE_REVERSAL, outcome.at, figure.minus(), outcome.facts, kind)
            yield late._replace(contact=back, month=month_of(day_of(outcome.at)))


def _worth(call: Summary, terms: Terms) -> tuple[Figure, int]:
    """A contact with an agent avoided, less the haircut; and the haircut. Nothing is credited before the holdout can
    tell, unless the rate card has a share for that time."""
    share, span = terms.haircut.share, terms.span
    if share is None:
        share = span.gave_up.micro if span and span.gave_up else MICRO
    left = MICRO - share
    agent = span.agent(call.queue or "") if span else None
    cost = agent.rate.micro if agent else 0
    agent_ms = terms.haircut.agent_ms or 0
    if agent and agent.minutes is not None:
        agent_ms = agent.minutes * 60_000 // MICRO
    return Figure(cost * left // MICRO, left, agent_ms * left // MICRO, 1), share


def _costs(call: Summary, used: tuple[Used, ...], prices: Mapping[str, Price], terms: Terms) -> Iterator[Due]:
    span = terms.span
    if span is None:
        return

    def due(kind: Entry, item: str, at: datetime, quantity: int, cost: int, facts: Iterable[int]) -> Due:
        made = terms.due(call, kind, at, Figure(amount=-cost, quantity=quantity), facts)
        return made._replace(key=Key(call.call_sid, kind, item))

    segment = span.price("message") + span.price("carrier_fee")
    sent, lost = _by_text(used, "sent"), _by_text(used, "undelivered")
    for one in used:
        text = one.text_id or ""
        looked_up = one.name == "text_queued" or (one.name in _QUEUED and text in sent)  # most follow-ups never go out
        if looked_up and span.price("lookup"):
            yield due(Entry.LOOKUP, text, one.at, 1, span.price("lookup"), (one.id,))
        if one.name in _QUEUED and text in sent:
            taken = sent[text]
            yield due(_QUEUED[one.name], text, taken.at, one.segments, one.segments * segment, (one.id, taken.id))
            price = prices.get(text)
            if price is not None and price.currency == span.currency:
                more = price.micro - one.segments * span.price("message")
                yield due(Entry.PRICE_CORRECTION, text, taken.at, 0, more, (taken.id,))._replace(
                    undoes=Key(call.call_sid, _QUEUED[one.name], text)
                )
        if one.name == "undelivered" and span.price("failed_message"):
            lost_at = lost[text]
            yield due(Entry.FAILED_FEE, text, lost_at.at, 1, span.price("failed_message"), (lost_at.id,))
        if one.name == "replied":
            cost = span.price("reply") + one.segments * segment
            yield due(Entry.REPLY, str(one.id), one.at, 1 + one.segments, cost, (one.id,))
    spoken = [one for one in used if one.name in ("described", "menu_chosen", "accepted", "declined")]
    if spoken:
        cost = len(spoken) * span.price("speech")
        yield due(Entry.SPEECH, "", spoken[0].at, len(spoken), cost, (one.id for one in spoken))
    asked = [one for one in used if one.name == "described" and one.since is not None]
    if asked:
        last = asked[-1]
        assert last.since is not None
        ms = max(0, round((last.at - last.since).total_seconds() * 1000))
        yield due(Entry.PROMPT_MINUTES, "", last.at, ms, ms * span.price("voice_minute") // 60_000, (last.id,))


def _by_text(used: tuple[Used, ...], name: str) -> dict[str, Used]:
    """The first fact of a name for each text."""
    found: dict[str, Used] = {}
    for one in used:
        if one.name == name and one.text_id is not None:
            found.setdefault(one.text_id, one)
    return found
