"""What people edited in articles: kept apart from what was imported, good for the accepted answer of that time."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import class_row


class Edit(NamedTuple):
    """`short` and `title` stand in the place of the imported ones; None: not edited."""

    short: str | None
    title: str | None
    answer_hash: str
    who: str
    at: datetime


_COLUMNS = ", ".join(Edit._fields)


def read(conn: Connection, article_id: str) -> Edit | None:
    """The edit of an article, whether it still holds or not."""
    with conn.cursor(row_factory=class_row(Edit)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM article_edits WHERE article_id = %s", (article_id,)).fetchone()


def read_many(conn: Connection, article_ids: Iterable[str]) -> dict[str, Edit]:
    """Those of several articles, by id."""
    rows = conn.execute(
        f"SELECT article_id, {_COLUMNS} FROM article_edits WHERE article_id = ANY(%s)", (list(article_ids),)
    )
    return {row[0]: Edit(*row[1:]) for row in rows}


def put(conn: Connection, article_id: str, edit: Edit) -> None:
    """Keep an edit in the place of the one before; one that edits nothing takes it away."""
    if edit.short is None and edit.title is None:
        conn.execute("DELETE FROM article_edits WHERE article_id = %s", (article_id,))
        return
    conn.execute(
        f"INSERT INTO article_edits (article_id, {_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (article_id) DO UPDATE SET short = excluded.short, title = excluded.title,"
        " answer_hash = excluded.answer_hash, who = excluded.who, at = excluded.at",
        (article_id, *edit),
    )
