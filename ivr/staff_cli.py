"""`flask staff ...` and `flask audit ...`."""

import click
from flask import current_app

from ivr.console import links
from ivr.wiring import Wiring
from models import audit, staff


def _wiring() -> Wiring:
    wiring: Wiring = current_app.extensions["offhold"]
    return wiring


@click.group("staff")
def staff_group() -> None:
    """The accounts of the console."""


@staff_group.command("setup-link")
def setup_link() -> None:
    """Print a link that makes one administrator's account, within 30 minutes."""
    wiring = _wiring()
    with wiring.pool.connection() as conn:
        token = links.setup_link(conn, wiring.clock())
    click.echo(links.address(wiring.settings.public_base_url, token))


@staff_group.command("list")
def staff_list() -> None:
    """Print every account with its role."""
    with _wiring().pool.connection() as conn:
        people = staff.everyone(conn)
    for person in people:
        state = "" if person.active else " (switched off)"
        click.echo(f"{person.id}\t{person.role}\t{person.email}\t{person.name}{state}")


@click.group("audit")
def audit_group() -> None:
    """The log of all changes."""


@audit_group.command("verify")
@click.option("--head", help="what an earlier look printed: its line must still be there")
def audit_verify(head: str | None) -> None:
    """Check that no line was changed, taken out or put in between; with --head, that none is missing at the end."""
    with _wiring().pool.connection() as conn:
        conn.execute("SET statement_timeout = 0")
        try:
            found = audit.verify(conn, remembered=head)
        finally:
            conn.execute("RESET statement_timeout")
    if found.broken_at is not None:
        raise click.ClickException(
            f"the log is broken at line {found.broken_at}; {found.lines} lines before it are whole"
        )
    click.echo(f"{found.lines} lines, all whole. Head: {found.head}")


commands = (staff_group, audit_group)
