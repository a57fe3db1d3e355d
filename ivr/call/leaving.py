"""The ways out of the queue and of the call.

Each hold is closed by one fact, whatever comes, in whatever order.
"""

from ivr.call import closed, queueing
from ivr.call.effects import Step
from ivr.call.events import AgentAnswered, CallEnded, LeftQueue
from ivr.call.facts import Fact
from ivr.call.holding import part, settle, waited_by_now_s
from ivr.call.keying import stop
from ivr.call.moment import Moment
from ivr.call.plan import Plan
from ivr.call.prompts import HangUp
from ivr.call.speech import say
from ivr.call.state import CallState, Stage
from ivr.call.values import replace

Facts = tuple[Fact, ...]
PUT_AGAIN = ("left_by_choice", "queue_full", "queue_failed")  # the caller is still with us


def answered(state: CallState, event: AgentAnswered, plan: Plan, moment: Moment) -> Step:
    """An agent took the call: no key by now is no consent."""
    prompts = (say(state, plan, "connecting"),)
    if state.stage is not Stage.HOLD:
        return Step(replace(state, agent_call_sid=event.agent_call_sid or state.agent_call_sid), prompts)
    state, facts = _connected(state, event.waited_s, moment)
    return Step(replace(state, agent_call_sid=event.agent_call_sid), prompts, facts, cancel_follow_ups=True)


def left(state: CallState, event: LeftQueue, plan: Plan, moment: Moment) -> Step:
    """The queue let go of a caller who was holding."""
    result = event.result.strip().lower()
    if result == "hangup":
        state, facts = _gone(state, event.waited_s, moment)
        return Step(replace(state, stage=Stage.ENDED), (), facts)
    if result == "bridging-in-process":
        state, facts = _connected(state, event.waited_s, moment)
        return Step(state, (), facts, cancel_follow_ups=True)
    if result in ("bridged", "redirected-from-bridged"):
        state, facts = _connected(state, event.waited_s, moment)
        return replace(after_agent(state, event), facts=(*facts, *_ended_with_agent(result)), cancel_follow_ups=True)
    if result == "redirected":
        state, facts = _out(state, "redirected", {}, event.waited_s, moment)
        return Step(replace(state, stage=Stage.ENDED), (), facts)
    if result == "leave":
        state, facts = _out(state, "left_by_choice", {}, event.waited_s, moment)
        return _then(facts, closed.close(state, plan, moment, _let_go_why(state, plan, moment)))
    if result == "queue-full":
        state, facts = _out(state, "queue_full", {}, event.waited_s, moment)
        return _then(facts, closed.close(state, plan, moment, "queue_full"))
    return _failed(state, event, plan, moment)


def after_agent(state: CallState, event: LeftQueue) -> Step:
    """The conversation with the agent is over; a call that REST moved on is left alone."""
    moved = event.result.strip().lower().startswith(("redirected", "bridging"))
    facts = () if event.result.strip().lower() == "bridging-in-process" else _ended_with_agent(event.result)
    if not facts:
        return Step(state)
    return Step(replace(state, stage=Stage.ENDED), () if moved else (HangUp(),), facts)


def too_late(state: CallState, event: LeftQueue, plan: Plan, moment: Moment) -> Step:
    """A queue result after the end.

    Two cases say something new: an agent had the call, though it looked hung up; and the call was in the queue, where
    only an error of ours can have led it, for we never heard of that.
    """
    if state.over and state.left is None:
        joined, held = queueing.join(replace(state, requeued=True), plan)
        step = left(joined, event, plan, moment)
        if step.state.left in PUT_AGAIN:  # nobody is there who could be told why, or offered anything
            facts = tuple(fact for fact in step.facts if fact.name == step.state.left)
            step = Step(replace(joined, left=step.state.left), (), facts)
        ended_too = replace(step.state, stage=Stage.ENDED)
        return Step(ended_too, (), (held, *step.facts), cancel_follow_ups=step.cancel_follow_ups)
    if event.result.strip().lower() not in ("bridged", "redirected-from-bridged"):
        return Step(state)
    return _had_agent(state, event.waited_s, event.result)


def answered_too_late(state: CallState, event: AgentAnswered, plan: Plan, moment: Moment) -> Step:
    """An agent took the call, told after its end: it only looked hung up, or was in the queue without our knowing."""
    if state.over and state.left is None:
        state, held = queueing.join(state, plan)
        connected = Fact("agent_connected", {"queue": state.queue, "waited_s": event.waited_s})
        facts = (held, connected, *_ended_with_agent("hangup"))
        step = Step(replace(state, stage=Stage.ENDED, left="agent_connected"), (), facts, cancel_follow_ups=True)
    else:
        step = _had_agent(state, event.waited_s, "hangup")
    agent = event.agent_call_sid or state.agent_call_sid
    return replace(step, state=replace(step.state, agent_call_sid=agent))


def _had_agent(state: CallState, waited_s: int | None, result: str) -> Step:
    """What the end of a call that looked hung up turns out to have been."""
    if state.left != "hung_up_in_queue":
        return Step(state)
    fact = Fact("agent_connected", {"queue": state.queue, "waited_s": waited_s, "late": True})
    facts = (fact, *_ended_with_agent(result))
    return Step(replace(state, left="agent_connected"), (), facts, cancel_follow_ups=True)


def ended(state: CallState, event: CallEnded, plan: Plan, moment: Moment) -> Step:
    """The carrier's last word on a call; closes a hold whose queue result never came."""
    if state.over:
        return Step(state)
    facts: Facts = ()
    if state.stage is Stage.HOLD:
        state, facts = _gone(state, None, moment)
    elif state.stage is Stage.AGENT:
        facts = _ended_with_agent("hangup")
    elif state.stage is Stage.CLOSED:
        state, facts = part(stop(state), moment)
    facts = (*facts, Fact("call_ended", {"status": event.status, "duration_s": event.duration_s}))
    return Step(replace(state, stage=Stage.ENDED, over=True), (), facts)


def _failed(state: CallState, event: LeftQueue, plan: Plan, moment: Moment) -> Step:
    """An error or a word we do not know: back into the line once, then closed."""
    state, facts = _out(state, "queue_failed", {"result": event.result[:40]}, event.waited_s, moment)
    if state.requeued:
        return _then(facts, closed.close(state, plan, moment, "no_agent"))
    state, held = queueing.join(replace(state, requeued=True), plan)
    return Step(state, (say(state, plan, "sorry_hold"), queueing.prompt(state, plan)), (*facts, held))


def _let_go_why(state: CallState, plan: Plan, moment: Moment) -> str:
    """Who came within the opening hours is still answered after them; a queue switched off answers nobody, nor one
    into which an error led past its hours."""
    queue = queueing.queue_of(state, plan)
    if queue.name in moment.closed_queues:
        return "no_agent"
    if state.waited_s >= queue.max_hold_s:
        return "max_hold"
    return queue.hours.closed_why(moment.now) or "max_hold"


def _connected(state: CallState, waited_s: int | None, moment: Moment) -> tuple[CallState, Facts]:
    state, facts = _out(state, "agent_connected", {"queue": state.queue}, waited_s, moment)
    return replace(state, stage=Stage.AGENT), facts


def _gone(state: CallState, waited_s: int | None, moment: Moment) -> tuple[CallState, Facts]:
    return _out(state, "hung_up_in_queue", {"queue": state.queue}, waited_s, moment)


def _out(
    state: CallState, name: str, data: dict[str, str | None], waited_s: int | None, moment: Moment
) -> tuple[CallState, Facts]:
    """Closes the hold by one fact, after what was last said is settled."""
    waited = waited_by_now_s(state, moment) if waited_s is None else waited_s
    state, facts = (settle if name in PUT_AGAIN else part)(stop(state), moment)
    state = replace(state, waited_s=waited, left=name, served=None)
    return state, (*facts, Fact(name, {**data, "waited_s": waited}))


def _ended_with_agent(result: str) -> Facts:
    return (Fact("agent_ended", {"result": result.strip().lower()[:40]}),)


def _then(facts: Facts, step: Step) -> Step:
    return replace(step, facts=(*facts, *step.facts))
