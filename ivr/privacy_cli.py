"""`flask privacy ...`: what people may ask for by law."""

from dataclasses import asdict

import click
from flask import current_app
from flask.cli import AppGroup

from ivr.console.actors import at_terminal
from ivr.console.errors import Wrong
from ivr.console.privacy import erase_number
from ivr.menu_cli import login
from ivr.resealing import reseal
from ivr.wiring import Wiring

privacy_group = AppGroup("privacy", help="What people may ask for by law.")


@privacy_group.command("erase")
@click.argument("number")
@click.option("--why", required=True, help="the reason; it stands in the audit log")
@click.confirmation_option(prompt="What this number said and was texted cannot be brought back. Go on?")
def privacy_erase(number: str, why: str) -> None:
    """Forget whoever has a NUMBER (+1...), here and in the carrier's records; figures stay."""
    wiring: Wiring = current_app.extensions["offhold"]
    try:
        done = erase_number(wiring, at_terminal(login()), number=number, again=number, why=why)
    except Wrong as wrong:
        raise click.ClickException(str(wrong)) from None
    for what, count in done.removed.items():
        click.echo(f"{what}: {count}")
    for what, count in asdict(done.at_carrier).items():
        click.echo(f"{what} deleted at the carrier: {count}")
    if done.opted_out:
        click.echo("its STOP is kept, as a hash, so that it is never texted")
    if not done.proven:
        raise click.ClickException(f"the number still leads to {done.left}")
    click.echo("looked up again: nothing leads from the number to anybody")


@privacy_group.command("reseal")
def privacy_reseal() -> None:
    """Seal everything under the first key of NUMBER_ENCRYPTION_KEY, so that older ones can be taken away."""
    wiring: Wiring = current_app.extensions["offhold"]
    told = reseal(wiring, at_terminal(login()))
    for what, count in sorted(told.items()):
        click.echo(f"{what}: {count}")
    for what, count in sorted(told.lost.items()):
        click.echo(f"{what}: {count} sealed under a key that is not in NUMBER_ENCRYPTION_KEY; nobody can read them")
    if told.on_disk:
        raise click.ClickException(f"{told.on_disk} webhooks wait on this machine's disk; try again once they landed")
    if told.missed:
        raise click.ClickException(f"{told.missed} changed meanwhile; run it once more")
    click.echo("nothing in the database needs an older key: leave the first one in NUMBER_ENCRYPTION_KEY alone")


commands: tuple[click.Command, ...] = (privacy_group,)
