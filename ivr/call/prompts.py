"""What the caller is to hear and may answer; the carrier renders it."""

from typing import Any

from ivr.call.values import Value


class Say(Value, frozen=True):
    """Words in a language ("en", "es"); the carrier picks the plan's voice."""

    words: str
    language: str


class Music(Value, frozen=True):
    """Hold music for about `seconds`."""

    seconds: int


class Pause(Value, frozen=True):
    """Silence of `seconds` >= 1."""

    seconds: int


class Ask(Value, frozen=True):
    """A question. The answer (also none, if `hear_silence`) comes back to `action` with the turn number.

    `keys` = how many end the answer (None: until `finish_key`); `speech` adds the recogniser.
    """

    prompts: tuple[Say | Music | Pause, ...]
    action: str  # menu | describe | returning | hold-key | closed
    language: str
    keys: int | None = 1
    finish_key: str = ""
    speech: bool = False
    hints: tuple[str, ...] = ()
    timeout_s: int = 5
    hear_silence: bool = True


class Hold(Value, frozen=True):
    """Join the queue; the wait loop and the queue result come back to us.

    `workflow_sid`: TaskRouter with `task`.
    """

    queue: str
    workflow_sid: str | None = None
    task: dict[str, Any] = {}  # noqa: RUF012  (a struct copies it)
    max_size: int | None = None  # beyond it the queue takes no more callers; None: the carrier's own limit


class LeaveQueue(Value, frozen=True):
    """Leave the queue by our own decision (maximum hold)."""


class CallNumber(Value, frozen=True):
    """Connect to the overflow number (from the plan, never from content)."""

    number: str
    timeout_s: int = 30


class ConnectAgent(Value, frozen=True):
    """The agent's own call: take the front caller of the queue, waiting up to `timeout_s`."""

    queue: str
    timeout_s: int = 600


class HangUp(Value, frozen=True):
    """End the call."""


Prompt = Say | Music | Pause | Ask | Hold | LeaveQueue | CallNumber | ConnectAgent | HangUp
