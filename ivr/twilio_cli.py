"""`flask twilio ...`, `flask doctor` and `flask agent-link`."""

import click
from flask import current_app
from psycopg import Error
from psycopg_pool import PoolTimeout
from rich.console import Console
from rich.markup import escape

from ivr import doctor as doctors
from ivr import opt_in
from ivr.agent_note import agent_key
from ivr.call.plan import Plan
from ivr.call.wording import words
from ivr.carrier import standby
from ivr.carrier.numbers import AccountNumbers, CarrierSays, for_agents, for_callers
from ivr.wiring import Wiring

_MARKS = {"ok": "[green]ok  [/green]", "warn": "[yellow]warn[/yellow]", "bad": "[red]bad [/red]"}


def _wiring() -> Wiring:
    wiring: Wiring = current_app.extensions["offhold"]
    return wiring


def _plan() -> Plan:
    wiring = _wiring()
    try:
        with wiring.pool.connection() as conn:
            return wiring.plans.live(conn)
    except LookupError as error:
        raise click.ClickException(str(error)) from error
    except (Error, PoolTimeout) as error:
        why = type(error).__name__
        raise click.ClickException(
            f"the database cannot be asked ({why}): start it, or correct DATABASE_URL"
        ) from error


@click.group()
def twilio() -> None:
    """The account's numbers."""


@twilio.command("setup-number")
@click.argument("number")
@click.option("--dry-run", is_flag=True, help="show what would change, change nothing")
@click.option("--agents", is_flag=True, help="a number that agents dial in on, not callers")
@click.option("--queue", help="with --agents: the queue they answer; default: the plan's default queue")
def setup_number(number: str, dry_run: bool, agents: bool, queue: str | None) -> None:
    """Let a NUMBER (+1...) call this service: voice, fallback, status and message addresses."""
    settings, plan = _wiring().settings, _plan()
    if queue is not None and (not agents or queue not in plan.queues):
        raise click.ClickException(f"--queue goes with --agents and is one of: {', '.join(plan.queues)}")
    wanted = for_agents(settings, queue) if agents else for_callers(settings)
    carrier = AccountNumbers(settings)
    try:
        changes = carrier.changes(number, wanted)
        for change in changes:
            click.echo(f"{change.field}: {change.now or '(none)'} -> {change.wanted or '(none)'}")
        if not changes:
            click.echo(f"{number} is set up as it should be.")
        elif dry_run:
            click.echo(f"Nothing was changed. Without --dry-run, {len(changes)} fields of {number} are set.")
        else:
            carrier.update(number, {change.field: change.wanted for change in changes})
            click.echo(f"{len(changes)} fields of {number} are set.")
    except CarrierSays as error:
        raise click.ClickException(str(error)) from error
    if not agents:
        _tell_of_the_rest(plan)


def _tell_of_the_rest(plan: Plan) -> None:
    settings, first = _wiring().settings, plan.languages[0]
    if settings.twilio_messaging_service_sid:
        click.echo("\nIn the messaging service, let inbound texts go to the webhook of the number, or set")
        click.echo(f"its request URL to {settings.public_base_url}/sms/incoming")
    click.echo("\nTwiML to host on another machine (a TwiML Bin, say), then set VOICE_FALLBACK_URL to its address:")
    sorry = words(plan, first.code, "sorry_hold")
    click.echo(standby.static_fallback(plan.default_queue, words=sorry, locale=first.locale))


@click.command()
def doctor() -> None:
    """Check every part and say what to do. Ends with an error when a part is bad."""
    screen, bad = Console(highlight=False, soft_wrap=True), 0
    for finding in doctors.examine(_wiring()):
        bad += finding.state == "bad"
        screen.print(f"{_MARKS[finding.state]} {escape(finding.part)}: {escape(finding.words)}")
        if finding.todo:
            screen.print(f"       what to do: {finding.todo}", markup=False)
    plan = doctors.live_plan(_wiring())
    if plan is not None:
        script = opt_in.script(plan, f"{_wiring().settings.link_base_url}/r/{doctors.TOKEN_LIKE}")
        click.echo(f"\nFor the registration of the sender:\n{script}")
    if bad:
        raise click.ClickException(f"{bad} parts need you")


@click.command("agent-link")
def agent_link() -> None:
    """Print the link that opens the agents' live page. Whoever has it reads what callers said."""
    settings = _wiring().settings
    click.echo(f"{settings.public_base_url}/agent?key={agent_key(settings.session_secret.get_secret_value())}")


commands: tuple[click.Command, ...] = (twilio, doctor, agent_link)
