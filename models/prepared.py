"""Statements of the hot path, run as the driver's own prepared statements, without a cursor.

A cursor costs five times what the server's answer takes to read (docs/decisions/0004). Values go and come as text.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from psycopg import Connection, errors
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

_NAMED = re.compile(r"%\((\w+)\)s")
_GOOD = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
_ready: WeakKeyDictionary[Connection[Any], set[bytes]] = WeakKeyDictionary()


class Prepared:
    """One statement with `%(name)s` places, prepared on each connection when first used there."""

    def __init__(self, name: str, sql: str) -> None:
        self._name = name.encode()
        self._names = tuple(dict.fromkeys(_NAMED.findall(sql)))
        numbers = {name: f"${n}" for n, name in enumerate(self._names, 1)}
        self._sql = _NAMED.sub(lambda place: numbers[place[1]], sql).encode()

    def run(self, conn: Connection[Any], values: Mapping[str, Any]) -> list[tuple[str | None, ...]]:
        """The rows, as text. Raises psycopg.Error as a cursor would."""
        result = self._result(conn, values)
        return [
            tuple(
                None if (value := result.get_value(row, column)) is None else value.decode()
                for column in range(result.nfields)
            )
            for row in range(result.ntuples)
        ]

    def change(self, conn: Connection[Any], values: Mapping[str, Any]) -> int:
        """How many rows the statement wrote. Raises psycopg.Error as a cursor would."""
        return self._result(conn, values).command_tuples or 0

    def _result(self, conn: Connection[Any], values: Mapping[str, Any]) -> PGresult:
        ready = _ready.get(conn)
        if ready is None:
            ready = _ready[conn] = set()
        if self._name not in ready:
            _checked(conn, conn.pgconn.prepare(self._name, self._sql))
            ready.add(self._name)
        given: list[Any] = [_text(values[name]) for name in self._names]  # its type forgets that None is NULL
        return _checked(conn, conn.pgconn.exec_prepared(self._name, given))


def _checked(conn: Connection[Any], result: PGresult) -> PGresult:
    if result.status not in _GOOD:
        error = errors.error_from_result(result, encoding=conn.info.encoding)
        if error.sqlstate is None:  # not the server's word: it, or the way to it, is gone
            raise errors.OperationalError(str(error))
        raise error
    return result


def _text(value: object) -> bytes | None:
    match value:
        case None:
            return None
        case str():
            return value.encode()
        case bool():
            return b"t" if value else b"f"
        case datetime():
            return value.isoformat().encode()
        case bytes():
            return b"\\x" + value.hex().encode()
        case _:
            return str(value).encode()
