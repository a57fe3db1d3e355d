"""What a turn wants done, besides words and facts."""

from ivr.call.facts import Fact
from ivr.call.prompts import Prompt
from ivr.call.state import CallState
from ivr.call.values import Value


class Search(Value, frozen=True):
    """Look for the article; the answer comes back into `decide` as `Found` within the same turn."""

    path: tuple[str, ...]  # spoken labels of the choices taken, outermost first
    transcript: str
    language: str
    allowed_tags: frozenset[str] = frozenset()
    pinned: tuple[str, ...] = ()
    wrong_share: float = 0.10  # of the texts, that may be wrong
    forbidden: frozenset[str] = frozenset()  # article ids


class QueueText(Value, frozen=True):
    """One text with the article's link, or with an incident's news and its link.

    `to` is None for the calling number, else the number typed (E.164).
    """

    article_id: str
    language: str
    discreet: bool
    leaf: str | None
    topic: str  # spoken topic, for "About <topic>?" on a later call
    path: tuple[str, ...]
    to: str | None = None
    news: str | None = None  # what there is to tell of an incident; `article_id` names it then


class Step(Value, frozen=True):
    """The outcome of one decision.

    With `search` set the prompts are empty and the turn goes on with `Found`.
    """

    state: CallState
    prompts: tuple[Prompt, ...] = ()
    facts: tuple[Fact, ...] = ()
    text: QueueText | None = None
    search: Search | None = None
    cancel_follow_ups: bool = False  # an agent has the call: no "did it help?" text later
