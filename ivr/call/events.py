"""What the phone tells us, freed of the carrier's words."""

from ivr.call.state import Returning
from ivr.call.values import Value
from search.result import ArticleCard


class CallStarted(Value, frozen=True):
    """A call came in. The state's `caller` is already filled."""

    returning: Returning | None = None


class Pressed(Value, frozen=True):
    """Keys, as pressed: `0-9 * #`, the finishing key left out. `late`: told only now, as of `HoldKey`."""

    keys: str
    late: int | None = None


class Said(Value, frozen=True):
    """Words as recognised. `confidence` 0-1 or None when the recogniser gave none."""

    words: str
    confidence: float | None = None


class Silent(Value, frozen=True):
    """The question ended without a key or a word."""


class Found(Value, frozen=True):
    """The finder's answer to `Step.search`: cards best first (at most 2), or a reason for none."""

    cards: tuple[ArticleCard, ...]
    reason: str | None
    score: float | None
    margin: float | None
    index_version: str | None
    how: str = "search"  # search | pin
    logit: float | None = None  # of the gate, where an article was weighed


class TextProgress(Value, frozen=True):
    """How far a text of this call has come: queued, sent, delivered, failed, unknown, expired, or "no_line": refused,
    because that number takes no texts."""

    article_id: str
    status: str
    code: int | None = None


class Waited(Value, frozen=True):
    """The wait loop came round. Values are snapshots of the moment of the request, None where it told none."""

    waited_s: int | None
    position: int | None
    texts: tuple[TextProgress, ...] = ()


class HoldKey(Value, frozen=True):
    """A key during the hold ('' = the number entry ended without one), or words as recognised. `late`: told only now,
    after what came later may have been taken already; the turn whose question it answers."""

    keys: str
    texts: tuple[TextProgress, ...] = ()
    words: str = ""
    confidence: float | None = None
    late: int | None = None


class AgentAnswered(Value, frozen=True):
    """An agent took the call: the `<Queue url>` request."""

    waited_s: int | None
    agent_call_sid: str | None


class LeftQueue(Value, frozen=True):
    """The queue let go of the call. `result` is one of flow.QUEUE_RESULTS, or anything at all."""

    result: str
    waited_s: int | None


class CallEnded(Value, frozen=True):
    """The final status callback. `status` is the carrier's word."""

    status: str
    duration_s: int | None


class OverflowEnded(Value, frozen=True):
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
