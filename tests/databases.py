"""Copies of a database, for tests that write to it."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

# A tenth of the time that the pages of a template take through the log.
COPY = "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY"


@contextmanager
def copied(admin_url: str, template: str, name: str) -> Iterator[None]:
    """A database `name` made from another one, dropped in the end whoever is still connected."""
    made, source = sql.Identifier(name), sql.Identifier(template)
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL(COPY).format(made, source))
        try:
            yield
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(made))
