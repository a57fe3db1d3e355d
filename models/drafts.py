"""Menus in the making: the text of each draft, every text it ever had, and who wrote it when."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it stands. `closed_at` is set when it was published or thrown away."""

    id: int
    name: str
    base_version: int | None
    revision: int
    yaml: str
    made_by: str
    made_at: datetime
    changed_by: str
    changed_at: datetime
    published_version: int | None
    closed_by: str | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Save:
    """A text somebody saved. `revision` None: another save came first, and this one waits to be merged."""

    id: int
    draft_id: int
    revision: int | None
    began_from: int
    yaml: str
    who: str
    at: datetime


_COLUMNS = (
    "id, name, base_version, revision, yaml, made_by, made_at, changed_by, changed_at, published_version,"
    " closed_by, closed_at"
)


def begin(conn: Connection, name: str, yaml: str, base: int | None, who: str, at: datetime) -> int:
    """A new draft at revision 1; gives its id. `base`: the plan's version it was made from."""
    row = conn.execute(
        "WITH made AS ("
        " INSERT INTO drafts (name, base_version, yaml, made_by, made_at, changed_by, changed_at)"
        " VALUES (%(name)s, %(base)s, %(yaml)s, %(who)s, %(at)s, %(who)s, %(at)s) RETURNING id),"
        " kept AS (INSERT INTO draft_saves (draft_id, revision, began_from, yaml, who, at)"
        " SELECT id, 1, 0, %(yaml)s, %(who)s, %(at)s FROM made)"
        " SELECT id FROM made",
        {"name": name, "base": base, "yaml": yaml, "who": who, "at": at},
    ).fetchone()
    assert row is not None
    return int(row[0])


def read(conn: Connection, draft_id: int) -> Draft | None:
    """The draft, None when there is none of that id."""
    with conn.cursor(row_factory=class_row(Draft)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM drafts WHERE id = %s", (draft_id,)).fetchone()


def listed(conn: Connection, *, closed: bool = False) -> list[Draft]:
    """The drafts being worked on, or those that were thrown away and are still kept; newest change first."""
    wanted = "closed_at IS NOT NULL AND published_version IS NULL" if closed else "closed_at IS NULL"
    with conn.cursor(row_factory=class_row(Draft)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM drafts WHERE {wanted} ORDER BY changed_at DESC, id DESC LIMIT 200"
        ).fetchall()


def save(
    conn: Connection, draft_id: int, began_from: int, yaml: str, who: str, at: datetime, *, base: int | None = None
) -> int | None:
    """Put a text in the place of revision `began_from`; gives the new revision. None, and nothing changed, when the
    draft is not at that revision any more or is closed. `base`: it now has all of this version of the plan."""
    row = conn.execute(
        "WITH changed AS ("
        " UPDATE drafts SET yaml = %(yaml)s, revision = revision + 1, changed_by = %(who)s, changed_at = %(at)s,"
        " base_version = coalesce(%(base)s, base_version)"
        " WHERE id = %(id)s AND revision = %(from)s AND closed_at IS NULL RETURNING id, revision),"
        " kept AS (INSERT INTO draft_saves (draft_id, revision, began_from, yaml, who, at)"
        " SELECT id, revision, %(from)s, %(yaml)s, %(who)s, %(at)s FROM changed)"
        " SELECT revision FROM changed",
        {"id": draft_id, "from": began_from, "yaml": yaml, "who": who, "at": at, "base": base},
    ).fetchone()
    return int(row[0]) if row else None


def put_aside(conn: Connection, draft_id: int, began_from: int, yaml: str, who: str, at: datetime) -> int:
    """Keep a text that could not be saved because another one came first; gives the id of the save."""
    row = conn.execute(
        "INSERT INTO draft_saves (draft_id, began_from, yaml, who, at) VALUES (%s, %s, %s, %s, %s) RETURNING id",
        (draft_id, began_from, yaml, who, at),
    ).fetchone()
    assert row is not None
    return int(row[0])


_SAVE_COLUMNS = "id, draft_id, revision, began_from, yaml, who, at"


def text_of(conn: Connection, draft_id: int, revision: int) -> str | None:
    """The text a revision had, None when there never was one."""
    row = conn.execute(
        "SELECT yaml FROM draft_saves WHERE draft_id = %s AND revision = %s", (draft_id, revision)
    ).fetchone()
    return row[0] if row else None


def aside(conn: Connection, draft_id: int, save_id: int) -> Save | None:
    """A text of this draft that waits to be merged."""
    with conn.cursor(row_factory=class_row(Save)) as cursor:
        return cursor.execute(
            f"SELECT {_SAVE_COLUMNS} FROM draft_saves WHERE id = %s AND draft_id = %s AND revision IS NULL",
            (save_id, draft_id),
        ).fetchone()


def waiting(conn: Connection, draft_id: int) -> list[Save]:
    """The texts of a draft that wait to be merged, oldest first."""
    with conn.cursor(row_factory=class_row(Save)) as cursor:
        return cursor.execute(
            f"SELECT {_SAVE_COLUMNS} FROM draft_saves WHERE draft_id = %s AND revision IS NULL ORDER BY id",
            (draft_id,),
        ).fetchall()


def saves(conn: Connection, draft_id: int) -> list[Save]:
    """The draft's latest 50 revisions, newest first."""
    with conn.cursor(row_factory=class_row(Save)) as cursor:
        return cursor.execute(
            f"SELECT {_SAVE_COLUMNS} FROM draft_saves WHERE draft_id = %s AND revision IS NOT NULL"
            " ORDER BY revision DESC LIMIT 50",
            (draft_id,),
        ).fetchall()


def merged(conn: Connection, save_id: int) -> None:
    """A text that waited has found its way into the draft, or is not wanted any more."""
    conn.execute("DELETE FROM draft_saves WHERE id = %s AND revision IS NULL", (save_id,))


def close(
    conn: Connection, draft_id: int, revision: int, who: str, at: datetime, *, published: int | None = None
) -> bool:
    """Published as a plan's version, or thrown away; False when somebody saved or closed it meanwhile."""
    return (
        conn.execute(
            "UPDATE drafts SET closed_by = %s, closed_at = %s, published_version = %s"
            " WHERE id = %s AND revision = %s AND closed_at IS NULL",
            (who, at, published, draft_id, revision),
        ).rowcount
        == 1
    )


def reopen(conn: Connection, draft_id: int) -> bool:
    """Work on a draft that was thrown away goes on; False when it was not (or was published)."""
    return (
        conn.execute(
            "UPDATE drafts SET closed_by = NULL, closed_at = NULL"
            " WHERE id = %s AND closed_at IS NOT NULL AND published_version IS NULL",
            (draft_id,),
        ).rowcount
        == 1
    )


def erase_closed(conn: Connection, before: datetime) -> int:
    """Forget the drafts that were thrown away before a time; how many."""
    return conn.execute("DELETE FROM drafts WHERE closed_at < %s AND published_version IS NULL", (before,)).rowcount
