"""How many calls came to what: the numbers of the pages, from counts a day that are kept with the summaries.

A day is one of UTC; calls of the test phone are left out; `until` is not included. "Back" is somebody who contacted us
again within 7 days, by whatever channel: of the last 7 days not all have come back yet who will.
"""

from datetime import date
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row


class Calls(NamedTuple):
    """What calls came to: how many calls, not how many texts or visits."""

    calls: int
    held: int  # joined a queue
    eligible: int  # an offer could have been made
    offers: int
    taken: int  # said yes
    texts: int  # were sent one
    opened: int  # by a person
    solved: int
    not_solved: int
    back: int
    hung_up: int  # in the queue
    agents: int  # an agent answered


class ArticleCalls(NamedTuple):
    """What callers did with an article."""

    article: str
    offered: int
    taken: int
    heard: int
    opened: int
    solved: int
    not_solved: int
    back: int


class Nothing(NamedTuple):
    """Why callers at a leaf were found nothing."""

    leaf: str
    refusal: str
    calls: int


NONE = Calls(*[0] * len(Calls._fields))
_SUMS = ", ".join(f"sum({name})::bigint" for name in Calls._fields)
_WITHIN = "day >= %(since)s AND (%(until)s::date IS NULL OR day < %(until)s)"


def branches(conn: Connection, since: date, until: date | None = None) -> dict[tuple[str, ...], Calls]:
    """Branch of the menu, as the choices that lead there -> its calls, those further on included; () has all."""
    found: dict[tuple[str, ...], Calls] = {}
    for path, *counts in conn.execute(
        f"SELECT path, {_SUMS} FROM place_days WHERE {_WITHIN} GROUP BY path", {"since": since, "until": until}
    ):
        for depth in range(len(path) + 1):
            branch = tuple(path[:depth])
            found[branch] = Calls(*(a + b for a, b in zip(found.get(branch, NONE), counts, strict=True)))
    return found


def leaves(conn: Connection, since: date, until: date | None = None) -> dict[str, Calls]:
    """Leaf -> its calls; "" are those that came to none."""
    return _by(conn, "leaf", since, until)


def queues(conn: Connection, since: date, until: date | None = None) -> dict[str, Calls]:
    """Queue -> its calls; "" are those that came to none."""
    return _by(conn, "queue", since, until)


def days(conn: Connection, since: date, until: date | None = None) -> dict[date, Calls]:
    """Day -> its calls; a day without any is left out."""
    return _by(conn, "day", since, until)


def _by(conn: Connection, column: str, since: date, until: date | None) -> dict[Any, Calls]:
    rows = conn.execute(
        f"SELECT {column}, {_SUMS} FROM place_days WHERE {_WITHIN} GROUP BY {column} HAVING sum(calls) > 0"
        f" ORDER BY {column}",
        {"since": since, "until": until},
    )
    return {key: Calls(*counts) for key, *counts in rows}


def articles(conn: Connection, since: date, until: date | None = None) -> list[ArticleCalls]:
    """Every article that callers were offered, the one offered most often first."""
    sums = ", ".join(f"sum({name})::bigint AS {name}" for name in ArticleCalls._fields[1:])
    with conn.cursor(row_factory=class_row(ArticleCalls)) as cursor:
        return cursor.execute(
            f"SELECT article, {sums} FROM article_days WHERE {_WITHIN} GROUP BY article"
            " HAVING sum(offered + taken + heard + opened + solved + not_solved) > 0"
            " ORDER BY sum(offered) DESC, article",
            {"since": since, "until": until},
        ).fetchall()


def nothing_found(conn: Connection, since: date, until: date | None = None) -> list[Nothing]:
    """Leaf and reason of the calls that were found nothing, the most calls first."""
    with conn.cursor(row_factory=class_row(Nothing)) as cursor:
        return cursor.execute(
            f"SELECT leaf, refusal, sum(calls)::bigint AS calls FROM place_days WHERE refusal <> '' AND {_WITHIN}"
            " GROUP BY leaf, refusal HAVING sum(calls) > 0 ORDER BY sum(calls) DESC, leaf, refusal",
            {"since": since, "until": until},
        ).fetchall()
