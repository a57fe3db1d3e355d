"""Which threads callers may get: pure rules over what a thread shows. Silence is better than a wrong answer."""

from datetime import datetime, timedelta

from search.sources.disputed import disputed
from search.sources.thread import Reply, Thread

#: only threads somebody approved; those with an accepted answer; any that was solved
RULES = ("approved", "accepted", "solved")
REFUSALS = (
    "hidden",
    "closed",
    "no answer",
    "too old",
    "not approved",
    "no accepted answer",
    "not solved",
    "disputed",
    "unfit",  # its text cannot be an article
)


def chosen(thread: Thread) -> Reply | None:
    """The answer to be trusted: the accepted one, or else the one with the most votes, the earliest of equals."""
    accepted = next((reply for reply in thread.replies if reply.accepted), None)
    return accepted or max(thread.replies, key=lambda reply: reply.votes, default=None)


def refusal(thread: Thread, rule: str, *, approved: bool, max_age: timedelta | None, now: datetime) -> str | None:
    """Why callers may not get this thread, one of REFUSALS, or None. An approval takes the place of the rule only."""
    answer = chosen(thread)
    if thread.hidden:
        return "hidden"
    if thread.closed:
        return "closed"
    if answer is None:
        return "no answer"
    if max_age is not None and thread.changed and datetime.fromisoformat(thread.changed) < now - max_age:
        return "too old"
    if not approved and rule == "approved":
        return "not approved"
    if not approved and rule == "accepted" and not answer.accepted:
        return "no accepted answer"
    if not approved and rule == "solved" and not thread.solved:
        return "not solved"
    place = next(place for place, reply in enumerate(thread.replies) if reply is answer)
    return "disputed" if disputed([reply.text for reply in thread.replies[place + 1 :]]) else None
