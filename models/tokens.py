"""Tokens of the API, by the hash of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One token: `prefix` is what can be shown of it, `made_by` the name of who made it."""

    id: int
    name: str
    prefix: str
    scopes: tuple[str, ...]
    made_by: str
    made_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


_ROW = (
    "SELECT t.id, t.name, t.prefix, t.scopes, s.name, t.made_at, t.used_at, t.revoked_at"
    " FROM api_tokens t JOIN staff s ON s.id = t.made_by"
)


def _row(row: tuple[Any, ...]) -> TokenRow:
    number, name, prefix, scopes, *others = row
    return TokenRow(number, name, prefix, tuple(scopes), *others)


def add(
    conn: Connection, name: str, prefix: str, token_hash: bytes, scopes: Sequence[str], made_by: int, at: datetime
) -> int:
    """A new token; its id."""
    row = conn.execute(
        "INSERT INTO api_tokens (name, prefix, token_hash, scopes, made_by, made_at)"
        " VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
        (name, prefix, token_hash, list(scopes), made_by, at),
    ).fetchone()
    assert row is not None
    return int(row[0])


def everything(conn: Connection) -> list[TokenRow]:
    """All tokens, newest first."""
    return [_row(row) for row in conn.execute(f"{_ROW} ORDER BY t.id DESC")]


def read(conn: Connection, token_id: int) -> TokenRow | None:
    """One token by id."""
    row = conn.execute(f"{_ROW} WHERE t.id = %s", (token_id,)).fetchone()
    return _row(row) if row else None


def find(conn: Connection, token_hash: bytes) -> TokenRow | None:
    """The token of a hash; None when there is none or it is revoked."""
    row = conn.execute(f"{_ROW} WHERE t.token_hash = %s AND t.revoked_at IS NULL", (token_hash,)).fetchone()
    return _row(row) if row else None


def used(conn: Connection, token_id: int, at: datetime) -> None:
    """Used just now."""
    conn.execute("UPDATE api_tokens SET used_at = %s WHERE id = %s", (at, token_id))


def revoke(conn: Connection, token_id: int, at: datetime) -> bool:
    """End a token. False when it was ended before."""
    ended = conn.execute("UPDATE api_tokens SET revoked_at = %s WHERE id = %s AND revoked_at IS NULL", (at, token_id))
    return ended.rowcount == 1
