"""The whole call as one pure function: state and event in, next state, words, facts and effects out."""

from ivr.call import closed, hold, hold_keys, joining, leaving, menu, queueing, returning
from ivr.call.effects import Step
from ivr.call.events import (
    AgentAnswered,
    CallEnded,
    CallStarted,
    Event,
    Found,
    HoldKey,
    LeftQueue,
    OverflowEnded,
    Pressed,
    Said,
    Silent,
    Waited,
)
from ivr.call.moment import Moment
from ivr.call.plan import Plan
from ivr.call.prompts import LeaveQueue
from ivr.call.state import CallState, Stage
from ivr.call.values import replace

#: the carrier's QueueResult words; any other is treated as an error
QUEUE_RESULTS = frozenset(
    {
        "bridged", "bridging-in-process", "error", "hangup", "leave", "redirected", "redirected-from-bridged",
        "queue-full", "system-error",
    }
)  # fmt: skip
Queued = Waited | HoldKey | AgentAnswered | LeftQueue
OVER = (Stage.AGENT, Stage.ENDED)  # nothing we say is heard any more


def decide(state: CallState, event: Event, plan: Plan, moment: Moment) -> Step:
    """What to say and do now. Total: every event in every stage gives a step, whatever came before."""
    match event:
        case CallEnded():
            return leaving.ended(state, event, plan, moment)
        case CallStarted() if not state.last_said and state.stage is Stage.MENU:
            return returning.start(state, event, plan)
        case CallStarted() if state.stage in OVER and not state.over:
            return joining.back_in_line(state, plan, moment)
        case OverflowEnded() if state.stage is Stage.CLOSED:
            return closed.overflow_ended(state, event, plan)
        case OverflowEnded() if state.over and state.closed_why is not None:
            return replace(closed.overflow_ended(state, event, plan), prompts=())
        case Found() if _searching(state):
            return joining.found(state, event, plan, moment)
        case Waited() | HoldKey() | AgentAnswered() | LeftQueue():
            return _queued(state, event, plan, moment)
        case Pressed() | Said() | Silent():
            return _answered(state, event, plan, moment)
        case _:
            return _again(state, plan, moment)


def _searching(state: CallState) -> bool:
    """Whether `Step.search` went out with this state: a queue is chosen, the caller is not yet in it."""
    return state.queue is not None and state.stage in (Stage.MENU, Stage.DESCRIBE, Stage.RETURNING)


def _answered(state: CallState, event: Pressed | Said | Silent, plan: Plan, moment: Moment) -> Step:
    if isinstance(event, Pressed) and _overtaken(state, event, Stage.CLOSED):
        return _goes_on(closed.overtaken(state, event, plan, moment), plan, moment)
    match state.stage:
        case Stage.RETURNING:
            return returning.answer(state, event, plan, moment)
        case Stage.MENU:
            return menu.answer(state, event, plan, moment)
        case Stage.DESCRIBE:
            return joining.answer(state, event, plan, moment)
        case Stage.CLOSED:
            return closed.answer(state, event, plan, moment)
        case _:
            return _again(state, plan, moment)


def _overtaken(state: CallState, event: HoldKey | Pressed, asked_in: Stage) -> bool:
    """Whether a key is told only now, and the call is no longer where it was pressed."""
    return event.late is not None and (event.late != state.turn or state.stage is not asked_in)


def _goes_on(step: Step, plan: Plan, moment: Moment) -> Step:
    """What the caller hears by now plays on; who asks for it again keeps the place."""
    gone = step.state.stage in (Stage.CLOSED, *OVER)
    return step if gone else replace(step, prompts=_again(step.state, plan, moment).prompts)


def _queued(state: CallState, event: Queued, plan: Plan, moment: Moment) -> Step:
    if isinstance(event, HoldKey) and _overtaken(state, event, Stage.HOLD):
        return _goes_on(hold_keys.overtaken(state, event, plan, moment), plan, moment)
    if state.stage in OVER:
        return _late(state, event, plan, moment)
    if state.stage is not Stage.HOLD:
        return _found_holding(state, event, plan, moment)
    match event:
        case Waited():
            return hold.turn(state, event, plan, moment)
        case HoldKey():
            return hold_keys.turn(state, event, plan, moment)
        case AgentAnswered():
            return leaving.answered(state, event, plan, moment)
        case LeftQueue():
            return leaving.left(state, event, plan, moment)


def _late(state: CallState, event: Queued, plan: Plan, moment: Moment) -> Step:
    with_agent = state.stage is Stage.AGENT
    if isinstance(event, LeftQueue):
        if with_agent:
            return leaving.after_agent(state, event)
        return leaving.too_late(state, event, plan, moment)
    if isinstance(event, AgentAnswered):
        return (leaving.answered if with_agent else leaving.answered_too_late)(state, event, plan, moment)
    moved = state.left == "redirected" and not state.over
    if isinstance(event, Waited) and moved and (event.waited_s or 0) < state.waited_s:  # in line once more, from 0
        return _found_holding(state, event, plan, moment)
    return Step(state)


def _found_holding(state: CallState, event: Queued, plan: Plan, moment: Moment) -> Step:
    """The carrier says that the caller is in the queue, our state does not: the carrier is right.

    An error of ours put the caller there: the rim's last resort is the default queue.
    """
    if isinstance(event, LeftQueue) and state.stage is Stage.CLOSED and state.left is not None:
        return Step(state) if event.result == "hangup" else closed.finish(state, plan, moment)
    if state.stage is Stage.CLOSED:
        state = replace(state, queue=plan.default_queue)
    joined, held = queueing.join(state, plan)
    if isinstance(event, Waited) and queueing.queue_of(joined, plan).hours.closed_why(moment.now) is not None:
        return Step(joined, (LeaveQueue(),), (held,))  # nobody asked for the hours on the way in
    step = decide(joined, event, plan, moment)
    return replace(step, facts=(held, *step.facts))


def _again(state: CallState, plan: Plan, moment: Moment) -> Step:
    """An event that does not belong here: the caller hears what belongs here."""
    match state.stage:
        case Stage.MENU if state.last_said:
            return menu.question(state, plan, state.last_said)
        case Stage.MENU:
            return menu.ask(state, plan, greet=True)
        case Stage.RETURNING:
            return returning.question(state, state.last_said)
        case Stage.DESCRIBE:
            return joining.question(state, state.last_said)
        case Stage.HOLD:
            return Step(state, (queueing.prompt(state, plan),))
        case Stage.CLOSED:
            return closed.finish(state, plan, moment)
        case Stage.AGENT | Stage.ENDED:
            return Step(state)
