"""One source synced: pull its changes into the table of threads, then settle which threads are articles.

A pull commits batch by batch, each with its cursor, so it can break off anywhere and go on. Settling is one
transaction over all threads of the source: judged, doubles folded, articles written and lapsed; or nothing at all, when
the outcome is not to be believed. A pull that ends before it is settled leaves a mark, and the next sync settles. So a
broken source costs at most what it did not bring: the last good articles stay.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import psycopg
import structlog
from psycopg import Connection

from ivr.wiring import Wiring
from models import articles, sources, threads
from models.sources import SourceRow
from models.threads import NewThread, ThreadRow, Verdict
from search.article import Article
from search.records import Defaults, RecordError
from search.sources.cleaning import plain
from search.sources.duplicates import Candidate, fold
from search.sources.fetching import Fetcher
from search.sources.kinds import open_source
from search.sources.source import Batch, Fetch, Gone, Paused, Place, Progress, Raw, Source, SourceError
from search.sources.thread import Thread, article_id, article_of, thread_from
from search.sources.trust import chosen, refusal

log = structlog.get_logger()

LISTED_EVERY = timedelta(days=1)
SETTLED_EVERY = timedelta(days=1)  # though nothing changed: threads grow too old
LONGEST_PAUSE = timedelta(hours=12)  # between tries of a source that fails
LONGEST_REST = timedelta(days=7)  # that a source is let ask for
LEAST_KEPT = 0.7
TOLD_EVERY_S = 1.0
MAX_THREAD_ID = 500
SKIPPED_KEPT = 1000
UNREAD_KEPT = 100  # in the source's row
ANOTHER = "?"  # a version that no thread has
ALIKE_LETTERS = 4000  # of a thread, that its doubles are told by


class NotBelieved(SourceError):
    """The source would leave us with next to nothing: nothing was changed."""


@dataclass
class Synced:
    """What a sync did. `paused` says why it is to go on later, `rest` for how long the source asks to be left alone;
    `skipped` what could not be read."""

    pulled: int = 0
    articles: int = 0
    lapsed: int = 0
    paused: str | None = None
    rest: timedelta | None = None
    skipped: list[str] = field(default_factory=list)


def sync(
    wiring: Wiring,
    name: str,
    *,
    progress: Progress,
    fetch: Fetch | None = None,
    believe: bool = False,
    anew: bool = False,
    whole: bool = False,
) -> Synced:
    """Sync a source now. `believe` takes whatever it says; `anew` reads everything again; `whole` lists everything, as
    is done once a day and for who asks for a sync: so what is gone is seen.

    Raises LookupError for an unknown source and `SourceError` for one that cannot be synced: then its last good
    articles stay, and the reason stands in its row.
    """
    with connection(wiring) as conn, sources.alone(conn, name) as free:
        if not free:
            sources.forget_asked(conn, name)
            raise SourceError("another process is syncing it")
        if anew:
            sources.start_over(conn, name)
        row = known_source(conn, name)
        try:
            told = _telling(conn, wiring, name, progress)
            done = _sync(conn, wiring, row, fetch or fetcher(wiring), told, believe=believe, anew=anew, whole=whole)
        except Exception as error:
            why = f"failed unexpectedly ({type(error).__name__})"
            why = plain(str(error)) if isinstance(error, SourceError) else why
            sources.note_problem(conn, name, why, wiring.clock(), LONGEST_PAUSE)
            if isinstance(error, NotBelieved):
                sources.start_over(conn, name)  # what it said may be wrong in more than the number
            log.warning("source_not_synced", source=name, problem=why)
            raise
    log.info("source_synced", source=name, pulled=done.pulled, articles=done.articles, lapsed=done.lapsed)
    return done


def _telling(conn: Connection, wiring: Wiring, name: str, progress: Progress) -> Progress:
    """Tells the source's row as well, once a second at most: the console shows it."""
    told_at = 0.0

    def told(done: int, of: int | None) -> None:
        nonlocal told_at
        progress(done, of)
        if time.monotonic() - told_at >= TOLD_EVERY_S:
            told_at = time.monotonic()
            sources.note_progress(conn, name, done, of, wiring.clock())

    return told


def connection(wiring: Wiring) -> Connection:
    """One of its own: the pools' statements may not last as long as a sync."""
    return psycopg.connect(wiring.settings.database_url.get_secret_value(), autocommit=True)


def known_source(conn: Connection, name: str) -> SourceRow:
    """The source of that name. Raises LookupError."""
    row = sources.read(conn, name)
    if row is None:
        raise LookupError(f"there is no source {name}: `flask source list` names them")
    return row


def fetcher(wiring: Wiring, stopped: Callable[[], bool] = lambda: False) -> Fetcher:
    """The way to the network, for one pull. It ends with the process that started this one, or when `stopped`."""
    parent = os.getppid()
    return Fetcher(
        f"Offhold/1 (+{wiring.settings.public_base_url})",
        allow_private=wiring.settings.sources_allow_private == "on",
        stopped=lambda: os.getppid() != parent or stopped(),
    )


def opened(row: SourceRow, known: dict[str, str], *, full: bool) -> Source:
    """The source a row describes, with the credentials its environment variable holds. Raises `SourceError`."""
    user, secret = None, None
    if row.credentials:
        held = os.environ.get(row.credentials, "")
        user, _, secret = held.partition(":")
        if not user or not secret:
            raise SourceError(f"the environment variable {row.credentials} does not hold user:key")
    return open_source(row.kind, Place(row.url, user, secret, row.options, known, full))


def _sync(
    conn: Connection,
    wiring: Wiring,
    row: SourceRow,
    fetch: Fetch,
    progress: Progress,
    *,
    believe: bool,
    anew: bool,
    whole: bool,
) -> Synced:
    now = wiring.clock()
    lately = row.listed_at is not None and now - row.listed_at < LISTED_EVERY
    full = whole or row.asked_at is not None or not lately
    known = threads.versions(conn, row.name)
    source = opened(row, dict.fromkeys(known, ANOTHER) if anew else known, full=full)
    done = Synced()
    try:
        for batch in source.changes(row.cursor, fetch, progress):
            _store(conn, row, batch, now, done)
        if full:
            sources.note_listed(conn, row.name, now)  # also where nobody could tell what is gone
    except Paused as paused:
        done.paused = str(paused)
        if paused.after_s is not None:
            done.rest = timedelta(seconds=min(paused.after_s, LONGEST_REST.total_seconds()))
    # A thread that cannot be read is asked for again when all are listed: until then it stands beside the new ones.
    before = () if full and not done.paused else row.unread
    sources.note_unread(conn, row.name, tuple(dict.fromkeys((*before, *done.skipped)))[:UNREAD_KEPT])
    settled_lately = row.synced_at is not None and now - row.synced_at < SETTLED_EVERY
    if done.pulled or row.unsettled or believe or anew or row.problem or not settled_lately:
        settle(conn, row, now, done, believe=believe, rewrite=anew)
        wiring.announce("articles")
    else:
        done.articles = len(articles.of_source(conn, row.name))
    minutes = min(5, row.every_minutes) if done.paused else row.every_minutes
    again = max(now + timedelta(minutes=minutes), wiring.clock() + (done.rest or timedelta()))
    if done.rest and done.paused and not done.pulled:
        sources.note_rest(conn, row.name, done.paused, again)
    else:
        sources.note_synced(conn, row.name, now, again)
    return done


def _store(conn: Connection, row: SourceRow, batch: Batch, now: datetime, done: Synced) -> None:
    """One batch into the table, with its cursor."""
    changed = {change.id: change for change in batch.changes}
    kept = list(cleaned((one for one in changed.values() if isinstance(one, Raw)), row, done))
    gone = [one.id for one in changed.values() if isinstance(one, Gone)]
    done.skipped += map(plain, batch.skipped[: SKIPPED_KEPT - len(done.skipped)])
    with conn.transaction():
        threads.put(conn, row.name, [new for new, _ in kept])
        changes = len(kept) + threads.note_gone(conn, row.name, gone)
        if batch.listing is not None:
            changes += threads.compare(conn, row.name, batch.listing)
            sources.note_listed(conn, row.name, now)
        sources.go_on_from(conn, row.name, batch.cursor, changed=changes > 0)
    done.pulled += changes


def cleaned(given: Iterable[Raw], row: SourceRow, done: Synced) -> Iterator[tuple[NewThread, Thread]]:
    """The threads as they are stored; one that cannot be read is skipped, and what we have of it stays."""
    for raw in given:
        try:
            if not raw.id or len(raw.id) > MAX_THREAD_ID or plain(raw.id) != raw.id:
                raise RecordError("has an id that is none")
            thread = thread_from(raw, Defaults(row.language, row.licence))
        except RecordError as error:
            if len(done.skipped) < SKIPPED_KEPT:
                done.skipped.append(f"{plain(raw.url or raw.id)[:100]} {error}")
            continue
        version = plain(raw.version)[:200]
        new = NewThread(raw.id, article_id(row.name, raw.id), version, thread.as_json(), thread.content_hash())
        yield new, thread


def settle(
    conn: Connection, row: SourceRow, now: datetime, done: Synced, *, believe: bool = False, rewrite: bool = False
) -> None:
    """Make of the source's threads the articles they are now, in one transaction. Raises `NotBelieved`.

    Only what changed since it was last written is written, unless `rewrite`.
    """
    with conn.transaction():
        sources.note_settled(conn, row.name)
        verdicts = _judged(threads.stream(conn, row.name), row, now)
        wanted = [one.id for one in verdicts.values() if one.refusal is None and one.folded_into is None]
        before = len(articles.of_source(conn, row.name))
        after = len(set(wanted) - set(articles.withdrawn_of_source(conn, row.name)))
        if not believe and before and after < LEAST_KEPT * before:
            raise NotBelieved(
                f"only {after} of {before} articles would be left: not believed, nothing was changed."
                f" If it is true: flask source sync {row.name} --believe"
            )
        _write(conn, row, verdicts, lambda: threads.stream(conn, row.name), rewrite=rewrite)
        kept = [identity for identity in wanted if verdicts[identity].refusal is None]
        done.lapsed = articles.lapse_others(conn, row.name, kept)
        articles.bring_back(conn, row.name, kept)
        threads.judge(conn, row.name, [one.verdict() for one in verdicts.values()])
        threads.forget_gone(conn, row.name)
        done.articles = len(articles.of_source(conn, row.name))


def settle_these(conn: Connection, row: SourceRow, article_ids: Sequence[str], now: datetime) -> None:
    """Make of some threads the articles they are now, within the caller's transaction, which holds the source's row
    (`sources.note_unsettled`). The whole is settled by the next sync, which also folds doubles."""
    verdicts = _judged(threads.some(conn, row.name, article_ids), row, now)
    _write(conn, row, verdicts, lambda: threads.some(conn, row.name, article_ids), rewrite=False)
    kept = [one.id for one in verdicts.values() if one.refusal is None and one.folded_into is None]
    articles.lapse(conn, [identity for identity in verdicts if identity not in kept])
    articles.bring_back(conn, row.name, kept)
    threads.judge(conn, row.name, [one.verdict() for one in verdicts.values()])


@dataclass
class _Judged:
    id: str  # of the article
    thread_id: str
    refusal: str | None
    written_hash: str | None
    folded_into: str | None = None

    def verdict(self) -> Verdict:
        return Verdict(self.thread_id, self.refusal, self.folded_into, self.written_hash)


def _judged(rows: Iterable[ThreadRow], row: SourceRow, now: datetime) -> dict[str, _Judged]:
    """article id -> what the rules and the doubles among the threads make of it."""
    max_age = timedelta(days=row.max_age_days) if row.max_age_days else None
    verdicts: dict[str, _Judged] = {}
    candidates: list[Candidate] = []
    for stored in rows:
        thread = Thread.from_json(stored.thread)
        why = refusal(thread, row.trust, approved=stored.approved, max_age=max_age, now=now)
        verdicts[stored.article_id] = _Judged(stored.article_id, stored.id, why, stored.written_hash)
        if why is None:
            candidates.append(_candidate(stored.article_id, thread))
    for double, kept in fold(candidates).items():
        verdicts[double].folded_into = kept
    return verdicts


def _candidate(identity: str, thread: Thread) -> Candidate:
    answer = chosen(thread)
    words = "\n".join((thread.title, thread.question, answer.text if answer else ""))
    changed = datetime.fromisoformat(thread.changed) if thread.changed else None
    accepted = any(reply.accepted for reply in thread.replies)
    return Candidate(identity, words[:ALIKE_LETTERS], accepted, thread.votes, changed)


def _write(
    conn: Connection,
    row: SourceRow,
    verdicts: dict[str, _Judged],
    rows: Callable[[], Iterable[ThreadRow]],
    *,
    rewrite: bool,
) -> None:
    """The articles that are another than the ones last written. One whose text is unfit gets its refusal here."""
    dates: list[tuple[str, datetime | None, datetime | None]] = []

    def changed() -> Iterator[Article]:
        for stored in rows():
            judged = verdicts[stored.article_id]
            digest = _digest(stored, row)
            if judged.refusal or judged.folded_into or (judged.written_hash == digest and not rewrite):
                continue
            thread = Thread.from_json(stored.thread)
            answer = chosen(thread)
            try:
                assert answer is not None  # refused as "no answer"
                article = article_of(thread, stored.article_id, answer, name_authors=row.name_authors)
            except RecordError:
                judged.refusal = "unfit"
                continue
            judged.written_hash = digest
            dates.append((stored.article_id, _time(thread.created), _time(thread.changed)))
            yield article

    articles.upsert_many(conn, changed(), row.name)
    articles.note_dates(conn, dates)


def _time(at: str | None) -> datetime | None:
    return datetime.fromisoformat(at) if at else None


def _digest(stored: ThreadRow, row: SourceRow) -> str:
    return hashlib.sha256(json.dumps([stored.thread, row.name_authors], sort_keys=True).encode()).hexdigest()
