"""`flask offers ...` and `flask incident ...`: what a manager pulls on the console's first page, from a terminal."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import click
from flask import current_app
from flask.cli import AppGroup

from ivr.call.plan import Plan
from ivr.console import incidents, switches
from ivr.console.actors import at_terminal
from ivr.console.errors import Wrong
from ivr.menu_cli import login
from ivr.planfile import store
from ivr.wiring import Wiring
from models.incidents import Incident
from models.switches import ALL

Made = TypeVar("Made")
_by = click.option("--by", default=login, show_default="your login name", help="who does this")
_why = click.option("--why", required=True, help="the reason; it stands in the audit log")
_queue = click.option("--queue", default=ALL, help="of this queue only; left out: of all")


def _wiring() -> Wiring:
    wiring: Wiring = current_app.extensions["offhold"]
    return wiring


def _done(make: Callable[[], Made]) -> Made:
    try:
        return make()
    except Wrong as wrong:
        lines = [f"{name}: {problem}" if name else str(problem) for name, problem in wrong.problems.items()]
        raise click.ClickException("\n".join(lines)) from None
    except LookupError as error:
        raise click.ClickException(str(error)) from None


offers = AppGroup("offers", help="The switches that stop offers at once.")


@offers.command("stop")
@_queue
@_why
@_by
def stop(queue: str, why: str, by: str) -> None:
    """Offer no article from the next turn of every call on."""
    _pull(queue, why, by, stopped=True)
    click.echo(f"Offers of {_called(queue)} are stopped: flask offers start lets them go on.")


@offers.command("start")
@_queue
@_why
@_by
def start(queue: str, why: str, by: str) -> None:
    """Let offers go on. One switch does not undo the other: the big one and that of a queue."""
    _pull(queue, why, by, stopped=False)
    click.echo(f"The switch of {_called(queue)} lets offers go on.")


@offers.command("list")
def list_switches() -> None:
    """Every switch, and who pulled it last and why."""
    with _wiring().pool.connection() as conn:
        plan = _done(lambda: store.load_live(conn))
        found = switches.standing(conn, plan)
    for one in found:
        state = "stopped" if one.stopped else "on"
        last = f" by {one.pull.who}, {one.pull.at:%Y-%m-%d %H:%M}: {one.pull.why}" if one.pull else ""
        click.echo(f"{one.queue or '(all)':<16} {state}{last}")


def _pull(queue: str, why: str, by: str, *, stopped: bool) -> None:
    wiring = _wiring()
    with wiring.pool.connection() as conn:
        _done(lambda: switches.pull(conn, wiring, at_terminal(by), queue, stopped=stopped, why=why))


def _called(queue: str) -> str:
    return f"queue {queue}" if queue else "all queues"


incident = AppGroup("incident", help="What callers of some leaves hear first, until a time.")


@incident.command("start")
@click.option("--message", multiple=True, required=True, help="en=WORDS, once for each language")
@click.option("--news", multiple=True, help="en=WORDS: what a text on request says; left out: none is offered")
@click.option("--leaf", "leaves", multiple=True, help="a leaf it concerns; may be given several times")
@click.option("--all", "everyone", is_flag=True, help="it concerns every caller")
@click.option("--until", help="2026-11-23T15:00, in the zone of the default queue")
@click.option("--minutes", type=click.IntRange(1, 7 * 24 * 60), help="in place of --until")
@_why
@_by
def begin(
    message: Sequence[str],
    news: Sequence[str],
    leaves: Sequence[str],
    everyone: bool,
    until: str | None,
    minutes: int | None,
    why: str,
    by: str,
) -> None:
    """Tell callers from their next turn on. It ends by itself."""
    wiring = _wiring()
    with wiring.pool.connection() as conn:
        plan = _done(lambda: store.load_live(conn))
        ends = wiring.clock() + timedelta(minutes=minutes) if minutes else _time(until, plan)
        wanted = incidents.Wanted(_words(message), _words(news), None if everyone else leaves, ends, why)
        number = _done(lambda: incidents.begin(conn, wiring, at_terminal(by), wanted))
    click.echo(f"Incident {number} is told: flask incident end {number} --why WHY ends it sooner.")


@incident.command("end")
@click.argument("number", type=int)
@_why
@_by
def end(number: int, why: str, by: str) -> None:
    """Tell nobody of incident NUMBER any more."""
    wiring = _wiring()
    with wiring.pool.connection() as conn:
        _done(lambda: incidents.end(conn, wiring, at_terminal(by), number, why))
    click.echo(f"Incident {number} is over.")


@incident.command("list")
def list_incidents() -> None:
    """Those of now, then the latest of those that are over."""
    wiring = _wiring()
    with wiring.pool.connection() as conn:
        current, past = incidents.listed(conn, wiring.clock())
    for one in current:
        click.echo(f"{one.id:>4}  until {one.until:%Y-%m-%d %H:%M} UTC  {_line(one)}")
    for one in past:
        click.echo(f"{one.id:>4}  over since {one.ended_at or one.until:%Y-%m-%d %H:%M} UTC  {_line(one)}")
    if not current and not past:
        click.echo("There was none yet.")


def _line(one: Incident) -> str:
    whom = "all callers" if one.leaves is None else ", ".join(one.leaves)
    return f"{whom}: {next(iter(one.message.values()))} ({one.who}: {one.why})"


def _words(given: Sequence[str]) -> Mapping[str, str]:
    found = {}
    for one in given:
        code, equals, words = one.partition("=")
        if not equals:
            raise click.BadParameter(f"write {one[:20]!r} as en=WORDS")
        found[code.strip()] = words
    return found


def _time(until: str | None, plan: Plan) -> datetime | None:
    """None where none was given: `begin` says that one is needed."""
    if until is None:
        return None
    try:
        at = datetime.fromisoformat(until)
    except ValueError:
        raise click.BadParameter("write --until as 2026-11-23T15:00") from None
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(plan.queues[plan.default_queue].hours.zone))


commands: tuple[click.Command, ...] = (offers, incident)
