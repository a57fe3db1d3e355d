"""Stopping the offers, of one queue or of all, and letting them go on."""

from dataclasses import dataclass

from psycopg import Connection

from ivr.call.plan import Plan
from ivr.console.actors import Actor
from ivr.console.errors import Sentence, Wrong, sentence
from ivr.wiring import Wiring
from models import audit, switches
from models.switches import ALL, Pull

LONGEST_WHY = 300


@dataclass(frozen=True)
class Switch:
    """One switch as it stands. `queue` is ALL for the big one; `pull` None: never touched."""

    queue: str
    pull: Pull | None

    @property
    def stopped(self) -> bool:
        """Whether offers are stopped by it."""
        return self.pull is not None and self.pull.stopped


def standing(conn: Connection, plan: Plan | None) -> list[Switch]:
    """The big switch first, then one per queue of the plan; one of a queue that is gone only while it is pulled."""
    pulls = switches.standing(conn)
    queues = [ALL, *(plan.queues if plan else ())]
    gone = [queue for queue, pull in pulls.items() if pull.stopped and queue not in queues]
    return [Switch(queue, pulls.get(queue)) for queue in queues + gone]


def pull(conn: Connection, wiring: Wiring, by: Actor, queue: str, *, stopped: bool, why: str) -> None:
    """Stop offers or let them go on: felt on the next turn of every call. Raises Wrong."""
    why = why.strip()
    problems = wrong_why(why)
    if queue != ALL and queue not in wiring.plans.live(conn).queues and queue not in switches.stopped(conn):
        problems["queue"] = sentence("There is no queue '%(queue)s'.", queue=queue[:64])
    if problems:
        raise Wrong(problems)
    now = wiring.clock()
    with conn.transaction():
        before = switches.pull(conn, queue, stopped=stopped, who=by.name, why=why, at=now)
        audit.note(
            conn,
            who=by.key,
            what="offers.stop" if stopped else "offers.start",
            on=f"queue {queue}" if queue else "all queues",
            before={"stopped": before is not None and before.stopped},
            after={"stopped": stopped},
            why=why,
            at=now,
        )
    wiring.announce("switches")


def wrong_why(why: str) -> dict[str, Sentence | str]:
    """What is wrong with a reason."""
    if not why:
        return {"why": sentence("Say why: it stands in the audit log.")}
    if len(why) > LONGEST_WHY:
        return {"why": sentence("At most %(most)s letters, please.", most=LONGEST_WHY)}
    return {}
