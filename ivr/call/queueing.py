"""The line for agents: which one, joining it, and what an agent should know."""

from typing import Any

from ivr.call.facts import Fact
from ivr.call.moment import Moment
from ivr.call.plan import Leaf, Plan, Queue
from ivr.call.prompts import Hold
from ivr.call.state import CallState, Stage
from ivr.call.values import replace


def leaf_of(state: CallState, plan: Plan) -> Leaf | None:
    """The leaf the caller chose, None without one or where the plan has it no longer."""
    found = plan.leaves().get(state.leaf) if state.leaf else None
    return found[1] if found else None


def queue_of(state: CallState, plan: Plan) -> Queue:
    """The caller's queue; the default one where there is none."""
    return plan.queues.get(state.queue or "") or plan.queues[plan.default_queue]


def closed_why(queue: Queue, moment: Moment) -> str | None:
    """Why nobody answers this queue now; None where somebody does."""
    return "no_agent" if queue.name in moment.closed_queues else queue.hours.closed_why(moment.now)


def instead_of(queue: Queue, plan: Plan, moment: Moment) -> Queue | None:
    """The default queue, for who asks for a person where `queue` does not answer. None where that is the same or closed
    too, or partners answer in its place."""
    default = plan.queues[plan.default_queue]
    if queue.overflow_number or queue.name == default.name or closed_why(default, moment) is not None:
        return None
    return default


def join(state: CallState, plan: Plan) -> tuple[CallState, Fact]:
    """The state of a caller who joins the queue now, and the fact."""
    queue = queue_of(state, plan)
    state = replace(
        state, stage=Stage.HOLD, queue=queue.name, waited_s=0, position=None, said_position=None,
        announced_s=None, quoted_until_s=None, served=None, closed_why=None, left=None,
    )  # fmt: skip
    return state, Fact("held", {"queue": queue.name, "leaf": state.leaf, "path": list(state.path)})


def prompt(state: CallState, plan: Plan) -> Hold:
    """The queue itself, with what an agent should know where TaskRouter hands calls out."""
    queue = queue_of(state, plan)
    if queue.workflow_sid:
        return Hold(queue.name, queue.workflow_sid, _task(state, plan))
    return Hold(queue.name, max_size=queue.max_size)


def _task(state: CallState, plan: Plan) -> dict[str, Any]:
    """What is true on joining; what is offered and texted later, the agent reads on the live page."""
    offer = state.offer
    known = {
        "path": list(plan.labels(state.path, state.language)),
        "leaf": state.leaf,
        "language": state.language,
        "transcript": state.transcript,
        "offer": offer.card.title if offer else None,
        "text": offer is not None and offer.texted_ms is not None,
    }
    return {name: value for name, value in known.items() if value}
