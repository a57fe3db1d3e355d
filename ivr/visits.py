"""Visits to a texted link: which text it was, whether a person came, and what that person said."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from psycopg import Connection

from ivr import kept_texts
from ivr.call.plan import Plan
from ivr.jobs.answer_text import say_not, say_solved
from ivr.texts import links
from ivr.texts.links import Look, Visit
from ivr.wiring import Wiring
from models import articles, calls, facts, incidents
from models import texts as text_rows
from models.texts import Text
from search.article import Article

LINK_LIVES = timedelta(days=30)
Saying = Literal["solved", "help", "community", "source"]


@dataclass(frozen=True)
class Arrival:
    """A request for a link, freed of the web. `how`: get, tap or visible; `says`: the button
    tapped.
    """

    method: str
    how: str
    user_agent: str
    purpose: str
    says: Saying | None = None
    visible_ms: int = 0


@dataclass(frozen=True)
class Page:
    """What the link shows. `article` is None when it was withdrawn; `number` is the one to tap for a
    person. `news` are an incident's, "" when it is over; None for a link to an article.
    """

    plan: Plan
    article: Article | None
    language: str
    number: str
    news: str | None = None


def visit(wiring: Wiring, token: str, arrival: Arrival) -> Page | None:
    """Record a visit and give its page; None for a token that is unknown, misspelt or older than 30 days."""
    now = wiring.clock()
    with wiring.pool.connection() as conn:
        text = kept_texts.by_token(wiring, conn, token) if links.TOKEN.fullmatch(token) else None
        if text is None or now - text.created_at > LINK_LIVES:
            return None
        plan = wiring.plans.live(conn)
        if text.kind == "status":
            number = plan.callback_number or _called(conn, text)
            return Page(plan, None, text.language, number, _news(conn, text, now))
        look = links.looks_human(
            Visit(
                arrival.method,
                arrival.how,
                arrival.user_agent,
                arrival.purpose,
                at=now,
                # A send that timed out has no time of its own, yet the text may have come.
                sent_at=text.sent_at or text.created_at,
                visible_ms=arrival.visible_ms,
            )
        )
        _record(wiring, conn, text, look, arrival.says, plan)
        live = articles.state(conn, text.article_id) == "live"
        article = articles.read(conn, text.article_id) if live else None
        number = plan.callback_number or _called(conn, text)
    return Page(plan, article, article.language if article else text.language, number)


def _news(conn: Connection, text: Text, now: datetime) -> str:
    """What there is to tell now of the incident a text was about, in the text's language where it was written in it."""
    incident = incidents.read(conn, int(text.article_id.removeprefix("incident:")))
    if incident is None or not incident.current(now):
        return ""
    told = incident.news or incident.message
    return told.get(text.language) or next(iter(told.values()))


def _called(conn: Connection, text: Text) -> str:
    """The number the caller had dialled; the sender of the text once the call is erased."""
    call = calls.read(conn, text.call_sid)
    return str(call["number"]) if call else text.from_number


def _record(wiring: Wiring, conn: Connection, text: Text, look: Look, says: Saying | None, plan: Plan) -> None:
    now = wiring.clock()

    def fact(name: str, once: str, **more: str) -> None:
        told = {"text_id": text.id, **more}
        facts.add(conn, text.call_sid, name, now, told, once=once, plan_version=plan.version)

    if look.machine:
        fact("link_scanned", f"link_scanned:{text.id}:{look.why}", why=look.why)
    if not look.human:
        return
    with conn.transaction():
        fact("clicked", f"clicked:{text.id}", how=look.why)
        if says == "solved":
            say_solved(conn, text, now, look.why, plan.version)
        elif says == "help":
            say_not(conn, text, now, look.why, plan.version)
        elif says == "community":
            fact("community_visited", f"community_visited:{text.id}", to="community")
        elif says == "source":
            fact("community_visited", f"source_visited:{text.id}", to="source")
        if says in ("solved", "help"):
            text_rows.cancel_follow_ups(conn, text.call_sid)
