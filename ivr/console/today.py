"""Today: who is in the line, what callers did with offers and texts since midnight, and whether every part works."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from psycopg import Connection

from ivr import ready
from ivr.call.plan import Plan
from ivr.console import switches
from ivr.console.errors import Sentence, sentence
from ivr.console.switches import Switch
from ivr.wiring import Wiring
from models import incidents, indexes, today
from models.incidents import Incident
from models.today import Waiting

LONGEST_CALL = timedelta(hours=4)  # the worker closes what it hears no more of by then
HEARD_WITHIN = timedelta(minutes=3)  # a call that goes on is heard of more often
IN_MENUS = ("menu", "describe", "returning", "closed")
#: what is counted since midnight
COUNTED = ("offered", "accepted", "sent", "delivered", "clicked", "said_solved")
SHOWN_CALLERS = 12
STUCK_AFTER = timedelta(minutes=1)
WORKER_SILENT_S = 60


@dataclass(frozen=True)
class Line:
    """One queue now. `waits` are the longest ones, in seconds with the place in the queue; `closed`: by hand or why."""

    queue: str
    waiting: int
    waits: tuple[tuple[int, int | None], ...]
    closed: str | None

    @property
    def longest_s(self) -> int:
        """The longest wait."""
        return self.waits[0][0] if self.waits else 0


@dataclass(frozen=True)
class Part:
    """One part of the installation. `state`: good, warn or bad; `detail` is for whoever mends it, in the system's own
    words."""

    name: Sentence
    state: str
    words: Sentence
    detail: str = ""


@dataclass(frozen=True)
class Now:
    """What Today shows. `since` is midnight of the site's zone."""

    at: datetime
    since: datetime
    in_menus: int
    lines: tuple[Line, ...]
    counts: dict[str, int]
    parts: tuple[Part, ...]
    warnings: tuple[Sentence, ...]


@dataclass(frozen=True)
class Controls:
    """The switches and the incidents of now."""

    switches: tuple[Switch, ...]
    incidents: tuple[Incident, ...]
    leaves: Mapping[str, str]  # what the menu calls them, by id


def now(wiring: Wiring) -> Now:
    """Everything Today tells, as of this moment."""
    problems = ready.problems(wiring)  # takes connections of its own: none is held meanwhile
    with wiring.pool.connection() as conn:
        plan, at = live_plan(conn, wiring), wiring.clock()
        since = midnight(at, plan)
        began, heard = at - LONGEST_CALL, at - HEARD_WITHIN
        return Now(
            at=at,
            since=since,
            in_menus=today.count_in(conn, IN_MENUS, began=began, heard=heard),
            lines=_lines(wiring, conn, plan, today.waiting(conn, began=began, heard=heard), at),
            counts=today.count_facts(conn, COUNTED, since, test=wiring.development_account),
            parts=tuple(_parts(conn, problems, at)),
            warnings=tuple(_warnings(conn, plan, at)),
        )


def controls(conn: Connection, wiring: Wiring, language: str) -> Controls:
    """What a manager may pull, as it stands. Leaves are called as in `language`."""
    plan = live_plan(conn, wiring)
    current = incidents.current(conn, wiring.clock())
    return Controls(tuple(switches.standing(conn, plan)), tuple(current), leaf_names(plan, language))


def live_plan(conn: Connection, wiring: Wiring) -> Plan | None:
    """The plan that new calls get, None before the first one."""
    try:
        return wiring.plans.live(conn)
    except LookupError:
        return None


def leaf_names(plan: Plan | None, language: str) -> dict[str, str]:
    """By leaf id: "Internet › slow Internet"."""
    if plan is None:
        return {}
    return {leaf: " › ".join(plan.labels(path, language)) for leaf, (path, _) in plan.leaves().items()}


def midnight(at: datetime, plan: Plan | None) -> datetime:
    """When the day began in the zone of the plan's default queue."""
    zone = ZoneInfo(plan.queues[plan.default_queue].hours.zone) if plan else UTC
    return at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _lines(
    wiring: Wiring, conn: Connection, plan: Plan | None, waiting: list[Waiting], at: datetime
) -> tuple[Line, ...]:
    """Every queue of the plan, and any other in which somebody waits."""
    closed = wiring.queues.now(conn).closed
    queues = dict(plan.queues) if plan else {}
    found = []
    for name in [*queues, *sorted({one.queue for one in waiting} - set(queues))]:
        here = sorted(
            (
                (one.waited_s + round((at - one.at).total_seconds()), one.position)
                for one in waiting
                if one.queue == name
            ),
            key=lambda wait: -wait[0],
        )
        why = "switch" if name in closed else queues[name].hours.closed_why(at) if name in queues else None
        found.append(Line(name, len(here), tuple(here[:SHOWN_CALLERS]), why))
    return tuple(found)


# ---- health


_NAMES = {
    "postgresql": sentence("Database"),
    "redis": sentence("Live board"),
    "migrations": sentence("Tables"),
    "plan": sentence("Menu"),
    "index": sentence("Search"),
}
_WELL = {
    "postgresql": sentence("It answers."),
    "redis": sentence("It answers."),
    "migrations": sentence("They are those of this release."),
    "plan": sentence("One is published."),
}
_AMISS = {
    "postgresql": sentence("It does not answer as it should: calls hear music and are put into the default queue."),
    "redis": sentence("It is away. Calls go on; switches take up to five seconds to be felt."),
    "migrations": sentence("They are of another release: run flask release."),
    "plan": sentence("None is published, so no call can be led anywhere."),
    "index": sentence("No index is loaded: only pinned articles are offered."),
}


def _parts(conn: Connection, problems: Mapping[str, str | None], at: datetime) -> Iterator[Part]:
    for name, problem in problems.items():
        if problem:
            state = "warn" if name in {*ready.LOSABLE, "index"} else "bad"
            yield Part(_NAMES[name], state, _AMISS[name], problem)
        else:
            yield Part(_NAMES[name], "good", _index(conn, at) if name == "index" else _WELL[name])
    yield _worker(conn)
    yield _texts(conn, at)
    yield _phone(conn, at)


def _index(conn: Connection, at: datetime) -> Sentence:
    live = indexes.current(conn)
    if live is None:
        return sentence("An index is loaded.")
    return sentence("%(n)s articles, built %(ago)s.", n=live.article_count, ago=_ago(at - live.built_at))


def _ago(since: timedelta) -> Sentence:
    """Of an age, in the unit that has two of it."""
    minutes = round(since.total_seconds() / 60)
    if minutes < 2:
        return sentence("just now")
    if minutes < 120:
        return sentence("%(minutes)s minutes ago", minutes=minutes)
    if minutes < 48 * 60:
        return sentence("%(hours)s hours ago", hours=round(minutes / 60))
    return sentence("%(days)s days ago", days=round(minutes / 60 / 24))


def _worker(conn: Connection) -> Part:
    seen_s = today.worker_seen_s(conn)
    if seen_s is None or seen_s > WORKER_SILENT_S:
        words = sentence("None gives a sign of life: texts are not sent until one runs.")
        return Part(sentence("Worker"), "bad", words, "flask worker")
    return Part(sentence("Worker"), "good", sentence("It gave a sign of life %(s)s seconds ago.", s=round(seen_s)))


def _texts(conn: Connection, at: datetime) -> Part:
    found, name = today.texts(conn, at - STUCK_AFTER), sentence("Texts")
    if found.stuck:
        return Part(name, "bad", sentence("%(n)s should have gone more than a minute ago.", n=found.stuck))
    if found.in_doubt:
        words = sentence("%(n)s in doubt: the carrier is asked whether it took them.", n=found.in_doubt)
        return Part(name, "warn", words)
    return Part(name, "good", sentence("None waits."))


def _phone(conn: Connection, at: datetime) -> Part:
    name, latest = sentence("Phone company"), today.latest_fact_at(conn)
    if latest is None:
        words = sentence("It never called here. See what flask doctor says of the public address and the number.")
        return Part(name, "warn", words)
    return Part(name, "good", sentence("Heard of %(ago)s.", ago=_ago(at - latest)))


# ---- what a manager should know


def _warnings(conn: Connection, plan: Plan | None, at: datetime) -> Iterator[Sentence]:
    if plan is None:
        return
    if plan.offers.stopped:
        yield sentence("The menu itself stops all offers (offers: stopped: true).")
    known = plan.leaves()
    pins = [(leaf.id, one) for _, leaf in known.values() for ids in leaf.pinned.values() for one in ids]
    states = today.states_of(conn, sorted({article for _, article in pins}))
    for leaf, article in pins:
        if states.get(article) != "live":
            yield _gone_pin(leaf, article, states.get(article))
    for incident in incidents.current(conn, at):
        gone = [leaf for leaf in incident.leaves or () if leaf not in known]
        if gone:
            yield sentence(
                "Incident %(number)s concerns a leaf the menu does not have: %(leaf)s.",
                number=incident.id,
                leaf=gone[0],
            )


def _gone_pin(leaf: str, article: str, state: str | None) -> Sentence:
    if state is None:
        return sentence(
            "Leaf %(leaf)s pins article %(article)s, which is not there: no offer.", leaf=leaf, article=article
        )
    return sentence("Leaf %(leaf)s pins article %(article)s, which is withdrawn: no offer.", leaf=leaf, article=article)
