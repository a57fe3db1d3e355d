"""Articles as the console lists them: searched, filtered, a page at a time; and one of them with all that is kept."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

MOST_WORDS = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; what is left empty does not matter."""

    words: str = ""
    source: str = ""
    language: str = ""
    state: str = ""
    tag: str = ""
    short: bool | None = None  # whether something can be read to a caller
    changed_before: datetime | None = None


class Listed(NamedTuple):
    """One line of a list. `edited`: by people, for the answer it has now."""

    id: str
    title: str
    source: str
    language: str
    state: str
    tags: list[str]
    has_short: bool
    edited: bool
    changed_at: datetime | None
    offered: int


class Kept(NamedTuple):
    """What is kept of an article beside its text."""

    source: str
    state: str
    short: str | None
    asked_at: datetime | None
    changed_at: datetime | None
    imported_at: datetime
    updated_at: datetime
    helped: int
    answer_hash: str


class Place(NamedTuple):
    """Where a page begins: after this line. `offered` 0: among those that were not offered."""

    offered: int
    id: str


_LISTED = (
    "a.id, coalesce(e.title, a.title) AS title, a.source, a.language, a.state, a.tags,"
    " coalesce(e.short, a.short) IS NOT NULL AS has_short, e.article_id IS NOT NULL AS edited, a.changed_at"
)
_FROM = "articles a LEFT JOIN article_edits e ON e.article_id = a.id AND e.answer_hash = a.answer_hash"


def page(conn: Connection, wanted: Wanted, offered: Mapping[str, int], after: Place | None, limit: int) -> list[Listed]:
    """The next articles: those callers were `offered` (id -> calls) first, the most often first, then the others by
    id. Each part is read in the order of an index or of a few rows: the same speed at any depth."""
    given, where = _conditions(wanted)
    given |= {"ids": list(offered), "numbers": list(offered.values()), "limit": limit}
    rows: list[Listed] = []
    if offered and (after is None or after.offered):
        given |= {"n": after.offered if after else None, "id": after.id if after else None}
        rows = _read(
            conn,
            f"{_HITS} SELECT {_LISTED}, o.n AS offered FROM unnest(%(ids)s::text[], %(numbers)s::bigint[]) AS o (id, n)"
            f" JOIN ({_FROM}) ON a.id = o.id WHERE {where} AND (%(n)s::bigint IS NULL"
            " OR (-o.n, o.id) > (-%(n)s::bigint, %(id)s)) ORDER BY o.n DESC, o.id LIMIT %(limit)s",
            given,
        )
    if len(rows) < limit:
        given |= {"limit": limit - len(rows), "id": after.id if after and not after.offered else ""}
        rows += _read(
            conn,
            f"{_HITS} SELECT {_LISTED}, 0 AS offered FROM {_FROM} WHERE {where} AND a.id > %(id)s"
            " AND a.id <> ALL (%(ids)s::text[]) ORDER BY a.id LIMIT %(limit)s",
            given,
        )
    return rows


_HITS = (
    "WITH hits AS MATERIALIZED (SELECT id FROM articles WHERE %(query)s <> ''"
    " AND words @@ to_tsquery('simple', %(query)s) UNION SELECT %(typed)s)"
)


def _conditions(wanted: Wanted) -> tuple[dict[str, Any], str]:
    tokens = re.findall(r"[^\W_]+", wanted.words.casefold())[:MOST_WORDS]
    given = {
        "query": " & ".join(f"{token}:*" for token in tokens),
        "typed": wanted.words,
        "source": wanted.source,
        "language": wanted.language,
        "state": wanted.state,
        "tag": wanted.tag,
        "changed_before": wanted.changed_before,
    }
    parts = ["true"]
    parts += ["a.id IN (SELECT id FROM hits)"] if wanted.words else []
    parts += [f"a.{name} = %({name})s" for name in ("source", "language") if given[name]]
    if wanted.state:
        parts += ["a.state <> 'live'", "a.state = %(state)s"] if wanted.state != "live" else ["a.state = 'live'"]
    parts += ["a.tags @> ARRAY[%(tag)s::text]"] if wanted.tag else []
    if wanted.short is not None:
        parts.append(f"coalesce(e.short, a.short) IS {'NOT' if wanted.short else ''} NULL")
    parts += ["a.changed_at < %(changed_before)s"] if wanted.changed_before else []
    return given, " AND ".join(parts)


def _read(conn: Connection, statement: str, given: Mapping[str, Any]) -> list[Listed]:
    with conn.cursor(row_factory=class_row(Listed)) as cursor:
        return cursor.execute(statement, given).fetchall()


def kept(conn: Connection, article_id: str) -> Kept | None:
    """All of an article but its text."""
    with conn.cursor(row_factory=class_row(Kept)) as cursor:
        return cursor.execute(f"SELECT {', '.join(Kept._fields)} FROM articles WHERE id = %s", (article_id,)).fetchone()


def languages(conn: Connection) -> list[str]:
    """Every language an article is in: an index is skipped through, so it is quick however many there are."""
    rows = conn.execute(
        "WITH RECURSIVE found AS (SELECT min(language) AS one FROM articles UNION ALL"
        " SELECT (SELECT min(language) FROM articles WHERE language > found.one) FROM found WHERE one IS NOT NULL)"
        " SELECT one FROM found WHERE one IS NOT NULL"
    )
    return [str(row[0]) for row in rows]


def sources(conn: Connection) -> list[str]:
    """Every source an article came from, those of the past included."""
    rows = conn.execute(
        "WITH RECURSIVE found AS (SELECT min(source) AS one FROM articles UNION ALL"
        " SELECT (SELECT min(source) FROM articles WHERE source > found.one) FROM found WHERE one IS NOT NULL)"
        " SELECT one FROM found WHERE one IS NOT NULL"
    )
    return [str(row[0]) for row in rows]


def leaves(conn: Connection, article_id: str, since: datetime) -> list[tuple[str, int]]:
    """(leaf, calls) where callers were led to an article, the most calls first. Those of the test phone left out."""
    rows = conn.execute(
        "SELECT leaf, count(*) FROM call_summaries WHERE article = %s AND started_at >= %s AND leaf IS NOT NULL"
        " AND NOT test GROUP BY leaf ORDER BY 2 DESC, 1",
        (article_id, since),
    )
    return [(str(leaf), int(calls)) for leaf, calls in rows]
