"""What the carrier and we have on record after a run, as plain values for the checker."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Exchange:
    """One webhook and what came back: `problem` is why the carrier could not use it, "" when it could."""

    at_s: float
    path: str
    call_sid: str
    seconds: float
    problem: str = ""
    digits: str = ""
    body: str = ""
    tries: int = 1


@dataclass(frozen=True)
class CarriedCall:
    """A caller's call as the carrier saw it. `joins`: how often it was put into a queue. `ended`: by whom."""

    sid: str
    joins: int
    connected: bool
    ended: str  # caller | talk | us | not yet
    apologised: bool = False


@dataclass(frozen=True)
class Accepted:
    """A text the carrier took from us."""

    sid: str
    to: str
    body: str


@dataclass(frozen=True)
class Carried:
    """The carrier's ledger."""

    calls: tuple[CarriedCall, ...]
    exchanges: tuple[Exchange, ...]
    texts: tuple[Accepted, ...]


@dataclass(frozen=True)
class OurFact:
    """One fact; `of` is the text or the article it names, "" for none."""

    name: str
    of: str = ""


@dataclass(frozen=True)
class OurCall:
    """One call of ours with its facts in order. `turn` by its row, `state_turn` by its state."""

    sid: str
    turn: int
    state_turn: int
    facts: tuple[OurFact, ...]


@dataclass(frozen=True)
class OurText:
    """One text of ours."""

    id: str
    call_sid: str
    token: str
    kind: str
    status: str
    settled: bool = False


@dataclass(frozen=True)
class Ours:
    """Our ledger. `books_same`: settling it all from nothing gives the same entries; `lines_agree`: the months' lines
    are the sums of the entries."""

    calls: tuple[OurCall, ...]
    texts: tuple[OurText, ...]
    waiting: int = 0  # kept webhooks that have not landed
    refused: int = 0  # kept webhooks that were put aside
    books_same: bool = True
    lines_agree: bool = True
    entries: int = field(default=0, compare=False)
