"""The review queue: threads that only their source's trust rule keeps from callers, and what people say of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import Connection
from psycopg.errors import LockNotAvailable

from ivr.call.effects import Search
from ivr.call.joining import search_at
from ivr.call.plan import Plan
from ivr.console import callers
from ivr.console.actors import Actor
from ivr.console.articles import answer_hash, as_article
from ivr.console.errors import Missing, Sentence, Wrong, sentence
from ivr.menu_paths import query_of
from ivr.syncing import settle_these
from ivr.wiring import Wiring
from models import articles, audit, edits, sources, studies, threads
from models.studies import Outcome, Study
from models.threads import Decided
from search.article import Article
from search.bundle import Evidence
from search.finder import Finder
from search.fresh import Fresh
from search.result import Match, NoMatch
from search.sources.thread import Thread

REVIEW = "review"  # the kind of study
#: refusals whose place an approval takes
REASONS: Mapping[str, Sentence] = {
    "not approved": sentence("nobody approved it yet"),
    "no accepted answer": sentence("no accepted answer"),
    "not solved": sentence("not solved"),
}
ON_A_PAGE = 20
DECIDED_SHOWN = 100
MOST_AT_ONCE = 200
LATELY = timedelta(days=28)
MOST_CALLS = 20_000  # the latest that are looked through
MOST_THREADS = 2_000  # that are tried on them
ENCODED_AT_ONCE = 100
_LOCK_WAIT = "3s"


@dataclass(frozen=True, slots=True)
class Line:
    """One of the queue. `article` None: its text is unfit. `short`: what callers would hear; `edited` by people."""

    article_id: str
    source: str
    reason: Sentence
    calls: int
    thread: Thread
    article: Article | None
    short: str | None
    edited: bool
    seen: str  # the words' hash: a decision is about these


@dataclass(frozen=True)
class Queue:
    """A page of the queue. `after`: where the next begins; `counted`: when and on how many calls and threads the
    numbers of calls rest, None: never."""

    lines: tuple[Line, ...]
    after: tuple[int, str] | None
    waiting: Mapping[str, int]  # by source
    by_reason: Mapping[str, int]
    counted: Study | None
    counting: Study | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a decision: the articles it was for, and how many threads had changed before it."""

    done: tuple[str, ...]
    changed: int


# ---- looking


def queue(conn: Connection, source: str, reason: str, after: tuple[int, str] | None, limit: int = ON_A_PAGE) -> Queue:
    """A page of what waits (of a source and for a reason, "" for any), by the calls it would serve."""
    counted, newest = studies.latest(conn, REVIEW, state="done"), studies.latest(conn, REVIEW)
    served: dict[str, int] = (counted.told or {}).get("served", {}) if counted else {}
    reasons = [reason] if reason in REASONS else list(REASONS)
    rows = threads.waiting(conn, reasons, source, served, after, limit + 1)
    edited = edits.read_many(conn, [row.article_id for row in rows])
    lines = tuple(_line(row, edited.get(row.article_id)) for row in rows[:limit])
    last = rows[limit - 1] if len(rows) > limit else None
    by_source: Counter[str] = Counter()
    by_reason: Counter[str] = Counter()
    for name, why, count in threads.count_waiting(conn, list(REASONS)):
        by_source[name] += count
        by_reason[why] += count
    return Queue(
        lines,
        (last.calls, last.article_id) if last else None,
        by_source,
        by_reason,
        counted,
        newest if newest and newest.is_open else None,
    )


def one(conn: Connection, article_id: str) -> Line:
    """One thread that waits. Raises Missing where there is none, or it waits no more."""
    row = threads.waiting_one(conn, article_id)
    if row is None or row.refusal not in REASONS:
        raise Missing(f"no thread {article_id} waits")
    return _line(row, edits.read(conn, article_id))


def _line(row: threads.Waiting, edit: edits.Edit | None) -> Line:
    thread = Thread.from_json(row.thread)
    article = as_article(thread, row.article_id)
    holds = edit is not None and article is not None and edit.answer_hash == answer_hash(article)
    short = article.short if article else None
    if edit is not None and holds:
        short = edit.short or short
    reason = REASONS.get(row.refusal, Sentence(row.refusal))
    return Line(row.article_id, row.source, reason, row.calls, thread, article, short, holds, row.content_hash)


def decided(conn: Connection) -> list[Decided]:
    """What was decided last."""
    return threads.decided(conn, DECIDED_SHOWN)


# ---- deciding


def decide(conn: Connection, wiring: Wiring, by: Actor, how: str, seen: Mapping[str, str], why: str = "") -> Decision:
    """Say yes ("approve") or no ("refuse") to threads, or take that back ("undo"): effective on the next turn.

    `seen`: article id -> the hash of the words somebody had before them; threads that changed since are left as they
    are. Raises Wrong.
    """
    if how not in ("approve", "refuse", "undo"):
        raise Wrong({"": sentence("Choose what to do with them.")})
    if not seen:
        raise Wrong({"": sentence("Tick at least one.")})
    if len(seen) > MOST_AT_ONCE:
        raise Wrong({"": sentence("At most %(most)s at once.", most=MOST_AT_ONCE)})
    if len(why) > 300:
        raise Wrong({"why": sentence("At most %(most)s letters, please.", most=300)})
    try:
        with conn.transaction():
            done = _decide(conn, wiring, by, how, seen, why)
    except LockNotAvailable:
        raise Wrong({"": sentence("A sync is writing its articles just now. Try again in a moment.")}) from None
    wiring.announce("articles")
    return Decision(tuple(done), len(seen) - len(done))


def _decide(conn: Connection, wiring: Wiring, by: Actor, how: str, seen: Mapping[str, str], why: str) -> list[str]:
    """In one transaction: the sources' rows first, so that no sync settles meanwhile by what was before."""
    now = wiring.clock()
    conn.execute(f"SET LOCAL lock_timeout = '{_LOCK_WAIT}'")
    for name in threads.sources_of(conn, seen):
        sources.note_unsettled(conn, name)
    of = threads.decide(conn, how, seen, by.name, now)
    for name in sorted(set(of.values())):
        row = sources.read(conn, name)
        assert row is not None  # its row is held
        settle_these(conn, row, [identity for identity, source in of.items() if source == name], now)
    for identity in sorted(of):
        audit.note(
            conn,
            who=by.key,
            what=f"thread.{how}",
            on=f"article {identity}",
            after={"words": seen[identity][:12], "state": articles.state(conn, identity)},
            why=why.strip(),
            at=now,
        )
    return sorted(of)


# ---- counting the calls they would serve


def ask(conn: Connection, wiring: Wiring, by: Actor) -> int:
    """Have the calls counted anew; gives the study's id."""
    return studies.ask(conn, REVIEW, by.name, wiring.clock(), calls=MOST_CALLS)


def count_calls(wiring: Wiring, conn: Connection, study: Study) -> Outcome:
    """Try the waiting threads on the calls of late: which would the search have chosen, at the place and by the words
    of each call, had all of them been approved? What changed since the index was built is not among their rivals.
    Raises LookupError before the first publication."""
    finder, encoder, plan = wiring.finders.current(), wiring.encoder, wiring.plans.live(conn)
    told: dict[str, object] = {"calls": 0, "threads": 0, "served": {}, "left": 0}
    if finder is None or encoder is None:
        return Outcome(plan.version, None, told | {"problem": "no_index"}, b"", None)
    waiting = threads.waiting(conn, list(REASONS), "", {}, None, MOST_THREADS + 1)
    made = [it for row in waiting[:MOST_THREADS] if (it := as_article(Thread.from_json(row.thread), row.article_id))]
    fresh = Fresh(finder.bundle, encoder)
    for place, article in enumerate(made):
        fresh.put(article, answer_hash(article), Evidence())
        if place % ENCODED_AT_ONCE == 0:
            studies.progress(conn, study, place, len(made), wiring.clock())
    recorded = _lately(callers.recorded(conn, wiring, study.calls), wiring.clock())
    leaves = plan.leaves()
    searches = Counter(one for call in recorded if (one := _search(call, plan, leaves)) is not None)
    told |= {"calls": sum(searches.values()), "threads": len(made), "left": max(0, len(waiting) - MOST_THREADS)}
    if made and searches:
        trying = finder.with_delta(fresh.delta())
        told["served"] = dict(_served(wiring, trying, searches, {one.id for one in made}))
    return Outcome(plan.version, finder.version, told, b"", None)


def _lately(everyone: list[callers.Caller], now: datetime) -> list[callers.Caller]:
    return [one for one in everyone if one.call.started_at >= now - LATELY]


def _search(caller: callers.Caller, plan: Plan, leaves: Mapping[str, callers.End]) -> Search | None:
    end = callers.end_in(plan, leaves, caller.call)
    if end is None or end[1] is None:
        return None
    found = search_at(end[1], end[0], caller.words, caller.call.language, plan)
    return found if isinstance(found, Search) and not found.pinned else None


def _served(wiring: Wiring, finder: Finder, searches: Mapping[Search, int], ids: set[str]) -> Counter[str]:
    served: Counter[str] = Counter()
    asked = {search: query_of(search) for search in searches}
    ranked = finder.rank_all(asked.values())
    for search, query in asked.items():
        ranking = ranked[query]
        if isinstance(ranking, NoMatch):
            continue
        answer = finder.judged(ranking, search.wrong_share, wiring.unanswerable)
        if isinstance(answer, Match) and answer.article_id in ids:
            served[answer.article_id] += searches[search]
    return served


def ids_of(picked: Sequence[str]) -> dict[str, str]:
    """What was ticked: "ID HASH" each. What is none is left out."""
    pairs = [one.partition(" ") for one in picked]
    return {identity: words for identity, sign, words in pairs if identity and sign and words}
