"""One call as one row: what became of it, from its facts in any order. docs/decisions/0040 says why."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

#: A visit, or words, so long after a text count as its use (measurement: "within 24 h of the text").
USED_WITHIN = timedelta(hours=24)
SHORTEST_CONTACT_S = 10  # a shorter call is no contact
EXITS = frozenset(
    ("hung_up_in_queue", "agent_connected", "left_by_choice", "redirected", "queue_full", "queue_failed")
)  # how a hold ends
#: facts an outcome may rest on; the ledger's entries name their ids
EVIDENCE = (
    "call_started", "held", "eligible", "assigned", "offered", "accepted", "delivered", "clicked", "heard",
    "steps_sent", "said_solved", "said_not", "rejoined", "agent_connected", "hung_up_in_queue", "call_ended",
)  # fmt: skip
NAMES_ARTICLE = frozenset(("eligible", "offered", "offer_cut", "accepted"))  # in the order of the offers
USES = ("heard", "clicked", "steps_sent", "said_solved")
QUESTIONS = frozenset(("found", "nothing"))  # kinds of `replied` that ask something anew


class Fact(Protocol):
    """A fact as stored."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def data(self) -> Mapping[str, Any]: ...
    @property
    def plan_version(self) -> int | None: ...
    @property
    def index_version(self) -> str | None: ...


class Caller(NamedTuple):
    """What a call's own row knows and its facts do not say."""

    call_sid: str
    caller_key: str | None
    language: str
    test: bool
    started_at: datetime
    queue: str | None
    leaf: str | None


class Offered(NamedTuple):
    """What a caller did with one article."""

    article: str
    offered: bool  # false: only the first of a holdout caller, who hears of none, and what was cut off
    taken: bool
    heard: bool
    opened: bool
    solved: bool
    not_solved: bool


class Summary(NamedTuple):
    """One call. Times are aware; a time that is None never came. Counts of texts are of links; `_s` are seconds."""

    call_sid: str
    started_at: datetime
    ended_at: datetime | None
    duration_s: int | None
    contact: bool  # whether it counts as somebody trying to reach us: not under SHORTEST_CONTACT_S
    caller_key: str | None
    caller: str | None  # mobile, landline ... as call_started says
    came_back: bool  # within the time a return is recognised
    language: str
    test: bool
    plan_version: int | None
    index_version: str | None
    path: tuple[str, ...]
    leaf: str | None
    queue: str | None
    described: int  # sentences said
    found: str | None  # the article the finder allowed
    refusal: str | None  # why it allowed none
    held_at: datetime | None
    position: int | None  # the first one known
    waited_s: int | None  # in queues, all of the call
    eligible_at: datetime | None
    arm: str | None
    probability: float | None
    experiment: str | None
    forced: bool  # the arm was not drawn
    article: str | None  # offered first; of a holdout caller the one that would have been
    further: str | None  # offered second
    offered_at: datetime | None
    offer_refusal: str | None
    accepted_at: datetime | None
    declined_at: datetime | None
    heard_at: datetime | None
    texts: int
    segments: int
    sent: int
    delivered: int
    failed: int
    delivered_at: datetime | None
    opened_at: datetime | None  # by a person
    scanned: bool
    used_at: datetime | None  # what the ledger may credit: see `_used`
    solved_at: datetime | None
    not_at: datetime | None
    asked_at: datetime | None  # a question by text about something else
    opted_out: bool
    follow_ups: int
    follow_up_segments: int
    reply_segments: int
    hung_up_at: datetime | None  # in the queue, and no agent had the call
    agent_at: datetime | None
    agent_s: int | None
    left_how: str | None  # the last of EXITS
    rejoined: bool
    closed: str | None  # why nobody could answer
    overflowed: bool
    offers: tuple[Offered, ...]
    facts: int
    evidence: Mapping[str, int]  # fact -> id, the first of each; of `delivered` and `clicked` those of `used_at`


class _Told:
    """The facts of one call by name, in the order they were written, each once."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self.all: list[Fact] = sorted({fact.id: fact for fact in facts}.values(), key=_id)
        self._by: defaultdict[str, list[Fact]] = defaultdict(list)
        for fact in self.all:
            self._by[fact.name].append(fact)

    def of(self, name: str) -> Sequence[Fact]:
        return self._by.get(name, ())

    def any_of(self, names: Iterable[str]) -> bool:
        return any(name in self._by for name in names)

    def links(self, name: str) -> Sequence[Fact]:
        """Those about a text with a link, not about a "did it help?"."""
        return [fact for fact in self._by.get(name, ()) if "kind" not in fact.data]

    def first(self, name: str) -> Fact | None:
        found = self._by.get(name)
        return found[0] if found else None

    def last(self, *names: str) -> Fact | None:
        found = [self._by[name][-1] for name in names if name in self._by]
        return max(found, key=_id, default=None)

    def at(self, name: str) -> datetime | None:
        found = self._by.get(name)
        return min(fact.at for fact in found) if found else None

    def says(self, name: str, key: str) -> Any:
        """What the first fact of a name says; None when there is none."""
        found = self._by.get(name)
        return found[0].data.get(key) if found else None


def _id(fact: Fact) -> int:
    return fact.id


def summarize(caller: Caller, facts: Iterable[Fact]) -> Summary:
    """One call as one row. The same for the same facts in whatever order and however often they are given."""
    told = _Told(facts)
    held, assigned, ended = told.last("held"), told.first("assigned"), told.first("call_ended")
    duration_s = ended.data.get("duration_s") if ended else None
    used_at, rests_on = _used(told)
    offers = _offers(told)
    agent_at = told.at("agent_connected")
    left = told.last(*EXITS)
    gone = None if agent_at or left is None or left.name != "hung_up_in_queue" else left.at
    link_texts = told.links("text_queued")
    asked = _question(told, gone)
    return Summary(
        call_sid=caller.call_sid,
        started_at=told.at("call_started") or caller.started_at,
        ended_at=ended.at if ended else None,
        duration_s=duration_s,
        contact=duration_s is None or duration_s >= SHORTEST_CONTACT_S,
        caller_key=caller.caller_key,
        caller=told.says("call_started", "caller"),
        came_back=bool(told.says("call_started", "returning")),
        language=caller.language,
        test=caller.test,
        plan_version=next((fact.plan_version for fact in told.all if fact.plan_version), None),
        index_version=next((fact.index_version for fact in told.all if fact.index_version), None),
        path=_path(told, held),
        leaf=held.data.get("leaf") if held else caller.leaf,
        queue=held.data.get("queue") if held else caller.queue,
        described=len(told.of("described")),
        found=told.says("match_found", "article"),
        refusal=told.says("match_refused", "reason"),
        held_at=told.at("held"),
        position=_position(told),
        waited_s=_waited_s(told),
        eligible_at=told.at("eligible"),
        arm=assigned.data.get("arm") if assigned else None,
        probability=assigned.data.get("probability") if assigned else None,
        experiment=assigned.data.get("experiment") if assigned else None,
        forced=bool(assigned and assigned.data.get("forced")),
        article=offers[0].article if offers else None,
        further=offers[1].article if len(offers) > 1 else None,
        offered_at=told.at("offered"),
        offer_refusal=told.says("offer_refused", "reason"),
        accepted_at=told.at("accepted"),
        declined_at=told.at("declined"),
        heard_at=told.at("heard"),
        texts=len(link_texts),
        segments=_segments(link_texts),
        sent=len(told.links("sent")),
        delivered=len(told.links("delivered")),
        failed=sum(len(told.links(name)) for name in ("send_failed", "undelivered", "text_expired")),
        delivered_at=min((fact.at for fact in told.links("delivered")), default=None),
        opened_at=told.at("clicked"),
        scanned=bool(told.of("link_scanned")),
        used_at=used_at,
        solved_at=told.at("said_solved"),
        not_at=told.at("said_not"),
        asked_at=asked.at if asked else None,
        opted_out=bool(told.of("opted_out")),
        follow_ups=sum(fact.data.get("kind") == "follow_up" for fact in told.of("sent")),
        follow_up_segments=_follow_up_segments(told),
        reply_segments=_segments(told.of("replied")),
        hung_up_at=gone,
        agent_at=agent_at,
        agent_s=_agent_s(told, agent_at, ended),
        left_how="agent_connected" if agent_at else left.name if left else None,
        rejoined=bool(told.of("rejoined")),
        closed=told.says("closed", "why"),
        overflowed=bool(told.of("overflowed")),
        offers=offers,
        facts=len(told.all),
        evidence=_evidence(told) | rests_on | ({"replied": asked.id} if asked else {}),
    )


def _path(told: _Told, held: Fact | None) -> tuple[str, ...]:
    chosen = held or told.last("menu_chosen")
    return tuple(chosen.data.get("path") or ()) if chosen else ()


def _position(told: _Told) -> int | None:
    known = [fact.data.get("position") for name in ("announced", "eligible") for fact in told.of(name)[:1]]
    return next((position for position in known if position is not None), None)


def _waited_s(told: _Told) -> int | None:
    """All holds of the call. An agent's answer told late follows a hang-up that has its wait already."""
    exits = (fact.data for name in EXITS for fact in told.of(name))
    waits = [data["waited_s"] for data in exits if not data.get("late") and data.get("waited_s") is not None]
    return sum(waits) if waits else None


def _agent_s(told: _Told, agent_at: datetime | None, ended: Fact | None) -> int | None:
    over = told.at("agent_ended") or (ended.at if ended else None)
    return max(0, round((over - agent_at).total_seconds())) if agent_at and over else None


def _question(told: _Told, gone: datetime | None) -> Fact | None:
    """The first question by text; while holding it is part of the call."""
    asked = (fact for fact in told.of("replied") if fact.data.get("kind") in QUESTIONS)
    return min((fact for fact in asked if gone is None or fact.at > gone), key=lambda fact: fact.at, default=None)


def _evidence(told: _Told) -> dict[str, int]:
    return {name: first.id for name in EVIDENCE if (first := told.first(name))}


def _segments(facts: Iterable[Fact]) -> int:
    return sum(fact.data.get("segments") or 0 for fact in facts)


def _follow_up_segments(told: _Told) -> int:
    """Of the follow-ups that were sent, most are not."""
    sent = {fact.data.get("text_id") for fact in told.of("sent")}
    return _segments(fact for fact in told.of("follow_up_queued") if fact.data.get("text_id") in sent)


def _articles(told: _Told) -> dict[Any, str]:
    """text id -> its article."""
    return {fact.data.get("text_id"): fact.data["article"] for fact in told.of("text_queued") if "article" in fact.data}


def _used(told: _Told) -> tuple[datetime | None, dict[str, int]]:
    """When the caller first used an article so that it may be credited, and the facts that show it.

    The short version heard to its end before the hang-up; or, of a text that was delivered, within USED_WITHIN of it: a
    visit by a person, the steps asked for by reply, or a reply that it solved the problem (who says so has read it).
    """
    if not told.any_of(USES):
        return None, {}
    queued = {fact.data.get("text_id"): fact.at for fact in told.links("text_queued")}
    begun = queued | {fact.data.get("text_id"): fact.at for fact in told.links("sent")}
    delivered = {fact.data.get("text_id"): fact.id for fact in told.links("delivered")}
    left = told.last(*EXITS)
    gone = left if left is not None and left.name == "hung_up_in_queue" else None
    uses: list[tuple[datetime, int, dict[str, int]]] = [
        (fact.at, fact.id, {"heard": fact.id})
        for fact in told.of("heard")
        if gone is None or fact.at <= gone.at or fact.id < gone.id  # clocks of two machines differ a little
    ]
    for name in USES[1:]:
        for fact in told.of(name):
            text = fact.data.get("text_id")
            if text in delivered and text in begun and fact.at - begun[text] < USED_WITHIN:
                uses.append((fact.at, fact.id, {name: fact.id, "delivered": delivered[text]}))
    if not uses:
        return None, {}
    at, _, rests_on = min(uses, key=lambda use: use[:2])
    return at, rests_on


def _offers(told: _Told) -> tuple[Offered, ...]:
    """Each article the call was about, in the order of the offers."""
    named = (fact.data.get("article") for fact in told.all if fact.name in NAMES_ARTICLE)
    order = dict.fromkeys(article for article in named if article)
    if not order:
        return ()
    by_text = _articles(told)

    def about(name: str) -> set[str | None]:
        return {fact.data.get("article") or by_text.get(fact.data.get("text_id")) for fact in told.of(name)}

    offered, taken, heard = about("offered"), about("accepted"), about("heard")
    opened, solved, not_solved = about("clicked"), about("said_solved"), about("said_not")
    return tuple(
        Offered(one, one in offered, one in taken, one in heard, one in opened, one in solved, one in not_solved)
        for one in order
    )
