"""What the phone tells us, freed of the carrier's words."""

from dataclasses import dataclass

from ivr.call.state import Returning
from search.result import ArticleCard


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A call came in. The state's `caller` is already filled."""

    returning: Returning | None = None


@dataclass(frozen=True, slots=True)
class Pressed:
    """Keys, as pressed: `0-9 * #`, the finishing key left out."""

    keys: str


@dataclass(frozen=True, slots=True)
class Said:
    """Words as recognised. `confidence` 0-1 or None when the recogniser gave none."""

    words: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Silent:
    """The question ended without a key or a word."""


@dataclass(frozen=True, slots=True)
class Found:
    """The finder's answer to `Step.search`: cards best first (at most 2), or a reason for none."""

    cards: tuple[ArticleCard, ...]
    reason: str | None
    score: float | None
    margin: float | None
    index_version: str | None
    how: str = "search"  # search | pin


@dataclass(frozen=True, slots=True)
class TextProgress:
    """How far a text of this call has come: queued, sent, delivered, failed, unknown, expired."""

    article_id: str
    status: str
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Waited:
    """The wait loop came round. Values are snapshots of the moment of the request."""

    waited_s: int
    position: int | None
    texts: tuple[TextProgress, ...] = ()


@dataclass(frozen=True, slots=True)
class HoldKey:
    """A key during the hold ('' = the number entry ended without one)."""

    keys: str
    texts: tuple[TextProgress, ...] = ()


@dataclass(frozen=True, slots=True)
class AgentAnswered:
    """An agent took the call: the `<Queue url>` request."""

    waited_s: int | None
    agent_call_sid: str | None


@dataclass(frozen=True, slots=True)
class LeftQueue:
    """The queue let go of the call. `result` is one of flow.QUEUE_RESULTS, or anything at all."""

    result: str
    waited_s: int | None


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The final status callback. `status` is the carrier's word."""

    status: str
    duration_s: int | None


@dataclass(frozen=True, slots=True)
class OverflowEnded:
    """The call to the overflow number is over: completed, busy, no-answer, failed, canceled."""

    status: str


Event = (
    CallStarted
    | Pressed
    | Said
    | Silent
    | Found
    | Waited
    | HoldKey
    | AgentAnswered
    | LeftQueue
    | CallEnded
    | OverflowEnded
)
