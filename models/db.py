"""Connections. autocommit: a single statement is its own transaction, several say `conn.transaction()`."""

from psycopg import Connection
from psycopg_pool import ConnectionPool


class Pool(ConnectionPool[Connection]):
    """A pool that connects when first asked: a command that needs no database never knocks at it."""

    def getconn(self, timeout: float | None = None) -> Connection:
        """A connection, as the library's own. Raises PoolTimeout."""
        if not self._opened:
            self.open()
        return super().getconn(timeout)


def open_pool(database_url: str, *, size: int, statement_timeout_ms: int, name: str) -> Pool:
    """A pool of at most `size` connections that gives up on a statement after `statement_timeout_ms` and on a
    connection after one second. A database that is away does not keep the process from starting."""
    return Pool(
        database_url,
        connection_class=Connection,
        min_size=1,
        max_size=size,
        timeout=1.0,
        reconnect_timeout=30.0,
        kwargs={
            "autocommit": True,
            "connect_timeout": 2,
            "prepare_threshold": 1,
            "application_name": name,
            "options": f"-c statement_timeout={statement_timeout_ms} -c timezone=UTC -c plan_cache_mode=force_generic_plan",
        },
        name=name,
        open=False,
    )
