"""Sources of articles at the console: how each does, adding one, trying it, syncing it now, pausing and removing it."""

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from psycopg import Connection

from ivr.console.actors import Actor
from ivr.console.errors import Missing, Sentence, Wrong, sentence
from ivr.console.switches import wrong_why
from ivr.syncing import Synced, cleaned, fetcher, opened
from ivr.wiring import Wiring
from models import articles, audit, sources, threads
from models.sources import SourceRow
from search.sources.cleaning import plain
from search.sources.kinds import KINDS, LOCAL, open_source
from search.sources.source import Paused, Place, Progress, Raw, SourceError
from search.sources.trust import RULES, refusal

#: those a browser may name: files of the server are named at its terminal only
WEB_KINDS = tuple(kind for kind in KINDS if kind not in LOCAL)
CREDENTIALS = re.compile(r"SOURCE_[A-Z0-9_]{1,60}")
NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,29}")
LANGUAGE = re.compile(r"[a-z]{2,3}")
LEAST_MINUTES, MOST_MINUTES = 5, 10_080
MOST_DAYS = 36_500
SHOWN = 10
TRIAL_S = 25.0  # a try from a page; one from the terminal takes what it takes
_TRIALS = threading.BoundedSemaphore(2)  # at once in one process: the others are for pages and calls

#: why a thread is none that callers get, by `search.sources.trust.REFUSALS` and "double"
REASONS: Mapping[str, Sentence] = {
    "hidden": sentence("hidden, or not for everybody"),
    "closed": sentence("closed"),
    "no answer": sentence("no answer"),
    "too old": sentence("too old"),
    "not approved": sentence("nobody approved it yet"),
    "no accepted answer": sentence("no accepted answer"),
    "not solved": sentence("not solved"),
    "disputed": sentence("later replies say it does not work"),
    "unfit": sentence("its text cannot be an article"),
    "double": sentence("says the same as another"),
}
RULE_WORDS: Mapping[str, Sentence] = {
    "approved": sentence("only those somebody approves here"),
    "accepted": sentence("those with an accepted answer"),
    "solved": sentence("any that was solved"),
}


@dataclass(frozen=True)
class View:
    """One source as it is now. `state`: waiting (for the worker), reading, paused, broken, new, or well."""

    row: SourceRow
    state: str
    articles: int
    left_out: tuple[tuple[Sentence, int], ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """A thread of a trial. `why`: what keeps it from callers (`search.sources.trust.REFUSALS`); None: nothing does."""

    article_id: str
    title: str
    language: str
    why: str | None

    @property
    def refusal(self) -> Sentence | None:
        """The same in words."""
        return REASONS[self.why] if self.why else None


@dataclass(frozen=True)
class Trial:
    """What the beginning of a source has. `slow`: something was read, no whole batch in time."""

    threads: tuple[Tried, ...]
    read: int
    skipped: tuple[str, ...]
    slow: bool = False


@dataclass(frozen=True)
class Wanted:
    """A source as somebody typed it."""

    kind: str
    url: str
    name: str
    trust: str
    max_age_days: str = ""
    language: str = "en"
    licence: str = ""
    name_authors: bool = False
    every_minutes: str = "15"
    credentials: str = ""
    options: str = ""  # NAME=VALUE, one a line
    may_name_keys: bool = False  # a key goes to whatever address stands beside it
    why: str = ""


# ---- looking


def everything(conn: Connection) -> list[View]:
    """All sources by name."""
    busy, counts = sources.being_synced(conn), sources.live_articles(conn)
    return [_view(conn, row, row.name in busy, counts.get(row.name, 0)) for row in sources.list_all(conn)]


def one(conn: Connection, name: str) -> View:
    """One source. Raises Missing."""
    row = _known(conn, name)
    return _view(conn, row, name in sources.being_synced(conn), sources.live_articles(conn).get(name, 0))


def _known(conn: Connection, name: str) -> SourceRow:
    row = sources.read(conn, name)
    if row is None:
        raise Missing(f"there is no source {name}")
    return row


def _view(conn: Connection, row: SourceRow, busy: bool, count: int) -> View:
    state = "well" if row.synced_at else "new"
    if busy:
        state = "reading"
    elif row.asked_at is not None:
        state = "waiting"
    elif row.problem:
        state = "broken"
    elif row.paused:
        state = "paused"
    reasons = threads.refusals(conn, row.name)
    return View(row, state, count, tuple((REASONS.get(why, Sentence(why)), number) for why, number in reasons))


# ---- trying and adding


def row_from(wiring: Wiring, wanted: Wanted) -> SourceRow:
    """The source that is described. Raises Wrong."""
    problems: dict[str, Sentence | str] = {}
    if wanted.kind not in WEB_KINDS:
        problems["kind"] = sentence("Choose what it is.")
    if urlsplit_host(wanted.url) is None:
        problems["url"] = sentence("A web address that begins with https:// or http://, please.")
    name = wanted.name or name_from(wanted.url)
    if not NAME.fullmatch(name):
        problems["name"] = sentence("1 to 30 small letters, digits, dots or hyphens.")
    if wanted.trust not in RULES:
        problems["trust"] = sentence("Choose which threads callers may get.")
    if not LANGUAGE.fullmatch(wanted.language):
        problems["language"] = sentence("A code of two or three small letters, like en.")
    if len(wanted.licence) > 200:
        problems["licence"] = sentence("At most %(most)s letters, please.", most=200)
    if wanted.credentials and not wanted.may_name_keys:
        problems["credentials"] = sentence("Only an administrator may name a key: it is sent to the address above.")
    elif wanted.credentials and not CREDENTIALS.fullmatch(wanted.credentials):
        problems["credentials"] = sentence("The name of an environment variable that begins with SOURCE_.")
    every = _number(wanted.every_minutes, LEAST_MINUTES, MOST_MINUTES)
    if every is None:
        problems["every_minutes"] = sentence(
            "A number from %(least)s to %(most)s.", least=LEAST_MINUTES, most=MOST_MINUTES
        )
    days = _number(wanted.max_age_days, 1, MOST_DAYS) if wanted.max_age_days else None
    if wanted.max_age_days and days is None:
        problems["max_age_days"] = sentence("A number from %(least)s to %(most)s.", least=1, most=MOST_DAYS)
    options = _options(wanted.options)
    if options is None:
        problems["options"] = sentence("One NAME=VALUE a line.")
    if problems or options is None or every is None:
        raise Wrong(problems)
    try:
        open_source(wanted.kind, Place(wanted.url, options=options))
    except SourceError as error:
        raise Wrong({"url": str(error)}) from None
    return SourceRow(
        name=name,
        kind=wanted.kind,
        url=wanted.url,
        options=options,
        credentials=wanted.credentials or None,
        trust=wanted.trust,
        max_age_days=days,
        language=wanted.language,
        licence=wanted.licence,
        name_authors=wanted.name_authors,
        every_minutes=every,
        next_at=wiring.clock(),
    )


def urlsplit_host(url: str) -> str | None:
    """The host of a web address; None when it is none."""
    try:
        parts = urlsplit(url)
        return parts.hostname if parts.scheme in ("http", "https") and len(url) <= 2000 else None
    except ValueError:
        return None


def name_from(url: str) -> str:
    """The name of a source that was given none: its host, or its file."""
    base = urlsplit_host(url) or Path(url[:200]).stem
    return re.sub(r"[^a-z0-9.-]+", "-", base.lower().removeprefix("www.")).strip(".-")[:30] or "source"


def _number(typed: str, least: int, most: int) -> int | None:
    return int(typed) if re.fullmatch(r"[0-9]{1,6}", typed) and least <= int(typed) <= most else None


def _options(typed: str) -> dict[str, str] | None:
    pairs = [line.strip().partition("=") for line in typed.splitlines() if line.strip()]
    if len(pairs) > 20 or any(not key.strip() or not sign or len(value) > 500 for key, sign, value in pairs):
        return None
    return {key.strip(): value.strip() for key, _, value in pairs}


def try_out(wiring: Wiring, row: SourceRow) -> Trial:
    """Read the beginning of a source and tell what would become of it; changes nothing. Raises Wrong."""
    if not _TRIALS.acquire(blocking=False):
        raise Wrong({"": sentence("Two sources are being tried already. Try again in a moment.")})
    try:
        return trial(wiring, row, TRIAL_S)
    except SourceError as error:
        raise Wrong({"url": sentence("It cannot be read: %(why)s", why=Sentence(str(error)))}) from None
    finally:
        _TRIALS.release()


def trial(
    wiring: Wiring, row: SourceRow, seconds: float | None = None, told: Progress = lambda done, of: None
) -> Trial:
    """As `try_out`, in as many seconds. Raises SourceError."""
    ends, seen = time.monotonic() + seconds if seconds else None, 0

    def read(done: int, of: int | None) -> None:
        nonlocal seen
        seen = done
        told(done, of)

    fetch = fetcher(wiring, stopped=lambda: ends is not None and time.monotonic() > ends)
    source = opened(row, {}, full=False)
    try:
        batch = next(iter(source.changes(None, fetch, read)), None)
    except Paused:
        if not seen:
            raise
        return Trial((), seen, (), slow=True)
    if batch is None:
        raise SourceError("there is nothing in it")
    done = Synced()
    raws = islice((change for change in batch.changes if isinstance(change, Raw)), SHOWN)
    found = []
    for new, thread in cleaned(raws, row, done):
        why = refusal(thread, row.trust, approved=False, max_age=None, now=wiring.clock())
        found.append(Tried(new.article_id, thread.title, thread.language, why))
    return Trial(tuple(found), len(batch.changes), tuple(map(plain, (*done.skipped, *batch.skipped)[:SHOWN])))


def add(conn: Connection, wiring: Wiring, by: Actor, row: SourceRow, why: str) -> None:
    """Keep a source and have it synced. Try it before. Raises Wrong."""
    problems = wrong_why(why.strip())
    if not problems and articles.of_source(conn, row.name):
        problems["name"] = _taken(row.name)
    if problems:
        raise Wrong(problems)
    with conn.transaction():
        if not sources.add(conn, row):
            raise Wrong({"name": _taken(row.name)})
        _note(conn, wiring, by, "source.add", row.name, None, _told(row), why)


def _taken(name: str) -> Sentence:
    return sentence("The name %(name)s is taken: choose another.", name=name)


def _told(row: SourceRow) -> dict[str, object]:
    told = row._asdict()
    kept = (
        "kind",
        "url",
        "credentials",
        "trust",
        "max_age_days",
        "language",
        "licence",
        "name_authors",
        "every_minutes",
    )
    return {name: told[name] for name in kept} | {"options": dict(row.options)}


# ---- what is done with one


def sync_now(conn: Connection, wiring: Wiring, by: Actor, name: str) -> None:
    """Have a source synced by the worker within seconds. Raises Missing."""
    _known(conn, name)
    with conn.transaction():
        sources.ask(conn, name, wiring.clock())
        _note(conn, wiring, by, "source.sync", name, None, None, "")


def pause(conn: Connection, wiring: Wiring, by: Actor, name: str, *, paused: bool, why: str) -> None:
    """Sync a source by itself no more, or again; its articles stay. Raises Missing, Wrong."""
    _known(conn, name)
    if problems := wrong_why(why.strip()):
        raise Wrong(problems)
    with conn.transaction():
        if sources.pause(conn, name, paused=paused):
            what = "source.pause" if paused else "source.resume"
            _note(conn, wiring, by, what, name, {"paused": not paused}, {"paused": paused}, why)


def remove(conn: Connection, wiring: Wiring, by: Actor, name: str, why: str) -> int:
    """Forget a source and offer none of its articles any more; how many lapsed. Raises Missing, Wrong."""
    row = _known(conn, name)
    if problems := wrong_why(why.strip()):
        raise Wrong(problems)
    with sources.alone(conn, name) as free:
        if not free:
            raise Wrong({"": sentence("%(name)s is being synced: try again when that is done.", name=name)})
        with conn.transaction():
            lapsed = articles.lapse_others(conn, name, [])
            sources.remove(conn, name)
            _note(conn, wiring, by, "source.remove", name, _told(row), {"lapsed": lapsed}, why)
    wiring.announce("articles")
    return lapsed


def _note(
    conn: Connection, wiring: Wiring, by: Actor, what: str, name: str, before: object, after: object, why: str
) -> None:
    at = wiring.clock()
    audit.note(conn, who=by.key, what=what, on=f"source {name}", before=before, after=after, why=why.strip(), at=at)
