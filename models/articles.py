"""Community articles: what an import wrote, what a caller may be offered, what a page shows."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from models.prepared import Prepared
from search.article import Answer, Article
from search.result import ArticleCard
from search.speakable import speakable_name, spoken_title

BATCH = 500


@dataclass
class Upserted:
    """How many articles a run of `upsert_many` added, changed, or found as they were."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0


_UPSERT = """
    INSERT INTO articles (id, title, question, author, answers, accepted_author, name_author, spoken_author,
                          votes, url, tags, language, licence, short, source, content_hash)
    SELECT id, title, question, author, answers, accepted_author, name_author, spoken_author,
           votes, url, ARRAY(SELECT jsonb_array_elements_text(tags)), language, licence, short, %(source)s,
           content_hash
    FROM jsonb_to_recordset(%(rows)s) AS given (
        id text, title text, question text, author text, answers jsonb, accepted_author text,
        name_author boolean, spoken_author text, votes integer, url text, tags jsonb, language text,
        licence text, short text, content_hash text)
    ON CONFLICT (id) DO UPDATE SET
        title = excluded.title, question = excluded.question, author = excluded.author,
        answers = excluded.answers, accepted_author = excluded.accepted_author,
        name_author = excluded.name_author, spoken_author = excluded.spoken_author,
        votes = excluded.votes, url = excluded.url, tags = excluded.tags, language = excluded.language,
        licence = excluded.licence, short = excluded.short, source = excluded.source,
        content_hash = excluded.content_hash, updated_at = now()
    WHERE articles.content_hash <> excluded.content_hash
    RETURNING xmax = 0
"""

_CARDS = Prepared(
    "article_cards",
    """
    SELECT a.id, coalesce(e.title, a.title), coalesce(e.short, a.short),
           CASE WHEN u.author IS NULL THEN a.spoken_author END,
           a.votes, a.helped, a.language, to_json(a.tags)
    FROM articles a LEFT JOIN unnamed_authors u ON u.author = a.spoken_author
        LEFT JOIN article_edits e ON e.article_id = a.id AND e.answer_hash = a.answer_hash
    WHERE a.state = 'live' AND a.id = ANY (ARRAY(SELECT jsonb_array_elements_text(%(ids)s::jsonb)))
""",
)
_STATE = Prepared(
    "article_state",
    "SELECT CASE state WHEN 'live' THEN 'live' ELSE 'withdrawn' END FROM articles WHERE id = %(id)s",
)

_ARTICLE = (
    "SELECT id, title, question, answers, author, votes, url, tags, language, licence, name_author, short FROM articles"
)


def upsert_many(conn: Connection, articles: Iterable[Article], source: str) -> Upserted:
    """Add or replace articles by id, in one transaction; a withdrawn one that comes again stays withdrawn.

    If `articles` raises on the way, nothing is written. `source` names where they came from.
    """
    done = Upserted()
    with conn.transaction():
        batch: list[dict[str, Any]] = []
        for article in articles:
            batch.append(_row(article))
            if len(batch) == BATCH:
                _upsert(conn, batch, source, done)
                batch = []
        if batch:
            _upsert(conn, batch, source, done)
    return done


def _upsert(conn: Connection, batch: list[dict[str, Any]], source: str, done: Upserted) -> None:
    written = conn.execute(_UPSERT, {"rows": Jsonb(batch), "source": source}).fetchall()
    added = sum(new for (new,) in written)
    done.added += added
    done.changed += len(written) - added
    done.unchanged += len(batch) - len(written)


def _row(article: Article) -> dict[str, Any]:
    accepted = article.accepted.author if article.accepted else None
    may_be_said = article.name_authors and accepted is not None and speakable_name(accepted)
    row: dict[str, Any] = {
        "id": article.id,
        "title": article.title,
        "question": article.question,
        "author": article.author,
        "answers": [asdict(answer) for answer in article.answers],
        "accepted_author": accepted,
        "name_author": article.name_authors,
        "spoken_author": accepted if may_be_said else None,
        "votes": article.votes,
        "url": article.url,
        "tags": list(article.tags),
        "language": article.language,
        "licence": article.licence,
        "short": article.short,
    }
    row["content_hash"] = hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()
    return row


def card(conn: Connection, article_id: str) -> ArticleCard | None:
    """What is needed to offer an article; None when there is no such article or it was withdrawn."""
    found = cards(conn, (article_id,))
    return found[0] if found else None


def _as_card(row: Sequence[Any]) -> ArticleCard:
    article_id, title, short, author, votes, helped, language, tags = row
    spoken = spoken_title(title)
    return ArticleCard(
        article_id, title, short, author, int(votes), int(helped), language, tuple(json.loads(tags)), spoken
    )


def cards(conn: Connection, article_ids: Sequence[str]) -> tuple[ArticleCard, ...]:
    """The cards of those that are live, as people edited them, in the order of `article_ids`."""
    rows = _CARDS.run(conn, {"ids": json.dumps(list(article_ids))})
    found = {card.id: card for card in map(_as_card, rows)}
    return tuple(found[wanted] for wanted in dict.fromkeys(article_ids) if wanted in found)


def read(conn: Connection, article_id: str) -> Article | None:
    """The whole article, withdrawn or not (its link may have been texted); None when it never was.

    Authors who may not be named are None: all of them unless the source allows it, and each who asked.
    """
    row = conn.execute(_ARTICLE + " WHERE id = %s", (article_id,)).fetchone()
    if row is None:
        return None
    article = _article(row)
    authors = {article.author, *(answer.author for answer in article.answers)}
    asked = conn.execute(
        "SELECT author FROM unnamed_authors WHERE author = ANY(%s)", ([name for name in authors if name],)
    )
    hidden = {name for (name,) in asked} if article.name_authors else authors
    return _without_names(article, hidden)


def _without_names(article: Article, hidden: set[str | None]) -> Article:
    answers = tuple(
        replace(answer, author=None if answer.author in hidden else answer.author) for answer in article.answers
    )
    return replace(article, author=None if article.author in hidden else article.author, answers=answers)


def state(conn: Connection, article_id: str) -> str | None:
    """'live', or 'withdrawn' (by us or by its source); None when there never was such an article."""
    rows = _STATE.run(conn, {"id": article_id})
    return rows[0][0] if rows else None


def iter_live(conn: Connection) -> Iterator[Article]:
    """Every live article in the order of ids, as of one moment, never all in memory."""
    with conn.transaction(), conn.cursor(name="live_articles") as cursor:
        cursor.itersize = BATCH
        cursor.execute(_ARTICLE + " WHERE state = 'live' ORDER BY id")
        for row in cursor:
            yield _article(row)


def _article(row: tuple[Any, ...]) -> Article:
    return Article(
        id=row[0],
        title=row[1],
        question=row[2],
        answers=tuple(Answer(**answer) for answer in row[3]),
        author=row[4],
        votes=row[5],
        url=row[6],
        tags=tuple(row[7]),
        language=row[8],
        licence=row[9],
        name_authors=row[10],
        short=row[11],
    )


def count_live(conn: Connection) -> int:
    """How many articles are live."""
    row = conn.execute("SELECT count(*) FROM articles WHERE state = 'live'").fetchone()
    return int(row[0]) if row else 0


def count_by_source(conn: Connection) -> list[tuple[str, str, str, int]]:
    """(source, language, state, number), in that order."""
    rows = conn.execute("SELECT source, language, state, count(*) FROM articles GROUP BY 1, 2, 3 ORDER BY 1, 2, 3")
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def content_digest(conn: Connection) -> str:
    """Changes when anything of a live article does: tells whether an index is stale."""
    row = conn.execute(
        "SELECT md5(coalesce(string_agg(id || ' ' || content_hash, ',' ORDER BY id), ''))"
        " FROM articles WHERE state = 'live'"
    ).fetchone()
    assert row is not None  # an aggregate always gives a row
    return str(row[0])


def withdraw(conn: Connection, article_ids: Sequence[str]) -> list[str]:
    """Offer and show these never again, whatever their source says. The ids that were not withdrawn yet."""
    rows = conn.execute(
        "UPDATE articles SET state = 'withdrawn', updated_at = now()"
        " WHERE id = ANY(%s) AND state <> 'withdrawn' RETURNING id",
        (list(article_ids),),
    )
    return sorted(row[0] for row in rows)


def restore(conn: Connection, article_ids: Sequence[str]) -> list[str]:
    """Offer and show these again. The ids that were withdrawn."""
    rows = conn.execute(
        "UPDATE articles SET state = 'live', updated_at = now()"
        " WHERE id = ANY(%s) AND state = 'withdrawn' RETURNING id",
        (list(article_ids),),
    )
    return sorted(row[0] for row in rows)


def lapse_others(conn: Connection, source: str, kept: Sequence[str]) -> int:
    """Offer and show none of a source's articles but `kept`, until the source brings them back; how many that ended."""
    done = conn.execute(
        "UPDATE articles SET state = 'lapsed', updated_at = now() WHERE source = %s AND state = 'live'"
        " AND NOT EXISTS (SELECT FROM unnest(%s::text[]) AS kept (id) WHERE kept.id = articles.id)",
        (source, list(kept)),
    )
    return done.rowcount


def lapse(conn: Connection, article_ids: Sequence[str]) -> int:
    """Offer and show these no more, until their source brings them back; how many that ended."""
    done = conn.execute(
        "UPDATE articles SET state = 'lapsed', updated_at = now() WHERE id = ANY(%s) AND state = 'live'",
        (list(article_ids),),
    )
    return done.rowcount


def bring_back(conn: Connection, source: str, kept: Sequence[str]) -> int:
    """Offer and show again those of `kept` that had lapsed; how many. What was withdrawn stays so."""
    done = conn.execute(
        "UPDATE articles SET state = 'live', updated_at = now() WHERE source = %s AND state = 'lapsed'"
        " AND EXISTS (SELECT FROM unnest(%s::text[]) AS kept (id) WHERE kept.id = articles.id)",
        (source, list(kept)),
    )
    return done.rowcount


def note_dates(conn: Connection, dates: Sequence[tuple[str, datetime | None, datetime | None]]) -> None:
    """When articles (by id) were asked, and last changed, in their community."""
    conn.execute(
        "UPDATE articles SET asked_at = given.asked_at, changed_at = given.changed_at"
        " FROM unnest(%s::text[], %s::timestamptz[], %s::timestamptz[]) AS given (id, asked_at, changed_at)"
        " WHERE articles.id = given.id",
        tuple([one[column] for one in dates] for column in range(3)),
    )


def withdrawn_of_source(conn: Connection, source: str) -> list[str]:
    """The ids of a source's articles that were withdrawn by us."""
    rows = conn.execute("SELECT id FROM articles WHERE source = %s AND state = 'withdrawn' ORDER BY id", (source,))
    return [str(row[0]) for row in rows]


def of_source(conn: Connection, source: str) -> list[str]:
    """The ids of the live articles that came from a source."""
    rows = conn.execute("SELECT id FROM articles WHERE source = %s AND state = 'live' ORDER BY id", (source,))
    return [str(row[0]) for row in rows]


def unname(conn: Connection, author: str) -> None:
    """Never name this author again, in any article."""
    conn.execute("INSERT INTO unnamed_authors (author) VALUES (%s) ON CONFLICT DO NOTHING", (author,))


def count_helped(conn: Connection, article_id: str) -> None:
    """One more caller said that the article solved it."""
    conn.execute("UPDATE articles SET helped = helped + 1 WHERE id = %s", (article_id,))


def titles(conn: Connection, article_ids: Iterable[str]) -> dict[str, str]:
    """Id -> title of those there are, whatever their state."""
    rows = conn.execute("SELECT id, title FROM articles WHERE id = ANY(%s)", (list(article_ids),))
    return {row[0]: row[1] for row in rows}
