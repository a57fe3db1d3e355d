"""From a leaf's question to the articles that may be offered there."""

import structlog
from psycopg import Connection

from ivr.call.effects import Search
from ivr.call.events import Found
from ivr.wiring import Wiring
from models import articles
from search.door import SearchBusy
from search.query import Query
from search.result import ArticleCard, Match

log = structlog.get_logger()


def find(wiring: Wiring, conn: Connection, search: Search) -> Found:
    """At most two articles, best first, all live at this moment. A failing search is a refusal, never an error:
    the caller holds as if there were no article."""
    pinned = _cards(conn, search.pinned, search.language)
    if pinned:
        return Found(pinned[:2], None, 1.0, None, wiring.finders.version, how="pin")
    try:
        query = Query(search.path, search.transcript, search.language, search.allowed_tags)
        answer = wiring.finders.find(query, search.wrong_share, wiring.unanswerable)
    except SearchBusy:
        log.warning("search_busy")
        return Found((), "search_busy", None, None, wiring.finders.version)
    except Exception:
        log.exception("search_failed")
        return Found((), "search_failed", None, None, wiring.finders.version)
    if not isinstance(answer, Match):
        return Found((), answer.reason, answer.score, None, answer.index_version, logit=answer.logit)
    ids = [answer.article_id]
    if answer.runner_up is not None:
        ids.append(answer.runner_up)
    cards = _cards(conn, tuple(ids), search.language)
    reason = None
    if not cards or cards[0].id != answer.article_id:
        gone = articles.state(conn, answer.article_id) != "live"
        cards, reason = (), "article_stale" if gone else "not_allowed_here"
    return Found(cards, reason, answer.score, answer.margin, answer.index_version, logit=answer.logit)


def _cards(conn: Connection, ids: tuple[str, ...], language: str) -> tuple[ArticleCard, ...]:
    if not ids:
        return ()
    return tuple(card for card in articles.cards(conn, ids) if card.language == language and card.spoken)
