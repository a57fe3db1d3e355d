"""Statements that go out by themselves once they are signed: begun, listed, ended."""

from datetime import date

from psycopg import Connection

from ivr import hook_messages
from ivr.console.actors import Actor
from ivr.console.errors import Missing, Sentence, Wrong, sentence
from ivr.console.hooks import _wrong_url
from ivr.console.switches import wrong_why
from ivr.exporting import FILE
from ivr.statement_files import FORMATS
from ivr.wiring import Wiring
from models import audit, statements


def begin(
    wiring: Wiring, conn: Connection, by: Actor, *, form: str, target: str, since: date, why: str
) -> tuple[int, str | None]:
    """Send every statement from a month on: its number, and for an address the secret its messages are signed with,
    told this once. Raises Wrong."""
    why, problems = why.strip(), dict[str, Sentence | str](wrong_why(why.strip()))
    if form not in FORMATS:
        problems["form"] = sentence("There is no such format.")
    private = wiring.settings.hooks_allow_private == "on"
    if target != FILE and (wrong := _wrong_url(target, http=private)):
        problems["target"] = wrong
    if problems:
        raise Wrong(problems)
    secret, now = None if target == FILE else hook_messages.new_secret(), wiring.clock()
    with conn.transaction():
        sealed = wiring.numbers.seal(secret) if secret else None
        number = statements.add_export(conn, (form, target, sealed, since, by.name, now))
        after = {"form": form, "target": target, "since": since.isoformat()}
        audit.note(conn, who=by.key, what="export.begin", on=f"export {number}", after=after, why=why, at=now)
    return number, secret


def end(wiring: Wiring, conn: Connection, by: Actor, export_id: int, why: str) -> None:
    """Send nothing more. Raises Wrong, Missing."""
    why = why.strip()
    if problems := wrong_why(why):
        raise Wrong(problems)
    now = wiring.clock()
    with conn.transaction():
        ended = statements.end_export(conn, export_id, now)
        if ended is None:
            raise Missing(f"there is no export {export_id} that is on")
        before = {"form": ended.form, "target": ended.target}
        audit.note(
            conn, who=by.key, what="export.end", on=f"export {export_id}", before=before, why=why.strip(), at=now
        )
