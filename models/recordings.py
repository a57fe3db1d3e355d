"""Recorded prompts and hold music. A recording belongs to the words it says: it is heard wherever a plan says these."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import class_row

LOCK = 7_461_012  # our number among PostgreSQL's advisory locks
PROMPT = "prompt"
MUSIC = "music"


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording without its sound. `wording`, `language` and `words` are "" for hold music."""

    id: int
    hash: str
    kind: str
    wording: str
    language: str
    words: str
    seconds: float
    file_name: str
    made_by: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class NewRecording:
    """A recording about to be kept. `sound`: WAV, 8 kHz mono 16 bits; `hash`: of it."""

    hash: str
    kind: str
    wording: str
    language: str
    words: str
    sound: bytes
    seconds: float
    file_name: str


_COLUMNS = "id, hash, kind, wording, language, words, seconds, file_name, made_by, made_at"


def heard(conn: Connection) -> list[Recording]:
    """Those callers can hear, by wording and language."""
    with conn.cursor(row_factory=class_row(Recording)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM recordings WHERE removed_at IS NULL ORDER BY kind, wording, language, id"
        ).fetchall()


def read(conn: Connection, recording_id: int) -> Recording | None:
    """One that callers can hear; None where there is none of that id any more."""
    with conn.cursor(row_factory=class_row(Recording)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM recordings WHERE id = %s AND removed_at IS NULL", (recording_id,)
        ).fetchone()


def sound(conn: Connection, name: str) -> bytes | None:
    """The WAV of a hash, that of a recording removed lately too: a document that names it may be on its way."""
    row = conn.execute("SELECT sound FROM recordings WHERE hash = %s LIMIT 1", (name,)).fetchone()
    return bytes(row[0]) if row else None


def one_at_a_time(conn: Connection) -> None:
    """Until this transaction ends nobody else changes the recordings."""
    conn.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))


def bytes_heard(conn: Connection) -> int:
    """What all that can be heard takes: every web process has it in memory."""
    row = conn.execute("SELECT coalesce(sum(octet_length(sound)), 0) FROM recordings WHERE removed_at IS NULL")
    found = row.fetchone()
    assert found is not None
    return int(found[0])


def same(conn: Connection, new: NewRecording) -> Recording | None:
    """What is heard now for these words; of music, whatever there is."""
    with conn.cursor(row_factory=class_row(Recording)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM recordings"
            " WHERE kind = %s AND language = %s AND md5(words) = md5(%s) AND removed_at IS NULL",
            (new.kind, new.language, new.words),
        ).fetchone()


def add(conn: Connection, new: NewRecording, by: str, at: datetime) -> int:
    """Keep a recording; its id. The one that was heard for these words must be removed before."""
    row = conn.execute(
        "INSERT INTO recordings (hash, kind, wording, language, words, sound, seconds, file_name, made_by, made_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
        (
            new.hash, new.kind, new.wording, new.language, new.words, new.sound, new.seconds, new.file_name, by, at,
        ),
    ).fetchone()  # fmt: skip
    assert row is not None
    return int(row[0])


def remove(conn: Connection, recording_id: int, at: datetime) -> bool:
    """Callers hear it no more; False where they did not. Its sound goes later (`erase_removed`)."""
    return (
        conn.execute(
            "UPDATE recordings SET removed_at = %s WHERE id = %s AND removed_at IS NULL", (at, recording_id)
        ).rowcount
        == 1
    )


def erase_removed(conn: Connection, before: datetime) -> int:
    """Forget those removed before a time; how many."""
    return conn.execute("DELETE FROM recordings WHERE removed_at < %s", (before,)).rowcount
