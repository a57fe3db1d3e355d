"""`flask menu ...` and `flask queues ...`: the plan as a file, its versions, and queues closed by hand."""

import getpass
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import click
from flask import current_app
from flask.cli import AppGroup

from ivr.planfile import store
from ivr.planfile.fields import did_you_mean
from ivr.planfile.problems import PlanRefused, Problem
from ivr.wiring import Wiring
from models import plans

Made = TypeVar("Made")
_FILE = click.Path(path_type=Path)


def login() -> str:
    """The login name; in a container the user may have none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no entry in the password file; OSError since Python 3.13
        return f"uid {os.getuid()}"


_by = click.option("--by", default=login, show_default="your login name", help="who does this")


def _wiring() -> Wiring:
    wiring: Wiring = current_app.extensions["offhold"]
    return wiring


def _announce() -> Callable[[int], object]:
    wiring = _wiring()
    return lambda _version: wiring.announce("plan")


def _publisher(by: str) -> store.Publisher:
    return store.Publisher(by, at=_wiring().clock(), announce=_announce())


def _tell(path: Path, problems: Iterable[Problem]) -> None:
    for problem in problems:
        click.echo(f"{path}: {problem}", err=problem.error)


def _counted(problems: tuple[Problem, ...]) -> str:
    errors = sum(one.error for one in problems)
    warnings = len(problems) - errors
    return f"{errors} error{'s' * (errors != 1)}, {warnings} warning{'s' * (warnings != 1)}"


menu = AppGroup("menu", help="The menu as a file, and its published versions.")


@menu.command("check")
@click.argument("file", type=_FILE)
def check(file: Path) -> None:
    """Tell every problem of FILE with line and column. Fails when there is an error."""
    checked = store.check_file(file)
    _tell(file, checked.problems)
    if checked.errors:
        raise click.ClickException(_counted(checked.problems))
    click.echo(f"{file}: {_counted(checked.problems)}. Callers can hear this.")


@menu.command("publish")
@click.argument("file", type=_FILE)
@_by
@click.option("--reason", required=True, help="why; kept in the history")
def publish(file: Path, by: str, reason: str) -> None:
    """Make FILE the live menu. Calls under way finish on the one they began with."""
    try:
        with _wiring().pool.connection() as conn:
            version = store.publish_file(conn, file, by, reason, at=_wiring().clock(), announce=_announce())
    except PlanRefused as refused:
        _tell(file, refused.problems)
        counted = _counted(refused.problems)
        raise click.ClickException(f"{counted}. Nothing was published: what was live stays live.") from None
    _tell(file, store.check_file(file).problems)
    click.echo(f"Plan {version} is live.")


@menu.command("list")
def list_versions() -> None:
    """The history, newest first."""
    with _wiring().pool.connection() as conn:
        lines = store.history(conn)
    if not lines:
        click.echo("No plan is published yet: flask menu publish FILE --reason WHY")
    for one in lines:
        mark = "*" if one.live else " "
        origin = f" (version {one.source_version} again)" if one.source_version else ""
        when = one.published_at.strftime("%Y-%m-%d %H:%M")
        click.echo(f"{mark} {one.version:>4}  {when}  {one.published_by}: {one.reason}{origin}")


@menu.command("export")
@click.argument("version", type=int, required=False)
def export(version: int | None) -> None:
    """Print a version as it was published, comments and all; the live one by default."""
    with _wiring().pool.connection() as conn:
        click.echo(_or_fail(lambda: store.export(conn, version)), nl=False)


@menu.command("diff")
@click.argument("before", type=int)
@click.argument("after", type=int)
def diff(before: int, after: int) -> None:
    """What changed from version BEFORE to version AFTER, in words."""
    with _wiring().pool.connection() as conn:
        lines = _or_fail(lambda: store.diff(conn, before, after))
    click.echo("\n".join(lines) or "Callers hear no difference.")


@menu.command("rollback")
@click.argument("version", type=int)
@_by
@click.option("--reason", required=True, help="why; kept in the history")
def rollback(version: int, by: str, reason: str) -> None:
    """Make an older VERSION live again, as a new version."""
    with _wiring().pool.connection() as conn:
        new = _or_fail(lambda: store.rollback(conn, version, _publisher(by), reason))
    click.echo(f"Plan {new} is live: version {version} again.")


queues = AppGroup("queues", help="Queues closed by hand, whatever their hours say.")


@queues.command("close")
@click.argument("queue")
@_by
@click.option("--reason", required=True, help="why; shown in the list")
def close(queue: str, by: str, reason: str) -> None:
    """Send new callers of QUEUE to its closing words. Who is in it already keeps the place."""
    _switch(queue, by, reason, closed=True)
    click.echo(f"Queue '{queue}' is closed: flask queues open {queue} opens it again.")


@queues.command("open")
@click.argument("queue")
@_by
@click.option("--reason", default="open again", show_default=True, help="why; shown in the list")
def reopen(queue: str, by: str, reason: str) -> None:
    """Let QUEUE follow its opening hours again."""
    _switch(queue, by, reason, closed=False)
    click.echo(f"Queue '{queue}' follows its opening hours.")


@queues.command("list")
def list_queues() -> None:
    """Every queue of the live plan, its opening now, and its last switch."""
    wiring = _wiring()
    with wiring.pool.connection() as conn:
        plan = _or_fail(lambda: store.load_live(conn))
        switches = {one.queue: one for one in plans.queue_switches(conn)}
    for name, queue in plan.queues.items():
        switch = switches.get(name)
        why = queue.hours.closed_why(wiring.clock())
        if switch is not None and switch.closed:
            now = f"closed by {switch.who}: {switch.why} ({switch.at:%Y-%m-%d %H:%M})"
        else:
            now = {None: "open", "hours": "closed, outside its hours", "holiday": "closed, a holiday"}[why]
        click.echo(f"{name:<16} {now}")


def _switch(queue: str, by: str, reason: str, *, closed: bool) -> None:
    wiring = _wiring()
    with wiring.pool.connection() as conn:
        plan = _or_fail(lambda: store.load_live(conn))
        if queue not in plan.queues:
            raise click.ClickException(f"There is no queue '{queue}'. {did_you_mean(queue, list(plan.queues))}")
        plans.switch_queue(conn, queue, closed=closed, who=by, why=reason, at=wiring.clock())


def _or_fail(make: Callable[[], Made]) -> Made:
    try:
        return make()
    except LookupError as error:
        raise click.ClickException(str(error)) from None


commands: tuple[click.Command, ...] = (menu, queues)
