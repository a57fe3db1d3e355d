"""Months of callers through facts, PostgreSQL and settlement, which have to give what they give in memory."""

import hashlib
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from psycopg import Connection
from rich.console import Console
from rich.progress import track

from bench import bulk
from bench.bulk import Made, Place
from bench.savings_callers import ARTICLES, HARMS, HELPS, LINE_S, MONDAY, NOTHING, Lived, Month, month
from bench.savings_months import NAMES, cells, lived, needed, summaries, tallies
from config.settings import load
from ivr.jobs.settle_ledger import settle_ledger
from ivr.jobs.summarize import summarize_calls
from ivr.ledger.baselines import Baseline, Handled, HeldOut, baselines, bin_of, haircut
from ivr.ledger.books import MICRO
from ivr.ledger.estimate import Arms, Cell, incremental
from ivr.ledger.guardrails import Tally
from ivr.ledger.outcomes import WINDOW, Kind, judge
from ivr.stores import Stores
from ivr.wiring import Wiring, build
from models import articles, cohorts, contacts, ledger
from models import summaries as rows_of_calls
from models.cohorts import Period
from models.contacts import NewContact
from models.migrate import upgrade
from search.article import Answer, Article

MONTHS = 30
DAYS = 28
CALLERS = 250
LAWS = (HELPS, NOTHING, HARMS)
HALF_FOR = 6  # months, then a tenth is held out
CONFIRMED = (Kind.CONFIRMED_EXPLICIT, Kind.CONFIRMED_INFERRED)
CHANNEL = "desk"
EXPERIMENT = "savings"
SETTLED = datetime(MONDAY.year, MONDAY.month, MONDAY.day, tzinfo=UTC) + timedelta(days=60)


def months(seed: int, count: int) -> list[Month]:
    """Months on end, the last of them ending on MONDAY."""
    return [
        month(
            np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1000, n))),
            LAWS[n % len(LAWS)],
            callers=CALLERS,
            shares=((0, 0.5 if n < HALF_FOR else 0.1),),
            days=DAYS,
            monday=MONDAY - timedelta(days=DAYS * (count - n)),
        )
        for n in range(count)
    ]


@dataclass(frozen=True)
class Story:
    """A caller of a month, by number, as facts tell."""

    one: Month
    did: Lived
    n: int

    @property
    def sid(self) -> str:
        """The call's."""
        return f"CA{self.key[:32]}"

    @property
    def key(self) -> str:
        """The caller's."""
        return hashlib.sha256(f"{self.one.monday}:{self.n}".encode()).hexdigest()

    def at(self, seconds: float) -> datetime:
        """So long after the call began."""
        return self.one.began + timedelta(seconds=float(self.one.began_s[self.n])) + timedelta(seconds=float(seconds))

    def calls(self) -> Iterator[Made]:
        """The call, and the one after it."""
        keyed = self.key if self.one.keyed[self.n] else None
        first = Made(self.sid, keyed, "en", self.at(0), False, self.place)
        self._exposed(first)
        yield first
        back_s = float(self.did.next_call_s[self.n])
        if back_s < np.inf:
            again = Made(f"CB{self.key[:32]}", keyed, "en", self.at(back_s), False, self.place)
            self._again(again, back_s)
            yield again

    @property
    def place(self) -> Place:
        """Where the caller holds."""
        name = NAMES[self.one.queue[self.n]]
        return Place(name, (name,), name)

    def _begin(self, call: Made, at: datetime) -> None:
        place = self.place
        call.tell("call_started", at, caller="mobile" if call.key else "withheld", returning=False, test=False)
        call.tell("held", at, queue=place.queue, leaf=place.leaf, path=list(place.path))

    def _exposed(self, call: Made) -> None:
        one, did, n = self.one, self.did, self.n
        offer_s, article = float(one.offer_s[n]), f"a{one.article[n]}"
        arm, share = ("holdout", one.share[n]) if one.held_out[n] else ("treat", 1 - one.share[n])
        self._begin(call, self.at(0))
        call.tell("eligible", self.at(offer_s), article=article, position=5, waited_s=int(offer_s))
        at = self.at(offer_s)
        call.tell("assigned", at, arm=arm, probability=float(share), experiment=EXPERIMENT, forced=False)
        if did.asked[n]:
            call.tell("offered", self.at(offer_s + LINE_S), article=article, n=1)
        if did.accepted[n]:
            self._text(call, article, offer_s + LINE_S)
        self._over(call, float(did.left_s[n]), float(did.agent_s[n]), gone=bool(did.gone[n]))

    def _text(self, call: Made, article: str, at_s: float) -> None:
        did, n, text = self.did, self.n, f"t{self.key[:31]}"
        call.tell("accepted", self.at(at_s), article=article, key="1", by="key")
        call.tell("text_queued", self.at(at_s), text_id=text, article=article, segments=1)
        call.tell("sent", self.at(did.text_s[n]), text_id=text, message_sid=f"SM{text}")
        end = "delivered" if did.delivered[n] else "undelivered"
        call.tell(end, self.at(did.text_s[n] + 4), text_id=text)
        if did.scanned[n]:
            call.tell("link_scanned", self.at(did.text_s[n] + 5), text_id=text, why="early")
        for name, when in (
            ("clicked", did.clicked_s), ("said_solved", did.said_solved_s), ("said_not", did.said_not_s),
        ):  # fmt: skip
            if when[n] < np.inf:
                call.tell(name, self.at(when[n]), text_id=text, article=article)
        if did.opted_out[n]:
            call.tell("opted_out", self.at(did.text_s[n] + 60), by="text")

    def _again(self, call: Made, back_s: float) -> None:
        agent_s = float(self.did.next_agent_s[self.n])
        self._begin(call, self.at(back_s))
        answered = agent_s < np.inf
        left_s = agent_s if answered else back_s + 60
        self._over(call, left_s, float(self.did.next_agent_for_s[self.n]), gone=not answered)

    def _over(self, call: Made, left_s: float, spoken_s: float, *, gone: bool) -> None:
        name = "hung_up_in_queue" if gone else "agent_connected"
        waited_s = int((self.at(left_s) - call.started_at).total_seconds())
        call.tell(name, self.at(left_s), queue=self.place.queue, waited_s=waited_s)
        over = self.at(left_s) + timedelta(seconds=0 if gone else spoken_s)
        if not gone:
            call.tell("agent_ended", over, result="bridged")
        call.ended_at = over
        call.tell("call_ended", over, status="completed", duration_s=int((over - call.started_at).total_seconds()))


def write(conn: Connection, one: Month, did: Lived) -> int:
    """A month's calls, and its contacts by another channel; how many calls."""
    stories = [Story(one, did, n) for n in range(one.callers)]
    calls = [call for story in stories for call in story.calls()]
    with conn.transaction(), conn.cursor() as cursor:
        bulk._write(cursor, calls, str.encode)
    others = [
        NewContact(story.key, story.at(did.next_other_s[story.n]), "")
        for story in stories
        if did.next_other_s[story.n] < np.inf and one.keyed[story.n]
    ]
    number = contacts.begin(conn, CHANNEL, "bench", "bench", one.began)
    contacts.add(conn, number, CHANNEL, others)
    return len(calls)


class Differ:
    """What PostgreSQL's books say beside what memory does."""

    def __init__(self, conn: Connection, played: Sequence[tuple[Month, Lived]]) -> None:
        self.conn, self.played = conn, played
        self.found: list[str] = []

    def check(self, what: str, stored: Any, made: Any) -> None:
        """Note a difference."""
        if stored != made:
            self.found.append(f"{what}: {stored!r:.200} in PostgreSQL, {made!r:.200} in memory")

    def all(self) -> list[str]:
        """Every month."""
        known = self._known()
        for one, did in self.played:
            until = one.began + timedelta(days=DAYS)
            period = Period(one.began, until, "UTC", WINDOW, EXPERIMENT)
            everybody = np.ones(one.callers, dtype=bool)
            stored = [Cell(*row) for row in cohorts.cells(self.conn, period)]
            made = cells(one, did, everybody, spoken=True)
            self.check(f"cells of {one.monday}", sorted(stored), sorted(made))
            figures = [incremental(Arms.of(rows), live=False) for rows in (stored, made)]
            self.check(f"estimate of {one.monday}", *figures)
            treated = ~one.held_out & did.delivered & did.gone
            self.check(f"naive of {one.monday}", cohorts.delivered_and_gone(self.conn, period), int(treated.sum()))
            looked = [Tally(*row) for row in cohorts.tallies(self.conn, period, until)]
            self.check(f"tallies of {one.monday}", looked, sorted(self._tallies(one, did)))
            self._ledger(one, did, known)
        return self.found

    def _tallies(self, one: Month, did: Lived) -> list[Tally]:
        return tallies(one, did, DAYS + 8, np.ones(ARTICLES, dtype=bool))

    def _ledger(self, one: Month, did: Lived, known: dict[date, dict[tuple[str, int], Baseline]]) -> None:
        """Each outcome and each posting of a saving."""
        for row, later, held_s in summaries(one, did):
            sid = Story(one, did, int(row.call_sid)).sid
            outcome = judge(row, later, WINDOW, SETTLED)
            stored = rows_of_calls.read(self.conn, sid)
            self.check(f"outcome of {sid}", stored and stored["outcome"], outcome.kind)
            day = row.started_at.date()
            share = haircut(day, known[day], row.queue or "", held_s).share
            left = MICRO - (MICRO if share is None else share)
            booked = [
                (posting.kind, posting.contacts)
                for posting in ledger.of_call(self.conn, sid)
                if posting.kind in (*CONFIRMED, Kind.LATE_REVERSAL)
            ]
            due = [(str(outcome.kind), left)] if outcome.kind in CONFIRMED else []
            if outcome.kind is Kind.LATE_REVERSAL and outcome.was is not None:
                due = [(str(outcome.was.kind), left), (str(outcome.kind), -left)]
            self.check(f"postings of {sid}", booked, due)

    def _known(self) -> dict[date, dict[tuple[str, int], Baseline]]:
        """The haircuts of every day, by what memory knows of the holdout."""
        counts: defaultdict[tuple[date, str, int], list[int]] = defaultdict(lambda: [0, 0])
        days = set()
        for one, did in self.played:
            gave_up = did.gone & ~needed(did)
            for n in np.flatnonzero(one.keyed):
                day = Story(one, did, int(n)).at(0).date()
                days.add(day)
                if one.held_out[n]:
                    row = counts[day, NAMES[one.queue[n]], bin_of(float(one.offer_s[n]))]
                    row[0] += 1
                    row[1] += int(gave_up[n])
        held_out = [HeldOut(*key, row[0], row[1]) for key, row in counts.items()]
        handled: list[Handled] = []  # minutes are not compared
        return {day: {(one.queue, one.bin): one for one in baselines(day, held_out, handled, WINDOW)} for day in days}


def _settle(wiring: Wiring, conn: Connection) -> None:
    """Make the rows, note the other channel's contacts, and settle."""
    summarize_calls(wiring)
    others = conn.execute("SELECT caller_key, at FROM contacts").fetchall()
    rows_of_calls.note_contacts(conn, others, SETTLED)
    summarize_calls(wiring)
    settle_ledger(wiring)


def through_books(seed: int, count: int, console: Console) -> list[str]:
    """Play months through PostgreSQL; what differs."""
    played = [(one, lived(one)) for one in months(seed, count)]
    with tempfile.TemporaryDirectory(prefix="offhold-savings-") as folder, Stores(Path(folder), valkey=False) as stores:
        assert stores.postgres is not None
        stores.postgres.create_database("savings")
        url = stores.database_url("savings")
        upgrade(url)
        given = {"DATABASE_URL": url, "REDIS_URL": "redis://127.0.0.1:1/0", "DATA_DIR": folder}
        wiring = build(load(given, dotenv=None), clock=lambda: SETTLED, name="bench", pool_size=2)
        wiring.development_account = False
        with psycopg.connect(url, autocommit=True) as conn:
            articles.upsert_many(conn, [_article(n) for n in range(ARTICLES)], "bench")
            conn.execute("UPDATE articles SET updated_at = '2000-01-01'")
            calls = sum(
                write(conn, one, did)
                for one, did in track(played, "months into facts", console=console, transient=True)
            )
            _settle(wiring, conn)
            found = Differ(conn, played).all()
        wiring.close()
    callers = sum(one.callers for one, _ in played)
    console.print(
        f"{count} months through facts, PostgreSQL and settlement: {callers:,} exposed callers, {calls:,} calls; "
        + (f"{len(found)} differences from memory" if found else "cells, estimates, outcomes and postings as in memory")
    )
    return [f"the books differ: {one}" for one in found[:5]]


def _article(n: int) -> Article:
    return Article(f"a{n}", f"Article {n}", "How?", answers=(Answer("So.", accepted=True),))
