"""From a leaf's question to the articles that may be offered there."""

import time
from collections.abc import Callable, Iterable
from functools import cache

import structlog
from psycopg import Connection

from ivr.call.effects import Search
from ivr.call.events import Found
from ivr.menu_paths import query_of
from ivr.places import Left
from ivr.watching import figures, shed
from ivr.wiring import Wiring
from models import articles
from search.door import SearchBusy
from search.result import ArticleCard, Match, NoMatch

log = structlog.get_logger()

Cards = Callable[[Connection, tuple[str, ...], str], tuple[ArticleCard, ...]]


def cards_in(conn: Connection, ids: tuple[str, ...], language: str) -> tuple[ArticleCard, ...]:
    """Those of the articles that may be offered to callers of a language."""
    if not ids:
        return ()
    return tuple(card for card in articles.cards(conn, ids) if card.language == language and card.spoken)


class _Remembered:
    """`cards_in`, each question asked of the database once."""

    def __init__(self, conn: Connection) -> None:
        self._ask = cache(lambda ids, language: cards_in(conn, ids, language))

    def __call__(self, _: Connection, ids: tuple[str, ...], language: str) -> tuple[ArticleCard, ...]:
        return self._ask(ids, language)


def find(wiring: Wiring, conn: Connection, search: Search) -> Found:
    """At most two articles, best first, all live at this moment. A failing search is a refusal, never an error:
    the caller holds as if there were no article."""
    pinned = by_pin(conn, search, wiring.finders.version)
    if pinned is not None:
        return pinned
    begun = time.perf_counter()
    try:
        if search.transcript and wiring.places.left_out() >= Left.SEARCHES:
            shed.count("search")
            raise SearchBusy
        answer = wiring.finders.find(query_of(search), search.wrong_share, wiring.unanswerable)
    except SearchBusy:
        log.warning("search_busy")
        figures.count_search("busy", "search_busy", time.perf_counter() - begun)
        return Found((), "search_busy", None, None, wiring.finders.version)
    except Exception:
        log.exception("search_failed")
        figures.count_search("failed", "search_failed", time.perf_counter() - begun)
        return Found((), "search_failed", None, None, wiring.finders.version)
    found = by_search(conn, search, answer)
    figures.count_search("refused" if found.reason else "matched", found.reason or "", time.perf_counter() - begun)
    return found


def find_all(
    wiring: Wiring, conn: Connection, searches: Iterable[Search], cores: int, told: Callable[[int], None]
) -> dict[Search, Found]:
    """As `find` for many, each question asked once, without the door: not for a process that answers calls. `told`
    hears now and then how many searches are done. Raises what a search raises."""
    finder, known = wiring.finders.current(), _Remembered(conn)
    found = {search: by_pin(conn, search, wiring.finders.version, known) for search in searches}
    asked = {search: query_of(search) for search, pinned in found.items() if pinned is None}
    if finder is None:
        return {search: pinned or Found((), "no_index", None, None, None) for search, pinned in found.items()}
    ranked = finder.rank_all(asked.values(), cores, told)
    for search, query in asked.items():
        ranking = ranked[query]
        if isinstance(ranking, NoMatch):
            answer: Match | NoMatch = ranking
        else:
            answer = finder.judged(ranking, search.wrong_share, wiring.unanswerable)
        found[search] = by_search(conn, search, answer, known)
    return {search: one for search, one in found.items() if one is not None}


def by_pin(conn: Connection, search: Search, index_version: str | None, cards: Cards = cards_in) -> Found | None:
    """The pinned articles that may be offered now; None where there are none, and one must search."""
    pinned = cards(conn, search.pinned, search.language)
    return Found(pinned[:2], None, 1.0, None, index_version, how="pin") if pinned else None


def by_search(conn: Connection, search: Search, answer: Match | NoMatch, cards: Cards = cards_in) -> Found:
    """What of the finder's answer may be offered now."""
    if not isinstance(answer, Match):
        return Found((), answer.reason, answer.score, None, answer.index_version, logit=answer.logit)
    ids = [answer.article_id]
    if answer.runner_up is not None:
        ids.append(answer.runner_up)
    offered = cards(conn, tuple(ids), search.language)
    reason = None
    if not offered or offered[0].id != answer.article_id:
        gone = articles.state(conn, answer.article_id) != "live"
        offered, reason = (), "article_stale" if gone else "not_allowed_here"
    return Found(offered, reason, answer.score, answer.margin, answer.index_version, logit=answer.logit)
