"""Tokens of the API: made, shown once, looked up, revoked."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from psycopg import Connection

from ivr.console.errors import Missing, Sentence, Wrong, sentence
from ivr.console.roles import SCOPES, Staff
from ivr.wiring import Wiring
from models import audit, tokens
from models.tokens import TokenRow

BEGINS = "offhold_"
_SHOWN = len(BEGINS) + 6
_LONGEST_NAME = 60
NOTE_EVERY = timedelta(minutes=1)  # how long after it was noted a token's use is noted again


@dataclass(frozen=True)
class Caller:
    """A program at the API. `who` is what the audit log calls it."""

    id: int
    name: str
    scopes: frozenset[str]

    @property
    def who(self) -> str:
        """As the audit log names it."""
        return f"token:{self.id}"

    def may(self, scope: str) -> bool:
        """Whether the token is for this; one for "admin" is for all."""
        return scope in self.scopes or "admin" in self.scopes


def everything(conn: Connection) -> list[TokenRow]:
    """All tokens, newest first."""
    return tokens.everything(conn)


def make(conn: Connection, wiring: Wiring, by: Staff, *, name: str, scopes: Sequence[str], why: str) -> str:
    """A new token, told this once. Raises Wrong."""
    problems: dict[str, Sentence | str] = {}
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        problems["name"] = sentence("What is it for? At most %(most)s letters.", most=_LONGEST_NAME)
    if not scopes or not set(scopes) <= set(SCOPES):
        problems["scopes"] = sentence("Choose at least one thing it may do.")
    if problems:
        raise Wrong(problems)
    token, now = BEGINS + secrets.token_urlsafe(32), wiring.clock()
    chosen = [scope for scope in SCOPES if scope in scopes]
    with conn.transaction():
        token_id = tokens.add(conn, name, token[:_SHOWN], _hash(token), chosen, by.id, now)
        after = {"name": name, "scopes": chosen}
        audit.note(conn, who=by.id, what="token.made", on=f"token {token_id}", after=after, why=why[:300], at=now)
    return token


def revoke(conn: Connection, wiring: Wiring, by: Staff, token_id: int, why: str) -> None:
    """End a token at once. Raises Wrong, Missing."""
    if not why.strip():
        raise Wrong({"why": sentence("Say why: it stands in the audit log.")})
    with conn.transaction():
        found = tokens.read(conn, token_id)
        if found is None:
            raise Missing
        if tokens.revoke(conn, token_id, wiring.clock()):
            before = {"name": found.name, "scopes": list(found.scopes)}
            audit.note(
                conn, who=by.id, what="token.revoked", on=f"token {token_id}", before=before, why=why.strip()[:300],
                at=wiring.clock(),
            )  # fmt: skip


def caller(conn: Connection, wiring: Wiring, token: str) -> Caller | None:
    """Whose token this is, None for nobody's. Notes that it was used."""
    if not token.startswith(BEGINS):
        return None
    found = tokens.find(conn, _hash(token))
    if found is None:
        return None
    now = wiring.clock()
    if found.used_at is None or now - found.used_at >= NOTE_EVERY:
        tokens.used(conn, found.id, now)
    return Caller(found.id, found.name, frozenset(found.scopes))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
