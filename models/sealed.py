"""Everything that is sealed under the key of numbers, wherever it stands, for sealing it anew under another."""

from collections.abc import Iterator
from typing import Any

from psycopg import Connection, sql

from models.db import patient

#: table -> its columns that hold something sealed
COLUMNS = {
    "numbers": ("sealed",),
    "transcripts": ("sealed",),
    "studies": ("words",),
    "staff": ("totp_sealed",),
    "hooks": ("secret", "old_secret"),
    "exports": ("secret",),
    "api_answers": ("answer",),
}
_AT_ONCE = 1000


def all_of(conn: Connection, table: str, column: str) -> Iterator[tuple[str, bytes]]:
    """What a column holds now, each with its place, in the order of the table. `conn` is busy until the end."""
    query = sql.SQL("SELECT ctid::text, {column} FROM {table} WHERE {column} IS NOT NULL")
    for place, sealed in _rows(conn, query.format(column=sql.Identifier(column), table=sql.Identifier(table))):
        yield place, bytes(sealed)


def _rows(conn: Connection, query: sql.SQL | sql.Composed) -> Iterator[tuple[Any, ...]]:
    """Whatever a query finds, a part at a time; `conn` is busy until the end."""
    with conn.transaction(), conn.cursor(name="sealed") as cursor:
        cursor.itersize = _AT_ONCE
        with patient(conn):
            yield from cursor.execute(query)


def put(conn: Connection, table: str, column: str, place: str, old: bytes, new: bytes) -> bool:
    """Put `new` in the place of `old`. False: it changed meanwhile."""
    query = sql.SQL("UPDATE {table} SET {column} = %s WHERE ctid = %s::tid AND {column} = %s")
    names = {"column": sql.Identifier(column), "table": sql.Identifier(table)}
    return conn.execute(query.format(**names), (new, place, old)).rowcount == 1


def calls(conn: Connection) -> Iterator[tuple[str, str, str]]:
    """Calls that hold words or typed numbers, which stand sealed inside of them: (call, state, reply)."""
    yield from _rows(conn, sql.SQL("SELECT call_sid, state, reply FROM calls WHERE state <> '{}'"))


def texts(conn: Connection) -> Iterator[tuple[str, str, str]]:
    """Texts of which token or wording is kept: (id, token, body)."""
    yield from _rows(conn, sql.SQL("SELECT id, token, body FROM texts"))


def put_text(conn: Connection, text_id: str, old: tuple[str, str], new: tuple[str, str]) -> bool:
    """Put another token and body in the place of the old ones. False: they were forgotten meanwhile."""
    query = "UPDATE texts SET token = %s, body = %s WHERE id = %s AND token = %s AND body = %s"
    return conn.execute(query, (*new, text_id, *old)).rowcount == 1


def replies(conn: Connection) -> Iterator[tuple[str, str]]:
    """Answers to texts: (message, reply)."""
    yield from _rows(conn, sql.SQL("SELECT message_sid, reply FROM inbound_texts WHERE reply IS NOT NULL"))


def put_reply(conn: Connection, message_sid: str, old: str, new: str) -> bool:
    """Put another reply in the place of the old one. False: it was forgotten meanwhile."""
    query = "UPDATE inbound_texts SET reply = %s WHERE message_sid = %s AND reply = %s"
    return conn.execute(query, (new, message_sid, old)).rowcount == 1


def put_call(conn: Connection, call_sid: str, old: tuple[str, str], new: tuple[str, str]) -> bool:
    """Put another state and reply in the place of the old ones. False: the call went on meanwhile."""
    query = "UPDATE calls SET state = %s, reply = %s WHERE call_sid = %s AND state = %s AND reply = %s"
    return conn.execute(query, (*new, call_sid, *old)).rowcount == 1
