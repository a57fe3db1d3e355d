"""Whoever changes something: at the console, with a token, or on the command line."""

from dataclasses import dataclass

from ivr.console.roles import Staff


@dataclass(frozen=True, slots=True)
class Actor:
    """`key` is what the audit log keeps (an id of staff, or "token:ID", "cli:LOGIN"); `name` is what people read."""

    key: int | str
    name: str


def at_console(person: Staff) -> Actor:
    """Someone who is signed in."""
    return Actor(person.id, person.name)


def at_terminal(login: str) -> Actor:
    """Someone with a login on the machine."""
    return Actor(f"cli:{login}", login)
