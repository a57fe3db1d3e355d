"""`flask source ...`: the communities that articles are drawn from."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import structlog
from flask import current_app
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ivr.console import sources as console
from ivr.console.actors import Actor, at_terminal
from ivr.console.errors import Wrong
from ivr.menu_cli import login
from ivr.syncing import Synced, connection, known_source, settle, sync
from ivr.wiring import Wiring
from models import articles, audit, sources, threads
from models.sources import SourceRow
from search.sources.kinds import KINDS, LOCAL, open_source
from search.sources.source import Place, SourceError
from search.sources.source import Progress as Told
from search.sources.trust import REFUSALS, RULES

SHOWN = 10
FROM_TERMINAL = "at the terminal"  # why, in the audit log

_screen = Console(stderr=True)
log = structlog.get_logger()


def _by() -> Actor:
    return at_terminal(login())


def _wiring() -> Wiring:
    wiring: Wiring = current_app.extensions["offhold"]
    return wiring


@click.group("source")
def source_group() -> None:
    """Communities that articles are drawn from."""


@source_group.command("add")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("url")
@click.option("--name", help="default: from the address; article ids begin with it")
@click.option(
    "--trust", type=click.Choice(RULES), default="accepted", show_default=True, help="threads callers may get"
)
@click.option(
    "--max-age-days", type=click.IntRange(1, console.MOST_DAYS), help="no thread without a change for so long"
)
@click.option("--language", default="en", show_default=True, help="where it cannot be told")
@click.option("--licence", default="", help="where the source names none")
@click.option("--name-authors", is_flag=True, help="the community lets its authors be named")
@click.option("--every", "every_minutes", type=click.IntRange(5, 10_080), default=15, show_default=True, help="minutes")
@click.option("--credentials", metavar="SOURCE_...", help="environment variable that holds user:key")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="of the kind, as category=support/12")
def add_command(kind: str, url: str, name: str | None, credentials: str | None, **given: object) -> None:
    """Add a source. KIND is what it is, URL its web address, or a path for files of this machine."""
    pairs = [str(one).partition("=") for one in given.pop("options")]  # type: ignore[attr-defined]
    options = {key: value for key, _, value in pairs}
    if credentials is not None and not console.CREDENTIALS.fullmatch(credentials):
        raise click.UsageError("--credentials names an environment variable that begins with SOURCE_")
    address = str(Path(url).absolute()) if kind in LOCAL else url
    wiring = _wiring()
    row = SourceRow(
        name=name or console.name_from(url),
        kind=kind,
        url=address,
        options=options,
        credentials=credentials,
        next_at=wiring.clock(),
        **given,  # type: ignore[arg-type]
    )
    if not console.NAME.fullmatch(row.name):
        raise click.UsageError("--name is 1 to 30 small letters, digits, dots or hyphens")
    try:
        open_source(kind, Place(address, options=options))
    except SourceError as error:
        raise click.ClickException(str(error)) from None
    with connection(wiring) as conn:
        try:
            console.add(conn, wiring, _by(), row, FROM_TERMINAL)
        except Wrong:
            raise click.ClickException(f"the name {row.name} is taken: give another with --name") from None
    click.echo(f"{row.name} added. Look: flask source test {row.name}; sync now: flask source sync {row.name}")


@source_group.command("list")
def list_command() -> None:
    """Every source: how it is trusted, how many articles it gives, how its last sync went."""
    with connection(_wiring()) as conn:
        for row in sources.list_all(conn):
            count = len(articles.of_source(conn, row.name))
            when = row.synced_at.strftime("%Y-%m-%d %H:%M UTC") if row.synced_at else "never"
            click.echo(f"{row.name}: {row.kind} {row.url}, {row.trust}; {count} articles; last synced {when}")
            left_out = ", ".join(f"{number} {reason}" for reason, number in threads.refusals(conn, row.name))
            if left_out:
                click.echo(f"  left out: {left_out}")
            for line in row.unread[:SHOWN]:
                click.echo(f"  cannot be read: {line}")
            if len(row.unread) > SHOWN:
                click.echo(f"  cannot be read: {len(row.unread) - SHOWN} more")
            if row.problem:
                times = f" ({row.failures} times in a row)" if row.failures > 1 else ""
                click.echo(f"  PROBLEM{times}: {row.problem}")


@source_group.command("test")
@click.argument("name")
def test_command(name: str) -> None:
    """Read the beginning of a source and say what would become of it. Changes nothing."""
    wiring = _wiring()
    with connection(wiring) as conn, _known():
        row = known_source(conn, name)
    with _failing(name), _bar(name) as progress:
        trial = console.trial(wiring, row, told=progress)
    for one in trial.threads:
        click.echo(f"{one.why or 'yes':20} {one.language} {one.article_id}  {one.title[:80]}")
    for line in trial.skipped:
        click.echo(f"cannot be read: {line}")
    click.echo(f"{name} can be read: {trial.read} threads in its first batch")


@source_group.command("sync")
@click.argument("names", nargs=-1)
@click.option("--due", is_flag=True, help="those whose time has come, as the worker does")
@click.option("--believe", is_flag=True, help="take what the source says, however little it leaves")
@click.option("--anew", is_flag=True, help="read everything again, not only what changed")
def sync_command(names: tuple[str, ...], due: bool, believe: bool, anew: bool) -> None:
    """Sync sources now; all of them unless named."""
    wiring = _wiring()
    with connection(wiring) as conn, _known():
        if due:
            os.nice(10)  # calls and texts go first
            names = tuple(sources.due(conn, wiring.clock()))
        names = names or tuple(row.name for row in sources.list_all(conn))
        for name in names:
            known_source(conn, name)
    failed = [name for name in names if not _synced(wiring, name, believe=believe, anew=anew, whole=not due)]
    if failed:
        raise click.ClickException(f"not synced: {', '.join(failed)}. Their last good articles stay.")


def _synced(wiring: Wiring, name: str, *, believe: bool, anew: bool, whole: bool) -> bool:
    try:
        with _bar(name) as progress:
            done = sync(wiring, name, progress=progress, believe=believe, anew=anew, whole=whole)
    except SourceError as error:
        click.echo(f"{name}: {error}", err=True)
        return False
    except Exception as error:  # our own mistake with one source is no reason to leave out the others
        log.exception("source_sync_crashed", source=name)
        click.echo(f"{name}: failed unexpectedly ({type(error).__name__})", err=True)
        return False
    click.echo(f"{name}: {done.pulled} threads changed, {done.articles} articles live, {done.lapsed} lapsed")
    for line in done.skipped[:SHOWN]:
        click.echo(f"  skipped: {line}")
    if done.paused:
        click.echo(f"  to be continued: {done.paused}")
    return True


@source_group.command("waiting")
@click.argument("name")
@click.option("--reason", type=click.Choice(REFUSALS), default="not approved", show_default=True)
def waiting_command(name: str, reason: str) -> None:
    """The threads of a source that callers do not get for a reason; `flask articles approve ID` approves one."""
    with connection(_wiring()) as conn, _known():
        known_source(conn, name)
        for identity, title in threads.refused(conn, name, reason):
            click.echo(f"{identity}  {title}")


@source_group.command("remove")
@click.argument("name")
def remove_command(name: str) -> None:
    """Forget a source and offer none of its articles any more."""
    with connection(_wiring()) as conn, _known():
        known_source(conn, name)
        try:
            lapsed = console.remove(conn, _wiring(), _by(), name, FROM_TERMINAL)
        except Wrong as wrong:
            raise click.ClickException("; ".join(map(str, wrong.problems.values()))) from None
    click.echo(f"{name} removed, {lapsed} articles lapsed")


@click.command("approve")
@click.argument("article_ids", nargs=-1, required=True)
def approve_command(article_ids: tuple[str, ...]) -> None:
    """Approve threads of sources as they stand; an approval lapses when the thread changes."""
    wiring = _wiring()
    problems: list[str] = []
    with connection(wiring) as conn:
        with conn.transaction():
            of = {identity: threads.approve(conn, identity) for identity in article_ids}
            for identity in sorted(identity for identity, source in of.items() if source):
                audit.note(
                    conn,
                    who=_by().key,
                    what="thread.approve",
                    on=f"article {identity}",
                    why=FROM_TERMINAL,
                    at=wiring.clock(),
                )
        for name in sorted({source for source in of.values() if source}):
            sources.note_unsettled(conn, name)  # after the approvals: a sync that settles just now may not see them
            with sources.alone(conn, name) as free:
                if not free:
                    problems.append(f"{name} is being synced: try again when that is done, or its next sync does it")
                    continue
                try:
                    settle(conn, known_source(conn, name), wiring.clock(), Synced())
                except (SourceError, LookupError) as error:
                    problems.append(f"{name}: {error}")
        for identity, source in of.items():
            state = articles.state(conn, identity) or "not live"
            click.echo(f"{identity}: {f'approved, {state}' if source else 'no source has such a thread'}")
    wiring.announce("articles")
    if problems:
        raise click.ClickException("\n".join((*problems, "The approvals are kept.")))


@contextmanager
def _known() -> Iterator[None]:
    try:
        yield
    except LookupError as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def _failing(name: str) -> Iterator[None]:
    try:
        yield
    except SourceError as error:
        raise click.ClickException(f"{name}: {error}") from None


@contextmanager
def _bar(name: str) -> Iterator[Told]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=_screen) as bar:
        task = bar.add_task(name, total=None)

        def told(done: int, of: int | None) -> None:
            bar.update(task, completed=done, total=of)

        yield told


commands: tuple[click.Command, ...] = (source_group,)
