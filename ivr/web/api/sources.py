"""Sources of articles: how each does; tried, synced, paused, removed. One is added by people, at the console."""

from datetime import datetime

from psycopg import Connection
from pydantic import Field

from ivr.console import sources as work
from ivr.console.sources import View
from ivr.web.api.guards import wiring
from ivr.web.api.operations import Group, by
from ivr.web.api.values import All, Done, Given, Reason, Told, Why

sources = Group("sources")


class LeftOut(Told):
    """Why so many of its threads are none that callers get."""

    why: str
    threads: int


class SourceTold(Told):
    """A source as it is now."""

    name: str
    kind: str
    url: str
    trust: str = Field(description="approved, accepted or solved: which threads callers may get")
    max_age_days: int | None
    language: str
    licence: str
    every_minutes: int
    state: str = Field(description="waiting (for the worker), reading, paused, broken, new, or well")
    paused: bool
    problem: str | None
    synced_at: datetime | None
    next_at: datetime
    articles: int = Field(description="that callers may get")
    left_out: list[LeftOut]


class TriedThread(Told):
    """A thread of a trial. `why`: what keeps it from callers; null: nothing does."""

    article: str
    title: str
    language: str
    why: str | None


class TrialTold(Told):
    """What the beginning of a source has. `slow`: no whole batch could be read in time."""

    threads: list[TriedThread]
    read: int
    skipped: list[str]
    slow: bool


class PauseIn(Given):
    """Sync it by itself no more, or again."""

    paused: bool
    why: Why


class Removed(Told):
    """How many of its articles are offered no more."""

    lapsed: int


@sources.operation("GET", "/v1/sources", scope="read", answer=All[SourceTold])
def listed(conn: Connection) -> All[SourceTold]:
    """All sources by name."""
    return All[SourceTold](items=[_source(one) for one in work.everything(conn)])


@sources.operation("GET", "/v1/sources/<name>", scope="read", answer=SourceTold)
def read(conn: Connection, name: str) -> SourceTold:
    """One source."""
    return _source(work.one(conn, name))


@sources.operation("POST", "/v1/sources/<name>/try", scope="articles", answer=TrialTold, connected=False)
def try_out(name: str) -> TrialTold:
    """Read its beginning and tell what would become of it; changes nothing, and takes up to half a minute."""
    with wiring().pool.connection() as conn:
        row = work.one(conn, name).row
    trial = work.try_out(wiring(), row)
    threads = [
        TriedThread(article=one.article_id, title=one.title, language=one.language, why=one.why)
        for one in trial.threads
    ]
    return TrialTold(threads=threads, read=trial.read, skipped=list(trial.skipped), slow=trial.slow)


@sources.operation("POST", "/v1/sources/<name>/sync", scope="articles", answer=Done, status=202)
def sync(conn: Connection, name: str) -> Done:
    """Have it synced by the worker within seconds."""
    work.sync_now(conn, wiring(), by(), name)
    return Done()


@sources.operation("POST", "/v1/sources/<name>/pause", scope="articles", body=PauseIn, answer=SourceTold)
def pause(conn: Connection, name: str, body: PauseIn) -> SourceTold:
    """Sync it by itself no more, or again; its articles stay."""
    work.pause(conn, wiring(), by(), name, paused=body.paused, why=body.why)
    return _source(work.one(conn, name))


@sources.operation("POST", "/v1/sources/<name>/remove", scope="articles", body=Reason, answer=Removed)
def remove(conn: Connection, name: str, body: Reason) -> Removed:
    """Forget it, and offer none of its articles any more."""
    return Removed(lapsed=work.remove(conn, wiring(), by(), name, body.why))


def _source(view: View) -> SourceTold:
    row = view.row
    return SourceTold(
        name=row.name, kind=row.kind, url=row.url, trust=row.trust, max_age_days=row.max_age_days,
        language=row.language, licence=row.licence, every_minutes=row.every_minutes, state=view.state,
        paused=row.paused, problem=row.problem, synced_at=row.synced_at, next_at=row.next_at, articles=view.articles,
        left_out=[LeftOut(why=str(why), threads=count) for why, count in view.left_out],
    )  # fmt: skip
