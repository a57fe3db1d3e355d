"""Calls in bulk, for tests and benches: facts, calls and transcripts as the service would have left them.

Plausible, not true: callers wait, are offered articles, read them or not, come back or not. The same seed gives the
same calls. `python -m bench.bulk DATABASE_URL CALLS` fills a migrated database.
"""

import hashlib
import itertools
import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection

from ivr.planfile.read import read_plan
from ivr.planfile.store import STARTER

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
DAYS = 28
PAGE = 5000  # calls written at a time
REFUSALS = ("nothing_near", "rival_topics", "transcript_too_poor", "never_offer", "language")
SENTENCES = (
    "the red light is on again",
    "my bill is too high",
    "I was charged twice",
    "no signal at home",
    "wi-fi drops",
)


class Place(NamedTuple):
    """An end of the menu; what is found there and said there, none: made-up ids and a few sentences."""

    leaf: str
    path: tuple[str, ...]
    queue: str
    articles: tuple[str, ...] = ()
    said: tuple[str, ...] = ()


class NewFact(NamedTuple):
    """A fact not yet written."""

    name: str
    at: datetime
    data: dict[str, Any]
    once: str | None = None


@dataclass
class Made:
    """One made call."""

    call_sid: str
    key: str | None
    language: str
    started_at: datetime
    test: bool
    place: Place | None = None
    ended_at: datetime | None = None
    said: str | None = None
    facts: list[NewFact] = field(default_factory=list)

    def tell(self, name: str, at: datetime, once: str | None = None, **data: Any) -> None:
        """One more fact."""
        self.facts.append(NewFact(name, at, data, once))


def places() -> list[Place]:
    """The ends of the starter menu."""
    plan = read_plan(STARTER.read_bytes()).plan
    assert plan is not None
    return [Place(leaf.id, path, leaf.queue) for path, leaf in plan.leaves().values()]


def make(
    calls: int,
    *,
    seed: int = 1,
    until: datetime = UNTIL,
    days: float = DAYS,
    where: Sequence[Place] | None = None,
    test: bool = False,
) -> Iterator[Made]:
    """That many calls in the order they came in, spread over the days before `until`. `test`: as if of the test phone,
    whose calls are what the books hold where there is no carrier's account.
    """
    chance, where = random.Random(seed), where or places()
    starts = sorted(until - timedelta(seconds=chance.uniform(1, days * 86400)) for _ in range(calls))
    known: list[str] = []
    for n, at in enumerate(starts):
        back = bool(known) and chance.random() < 0.12
        key = chance.choice(known[-4000:]) if back else _hash(f"{seed}:caller:{n}")
        known.append(key)
        withheld = chance.random() < 0.04
        call = Made(f"CA{_hash(f'{seed}:call:{n}')[:32]}", None if withheld else key, "", at, test)
        yield _call(chance, call, where)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _call(chance: random.Random, call: Made, where: Sequence[Place]) -> Made:
    call.language, at = "es" if chance.random() < 0.2 else "en", call.started_at
    caller = "mobile" if call.key else "withheld"
    call.tell("call_started", at, caller=caller, returning=False, test=call.test)
    place = where[min(int(chance.expovariate(0.15)), len(where) - 1)]
    at = _menu(chance, call, place, at)
    if chance.random() < 0.05:
        return _over(call, at + timedelta(seconds=2))
    call.place, articles = place, max(1, hash_of(place.leaf) % 8)
    if place.articles:
        articles = len(place.articles)
    if chance.random() < 0.4:
        call.said = chance.choice(place.said) if place.said else f"{chance.choice(SENTENCES)} {chance.randrange(50)}"
        call.tell("described", at, words=len(call.said.split()), confidence=0.9)
    nth = min(int(chance.expovariate(0.7)), articles - 1) if chance.random() < 0.7 else None
    found = None if nth is None else place.articles[nth] if place.articles else f"{place.leaf}-{nth}"
    if found:
        call.tell("match_found", at, article=found, score=0.8, margin=0.2, logit=2.0, how="words", further=0)
    else:
        call.tell("match_refused", at, reason=chance.choice(REFUSALS), score=0.3, logit=-2.0)
    call.tell("held", at, queue=place.queue, leaf=place.leaf, path=list(place.path))
    position = chance.randint(1, 20)
    call.tell("announced", at + timedelta(seconds=4), position=position, low_min=None, high_min=None)
    return _hold(chance, call, place, found, position, at)


def hash_of(text: str) -> int:
    """A number that stays the same from run to run."""
    return int(_hash(text)[:8], 16)


def _menu(chance: random.Random, call: Made, place: Place, at: datetime) -> datetime:
    for depth, choice in enumerate(place.path, 1):
        at += timedelta(seconds=chance.uniform(3, 12))
        by = "speech" if chance.random() < 0.3 else "key"
        call.tell("menu_chosen", at, choice=choice, by=by, path=list(place.path[:depth]))
    return at


def _hold(chance: random.Random, call: Made, place: Place, found: str | None, position: int, held_at: datetime) -> Made:
    wait_s, patience_s = chance.expovariate(1 / 240), chance.expovariate(1 / 600)
    text = None
    if found is None or position < 2:
        call.tell("offer_refused", held_at + timedelta(seconds=15), reason="position" if found else "no_match")
    elif min(wait_s, patience_s) > 30:
        text, patience_s = _offer(chance, call, found, position, held_at + timedelta(seconds=20), patience_s)
    gone = patience_s < wait_s
    waited = int(min(wait_s, patience_s))
    left = held_at + timedelta(seconds=waited)
    name = "hung_up_in_queue" if gone else "agent_connected"
    call.tell(name, left, queue=place.queue, waited_s=waited)
    over = left
    if not gone:
        over = left + timedelta(seconds=chance.lognormvariate(5.5, 0.6))
        call.tell("agent_ended", over, result="bridged")
    if text:
        _afterwards(chance, call, text, found or "", held_at + timedelta(seconds=30), gone=gone)
    return _over(call, over + timedelta(milliseconds=200))


def _offer(
    chance: random.Random, call: Made, article: str, position: int, at: datetime, patience_s: float
) -> tuple[str | None, float]:
    """The text that was asked for, if any, and for how long the caller is patient now."""
    bucket = hash_of(call.key or call.call_sid) % 10_000
    arm = "holdout" if bucket < 1000 else "treat"
    call.tell("eligible", at, article=article, position=position, waited_s=20, expected_s=None)
    share = 0.1 if arm == "holdout" else 0.9
    call.tell("assigned", at, arm=arm, probability=share, bucket=bucket, experiment="bulk", unit="caller", forced=False)
    if arm == "holdout":
        return None, patience_s
    said = at + timedelta(seconds=9)
    answer = chance.random()
    call.tell("offered", said, article=article, wording="offer_text", n=1)
    if answer < 0.35:
        call.tell("accepted", said, article=article, key="1", by="key", ms=8000, after="offer")
        text = _hash(call.call_sid + article)[:32]
        call.tell("text_queued", said, f"text_queued:{text}", text_id=text, article=article, segments=1)
        call.tell("sent", said + timedelta(seconds=1), f"sent:{text}", text_id=text, message_sid=f"SM{text}")
        return text, min(patience_s, 60 + chance.expovariate(1 / 60)) if chance.random() < 0.6 else patience_s
    if answer < 0.45:
        call.tell("heard", said + timedelta(seconds=25), article=article)
    elif answer < 0.7:
        call.tell("declined", said, article=article, key="3", by="key")
    else:
        call.tell("no_input", said + timedelta(seconds=20), article=article)
    return None, patience_s


def _afterwards(chance: random.Random, call: Made, text: str, article: str, at: datetime, *, gone: bool) -> None:
    """What became of a text."""
    if chance.random() < 0.04:
        call.tell("undelivered", at + timedelta(seconds=5), f"undelivered:{text}", text_id=text, code=30006)
        return
    call.tell("delivered", at + timedelta(seconds=4), f"delivered:{text}", text_id=text)
    if chance.random() < 0.1:
        call.tell("link_scanned", at + timedelta(seconds=6), f"link_scanned:{text}:early", text_id=text, why="early")
    if chance.random() < (0.6 if gone else 0.3):
        opened = at + timedelta(seconds=chance.expovariate(1 / 900))
        call.tell("clicked", opened, f"clicked:{text}", text_id=text, how="tap")
        verdict = chance.random()
        if verdict < 0.3:
            name = "said_solved" if verdict < 0.2 else "said_not"
            done = opened + timedelta(minutes=chance.uniform(1, 90))
            call.tell(name, done, f"{name}:{text}", text_id=text, article=article, how="tap")


def _over(call: Made, at: datetime) -> Made:
    call.ended_at = at
    call.tell("call_ended", at, status="completed", duration_s=int((at - call.started_at).total_seconds()))
    return call


def fill(
    conn: Connection,
    calls: int,
    *,
    seed: int = 1,
    until: datetime = UNTIL,
    days: float = DAYS,
    where: Sequence[Place] | None = None,
    test: bool = False,
    seal: Callable[[str], bytes] = str.encode,
) -> int:
    """Write that many calls; how many facts. A page of calls is one transaction, its facts numbered by their time."""
    made, count = make(calls, seed=seed, until=until, days=days, where=where, test=test), 0
    while page := list(itertools.islice(made, PAGE)):
        with conn.transaction(), conn.cursor() as cursor:
            count += _write(cursor, page, seal)
    return count


def _write(cursor: psycopg.Cursor[Any], page: Sequence[Made], seal: Callable[[str], bytes]) -> int:
    with cursor.copy(
        "COPY calls (call_sid, number, caller_key, language, plan_version, test, stage, queue, leaf, state, reply,"
        " started_at, updated_at, ended_at) FROM STDIN"
    ) as copy:
        for call in page:
            queue, leaf = (call.place.queue, call.place.leaf) if call.place else (None, None)
            begun, ended = call.started_at, call.ended_at
            head = (call.call_sid, "+15005550006", call.key, call.language, 1, call.test, "ended", queue, leaf)
            copy.write_row((*head, "{}", "", begun, ended, ended))
    told = sorted(((fact.at, call, fact) for call in page for fact in call.facts), key=lambda one: one[0])
    with cursor.copy("COPY facts (call_sid, name, at, plan_version, index_version, data, once) FROM STDIN") as copy:
        for at, call, fact in told:
            copy.write_row((call.call_sid, fact.name, at, 1, "bulk", json.dumps(fact.data), fact.once))
    with cursor.copy("COPY transcripts (call_sid, turn, sealed, at) FROM STDIN") as copy:
        for call in page:
            if call.said is not None:
                at = next(fact.at for fact in call.facts if fact.name == "described")
                copy.write_row((call.call_sid, 3, seal(call.said), at))
    return len(told)


if __name__ == "__main__":
    with psycopg.connect(sys.argv[1], autocommit=True) as connection:
        print(fill(connection, int(sys.argv[2])), "facts")
