"""What a busy installation holds, made once and kept: a million facts of calls, thousands of articles, drafts, studies,
books. Its clock stands still at `NOW`, so that it is the same day whenever it is looked at."""

import contextlib
import hashlib
import itertools
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from psycopg import Connection

from bench import bulk
from bench.ledger import CARD
from bench.rehearsal import one_leaf
from config.settings import Settings, load
from ivr import months, release, statements
from ivr import wiring as wirings
from ivr.console import incidents, mapping, menus, rehearsal, reviews, tokens
from ivr.console.actors import Actor
from ivr.console.roles import Staff
from ivr.jobs import settle_ledger, summarize
from ivr.jobs.keep_estimates import keep_estimates
from ivr.ledger.periods import Wish
from ivr.stores import Stores
from ivr.studies_cli import work_off
from ivr.syncing import Synced, known_source, settle
from ivr.wiring import Wiring
from models import (
    articles,
    audit,
    contacts,
    erase,
    hooks,
    indexes,
    plans,
    rates,
    recordings,
    sources,
    staff,
    studies,
    threads,
)
from search.importing import ImportReport, read_articles
from search.sources.thread import Reply, Thread

NOW = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
DAYS = 387  # of calls, since the last of October last year: a year of closed months, October still open, November
FACTS_A_CALL = 11.8
SHARE_TODAY = 0.02  # of the calls: eight times an ordinary day
CLOSED = [date(2025 + n // 12, n % 12 + 1, 1) for n in range(9, 21)]
ON_HOLD = 300
ARTICLES, THREADS, NOTES = 8000, 2000, 5000
WHO = Actor("bench", "bench")
FILLED = "filled.json"
STAFF = "bench@lumora.example"


@contextlib.contextmanager
def opened(folder: Path, facts: int) -> Iterator[Wiring]:
    """The installation in a folder, filled first if it is not yet."""
    port = "8000"
    env = {**os.environ, "DATA_DIR": str(folder), "PORT": port, "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}"}
    settings = load(env, dotenv=None)
    with Stores(folder):
        wiring = _wiring(settings)
        try:
            if not (folder / FILLED).is_file():
                fill(wiring, facts)
                (folder / FILLED).write_text(json.dumps({"facts": facts}))
            elif (held := json.loads((folder / FILLED).read_text())["facts"]) != facts:
                raise SystemExit(f"{folder} holds {held} facts: name another folder, or remove it")
            wiring.load()
            yield wiring
        finally:
            wiring.close()


def _wiring(settings: Settings) -> Wiring:
    built = wirings.build(settings, clock=lambda: NOW, name="bench", pool_size=4)
    built.development_account = False
    return built


def fill(wiring: Wiring, facts: int) -> None:
    """Everything, each part with the seconds it took."""
    calls = round(facts / FACTS_A_CALL)
    with _told("tables, menu, the starter's articles and index"):
        release.release(wiring)
    with wiring.pool.connection() as conn, erase.unhurried(conn):
        with _told(f"{ARTICLES} articles, {THREADS} threads that wait"):
            _articles(conn, wiring)
        with _told(f"{calls} calls"):
            _calls(conn, wiring, calls)
            conn.execute("ANALYZE")
    with _told("their summaries"):
        summarize.rebuild(wiring)
    with wiring.pool.connection() as conn, erase.unhurried(conn):
        conn.execute(
            "UPDATE summaries_mark SET mark = f, next = f, next_at = %s FROM (SELECT max(id) FROM facts) AS newest (f)",
            (NOW,),
        )
        conn.execute("ANALYZE")
        with _told("the ledger"):
            rates.add(conn, CARD.replace("2026-09-01", "2025-10-01"), "cli:bench", "bench", NOW)
            settle_ledger.settle(wiring, conn)
        with _told(f"{len(CLOSED)} months closed and signed"):
            _close(wiring)
        with _told("the estimates of open months"):
            keep_estimates(wiring)
        with _told("a draft, its rehearsal, the mapping, the count of reviews"):
            wiring.load()
            _studies(conn, wiring)
        with _told("staff, incidents, webhooks, contacts, the audit log"):
            _rest(conn, wiring)
        conn.execute("VACUUM ANALYZE")


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    print(f"{what}: {time.perf_counter() - begun:.0f} s, load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)


def _articles(conn: Connection, wiring: Wiring) -> None:
    """The starter's articles under other ids. They are not indexed: no page searches but by hand."""
    real = list(read_articles(release.STARTER / "articles.jsonl", ImportReport()))
    made = (
        replace(one, id=f"bench-{number}", title=f"{one.title} ({number})")
        for number, one in enumerate(itertools.islice(itertools.cycle(real), ARTICLES))
    )
    articles.upsert_many(conn, made, "bench")
    conn.execute("UPDATE index_versions SET read_at = %s", (indexes.snapshot(conn),))
    sources.add(conn, sources.SourceRow(
        "town", "discourse", "https://town.example", {}, None, "accepted", None, "en", "", False, 15, NOW,
    ))  # fmt: skip
    new = []
    for number, one in enumerate(itertools.islice(itertools.cycle(real), THREADS)):
        replies = tuple(Reply(answer.text, answer.author, answer.votes, False, None) for answer in one.answers)
        thread = Thread(
            title=f"{one.title} {number}", question=one.question, replies=replies, url="", author=one.author,
            licence="", tags=one.tags, language=one.language, created=None, changed=None, closed=False, hidden=False,
            solved=False, votes=0,
        )  # fmt: skip
        new.append(threads.NewThread(str(number), f"town:{number}", "1", thread.as_json(), thread.content_hash()))
    threads.put(conn, "town", new)
    settle(conn, known_source(conn, "town"), wiring.clock(), Synced(), believe=True)


def _calls(conn: Connection, wiring: Wiring, calls: int) -> None:
    today, places = round(calls * SHARE_TODAY), bulk.places()
    bulk.fill(conn, calls - today, until=NOW, days=DAYS, seal=wiring.numbers.seal)
    bulk.fill(conn, today, seed=2, until=NOW, days=17 / 24, seal=wiring.numbers.seal)
    with conn.cursor().copy(
        "COPY calls (call_sid, number, caller_key, language, plan_version, stage, queue, leaf, position, waited_s,"
        " state, reply, started_at, updated_at) FROM STDIN"
    ) as copy:
        for number in range(ON_HOLD):
            place, at = places[number % len(places)], NOW - timedelta(seconds=20 + number)
            head = (f"CA{number:032x}", "+15005550006", f"{number:064x}", "en", 1, "hold", place.queue, place.leaf)
            copy.write_row((*head, number, number, "{}", "", at, NOW - timedelta(seconds=5)))


def _close(wiring: Wiring) -> None:
    with wiring.pool.connection() as conn:
        for month in CLOSED:
            months.close_month(wiring, conn, Wish(month, "cli:auditor", "bench"))
            statements.sign_closed(wiring, conn)


def _studies(conn: Connection, wiring: Wiring) -> None:
    draft_id = menus.begin(conn, wiring, WHO, "bench")
    menus.edit(conn, wiring, WHO, draft_id, 1, one_leaf)
    rehearsal.ask(conn, wiring, WHO, draft_id, 2000)
    mapping.ask(conn, wiring, WHO)
    work_off(wiring)
    asked = reviews.ask(conn, wiring, WHO)
    served = {f"town:{number}": 1 + number % 90 for number in range(0, THREADS, 3)}
    told: dict[str, object] = {"calls": reviews.MOST_CALLS, "threads": THREADS, "served": served, "left": 0}
    claimed = studies.claim(conn, NOW, NOW)
    assert claimed is not None
    assert claimed.id == asked
    studies.finish(conn, claimed, studies.Outcome(1, wiring.finders.version, told, b"", None), NOW)


def _rest(conn: Connection, wiring: Wiring) -> None:
    made_by = staff.add(conn, STAFF, "Bench", "admin", "en", NOW)
    for number in range(50):
        staff.add(conn, f"staff{number}@lumora.example", f"Somebody {number}", "editor", "en", NOW)
    for _ in range(30):
        tokens.make(conn, wiring, Staff(made_by, "Bench", "admin", "en"), name="bench", scopes=["read"], why="")
    with conn.transaction():
        for number in range(NOTES):
            audit.note(conn, who=made_by, what="bench.note", on=f"thing {number}", after={"n": number}, at=NOW)
    plan = wiring.plans.live(conn)
    leaves = sorted(plan.leaves())[:3]
    message = {language.code: "We know of it." for language in plan.languages}
    for hours in (2, 3):
        wanted = incidents.Wanted(message, {}, leaves, NOW + timedelta(hours=hours), "bench")
        incidents.begin(conn, wiring, WHO, wanted)
    for number in range(5):
        hooks.add(conn, f"https://hooks.example/{number}", ["offered"], wiring.numbers.seal("secret"), "bench", NOW)
    imported = contacts.begin(conn, "chat", "bench.csv", "bench", NOW)
    rows = [contacts.NewContact(f"{number:064x}", NOW - timedelta(minutes=number), "") for number in range(20_000)]
    contacts.add(conn, imported, "chat", rows)
    contacts.finish(conn, contacts.Import(imported, "chat", "bench.csv", "bench", NOW, 20_000, 20_000, 0, NOW))
    sound = b"RIFF" + bytes(8000)
    new = recordings.NewRecording(
        hashlib.sha256(sound).hexdigest(), recordings.MUSIC, "", "", "", sound, 1.0, "bench.wav"
    )
    recordings.add(conn, new, "bench", NOW)
    text = plans.yaml(conn, plan.version)
    assert text is not None
    for number in range(20):
        plans.publish(conn, text, "bench", f"the same again {number}", at=NOW)
