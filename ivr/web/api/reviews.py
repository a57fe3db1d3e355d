"""The review queue: threads that only their source's trust rule keeps from callers."""

from datetime import datetime
from typing import Literal

from psycopg import Connection
from pydantic import Field

from ivr.console import reviews as work
from ivr.web.api.guards import wiring
from ivr.web.api.operations import Group, by
from ivr.web.api.values import All, Given, Line, Placed, Places, Told, Words, numbered, place

reviews = Group("reviews")


class ReviewsAsked(Places):
    """Which of them; what is left out does not matter."""

    source: Line = ""
    reason: Literal["", "not approved", "no accepted answer", "not solved"] = ""


class ReviewTold(Told):
    """A thread that waits."""

    article: str
    source: str
    reason: str
    calls: int = Field(description="it would have served of late, as far as that was counted")
    title: str
    question: str
    url: str
    language: str
    answer: str | None = Field(description="what callers would get; null: its text cannot be an article")
    short: str | None = Field(description="what callers would hear")
    edited: bool
    seen: str = Field(description="tells the words; to be sent with a decision, which is about these")


class Pick(Given):
    """A thread, and the words somebody had before them."""

    article: Line
    seen: Line


class DecideIn(Given):
    """Yes or no to threads, or taking that back."""

    how: Literal["approve", "refuse", "undo"]
    threads: list[Pick] = Field(min_length=1, max_length=200)
    why: Words = ""


class DecisionTold(Told):
    """The articles it was for; how many threads had changed before it and are left as they were."""

    done: list[str]
    changed: int


class DecidedTold(Told):
    """What was decided. `how`: approved, refused, or changed (the words are others now)."""

    article: str
    source: str
    title: str
    seen: str
    how: str
    who: str
    at: datetime


@reviews.operation("GET", "/v1/reviews", scope="read", query=ReviewsAsked, answer=Placed[ReviewTold])
def listed(conn: Connection, query: ReviewsAsked) -> Placed[ReviewTold]:
    """What waits, by the calls it would serve."""
    after = numbered(query.after) if query.after else None
    found = work.queue(conn, query.source, query.reason, after, query.limit)
    items = [_line(one) for one in found.lines]
    return Placed[ReviewTold](items=items, next=place(*found.after) if found.after else None)


@reviews.operation("POST", "/v1/reviews/decide", scope="articles", body=DecideIn, answer=DecisionTold)
def decide(conn: Connection, body: DecideIn) -> DecisionTold:
    """Approve, refuse, or take that back: felt on the next turn of every call."""
    seen = {one.article: one.seen for one in body.threads}
    done = work.decide(conn, wiring(), by(), body.how, seen, body.why)
    return DecisionTold(done=list(done.done), changed=done.changed)


@reviews.operation("GET", "/v1/reviews/decided", scope="read", answer=All[DecidedTold])
def decided(conn: Connection) -> All[DecidedTold]:
    """What was decided last."""
    items = [
        DecidedTold(article=one.article_id, source=one.source, title=one.title, seen=one.content_hash, how=one.how,
                    who=one.who, at=one.at)
        for one in work.decided(conn)
    ]  # fmt: skip
    return All[DecidedTold](items=items)


@reviews.operation("GET", "/v1/reviews/<article_id>", scope="read", answer=ReviewTold)
def read(conn: Connection, article_id: str) -> ReviewTold:
    """One thread that waits."""
    return _line(work.one(conn, article_id))


def _line(one: work.Line) -> ReviewTold:
    thread, answer = one.thread, one.article.accepted if one.article else None
    return ReviewTold(
        article=one.article_id, source=one.source, reason=str(one.reason), calls=one.calls, title=thread.title,
        question=thread.question, url=thread.url, language=thread.language, answer=answer.text if answer else None,
        short=one.short, edited=one.edited, seen=one.seen,
    )  # fmt: skip
