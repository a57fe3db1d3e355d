"""What a webhook of a known call says has happened, by the last word of its path."""

from collections.abc import Callable

from ivr.call.events import (
    AgentAnswered,
    CallEnded,
    Event,
    HoldKey,
    LeftQueue,
    OverflowEnded,
    Pressed,
    Said,
    Silent,
    TextProgress,
    Waited,
)
from ivr.carrier import inbound
from ivr.carrier.inbound import Form

MakeEvent = Callable[[tuple[TextProgress, ...]], Event]


def answer(form: Form) -> MakeEvent:
    """Keys, words or silence after a question outside the queue."""
    given = inbound.answer(form)
    event: Event = Silent()
    if given.keys:
        event = Pressed(given.keys)
    elif given.words:
        event = Said(given.words, given.confidence)
    return lambda _: event


def hold(form: Form) -> MakeEvent:
    """The wait loop came round."""
    here = inbound.waiting(form)
    return lambda texts: Waited(here.waited_s, here.position, texts)


def hold_key(form: Form) -> MakeEvent:
    """A key, or words, during the hold."""
    given = inbound.answer(form)
    return lambda texts: HoldKey(given.keys, texts, given.words, given.confidence)


def queue_result(form: Form) -> MakeEvent:
    """The queue let go of the call."""
    left = inbound.queue_left(form)
    return lambda _: LeftQueue(left.result, left.waited_s)


def connecting(form: Form) -> MakeEvent:
    """An agent takes the call."""
    taken = inbound.connecting(form)
    return lambda _: AgentAnswered(taken.waited_s, taken.agent_call_sid)


def overflow(form: Form) -> MakeEvent:
    """The call to the overflow number is over."""
    status = inbound.dial_ended(form).status
    return lambda _: OverflowEnded(status)


def status(form: Form) -> MakeEvent:
    """The call is over."""
    ended = inbound.ended(form)
    return lambda _: CallEnded(ended.status, ended.duration_s)
