"""`flask study ...`: what was asked for on the pages Mapping and Rehearse, and both from a terminal."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import click
import structlog
from flask import current_app
from flask.cli import AppGroup
from psycopg import Connection

from ivr.console import mapping, rehearsal, reviews
from ivr.console.actors import at_terminal
from ivr.console.errors import Missing, Wrong
from ivr.jobs.study import SILENT
from ivr.menu_cli import login
from ivr.wiring import Wiring
from models import erase, studies
from models.studies import Outcome, Study

log = structlog.get_logger()

Given = TypeVar("Given")
Work = Callable[[Wiring, Connection, Study], Outcome]
WORKS: dict[str, Work] = {
    studies.MAPPING: mapping.work_out,
    studies.REHEARSAL: rehearsal.rehearse,
    reviews.REVIEW: reviews.count_calls,
}

study = AppGroup("study", help="What each leaf finds, and what a draft would change.")
_by = click.option("--by", default=login, show_default="your login name", help="who does this")


def _wiring() -> Wiring:
    wiring: Wiring = current_app.extensions["offhold"]
    return wiring


def work_off(wiring: Wiring) -> int:
    """Do all work that nobody does, oldest first; how many pieces. One that fails is failed; the others are done. One
    that is taken away while it is done is begun anew in its turn."""
    count = 0
    with wiring.pool.connection() as conn, erase.unhurried(conn):
        while (asked := studies.claim(conn, wiring.clock(), wiring.clock() - SILENT)) is not None:
            count += _done(wiring, conn, asked)
    return count


def _done(wiring: Wiring, conn: Connection, asked: Study) -> bool:
    """Do one; whether it is over."""
    try:
        studies.finish(conn, asked, WORKS[asked.kind](wiring, conn, asked), wiring.clock())
        log.info("study_done", study=asked.id, kind=asked.kind)
    except studies.TakenAway:
        log.info("study_taken_away", study=asked.id, kind=asked.kind)
        return False
    except Exception:
        log.exception("study_failed", study=asked.id, kind=asked.kind)
        with suppress(studies.TakenAway):
            studies.fail(conn, asked, wiring.clock())
    return True


@study.command("work")
def work() -> None:
    """Do what was asked for (the worker runs this)."""
    wiring = _wiring()
    wiring.load()
    click.echo(f"{work_off(wiring)} done")


@study.command("map")
@_by
def map_leaves(by: str) -> None:
    """Work out what callers get at each leaf; the console shows it."""
    wiring = _wiring()
    wiring.load()
    with wiring.pool.connection() as conn:
        _told(lambda: mapping.ask(conn, wiring, at_terminal(by)))
    work_off(wiring)
    click.echo("The mapping is worked out: see Mapping on the console.")


@study.command("rehearse")
@click.argument("draft_id", type=int)
@click.option("--calls", type=click.Choice([str(one) for one in rehearsal.CHOICES]), default="2000", show_default=True)
@_by
def rehearse(draft_id: int, calls: str, by: str) -> None:
    """Run a draft over the latest calls, and print what would change."""
    wiring = _wiring()
    wiring.load()
    with wiring.pool.connection() as conn:
        study_id = _told(lambda: rehearsal.ask(conn, wiring, at_terminal(by), draft_id, int(calls)))
    work_off(wiring)
    with wiring.pool.connection() as conn:
        found = _told(lambda: rehearsal.look(conn, wiring, draft_id, study_id))
    if found.figures is None:
        raise click.ClickException("the rehearsal failed: the log says why")
    one, of = found.figures, found.figures.counts
    click.echo(f"{one.calls} calls, {one.with_words} with the caller's words, in {one.seconds} s")
    click.echo(f"another article {of.other}, an article where there was none {of.new}, none any more {of.gone}")
    click.echo(f"the same {one.untouched + of.same}, must choose anew {one.lost}, left out {one.elsewhere}")


def _told(do: Callable[[], Given]) -> Given:
    try:
        return do()
    except Wrong as wrong:
        raise click.ClickException("\n".join(str(problem) for problem in wrong.problems.values())) from None
    except Missing as missing:
        raise click.ClickException(str(missing)) from None


commands = (study,)
