"""Articles: found, read with what callers did with them, reworded, withdrawn and brought back."""

from datetime import datetime
from typing import Literal

from psycopg import Connection
from pydantic import Field

from ivr.console import articles as work
from ivr.console.articles import Did, Rewording
from ivr.console.intervals import Share
from ivr.web.api.guards import wiring
from ivr.web.api.operations import Group, by
from ivr.web.api.values import Given, Line, Placed, Places, Reason, Told, Why, Words, numbered, place
from models.article_lists import Place, Wanted

articles = Group("articles")


class ArticlesAsked(Places):
    """Which articles; what is left out does not matter."""

    words: Line = Field("", description="of the title, the question or the answer; or a whole id")
    source: Line = ""
    language: Line = ""
    state: Literal["", "live", "lapsed", "withdrawn"] = ""
    tag: Line = ""


class ShareTold(Told):
    """`count` of `of`; the true share lies between `low` and `high` (95 %)."""

    count: int
    of: int
    low: float
    high: float


class DidTold(Told):
    """What callers did with it in the last 28 days. A share is one of those who could."""

    offered: int
    heard: int
    taken: ShareTold
    opened: ShareTold
    solved: ShareTold
    not_solved: ShareTold
    back: ShareTold = Field(description="contacted us again within 7 days")


class ArticleLine(Told):
    """An article of a list. `did` null: nothing in the last 28 days."""

    id: str
    title: str
    source: str
    language: str
    state: str = Field(description="live, lapsed or withdrawn")
    tags: list[str]
    has_short: bool = Field(description="whether something can be read to a caller")
    edited: bool = Field(description="by people")
    changed_at: datetime | None
    did: DidTold | None


class LeafOf(Told):
    """A leaf of the live menu it has to do with."""

    leaf: str
    labels: list[str]
    how: str = Field(description='pinned, forbidden, or "": it was only found there')
    calls: int


class ArticleTold(Told):
    """An article as callers get it. `imported_short` and `imported_title` are what its source has."""

    id: str
    title: str
    short: str | None
    imported_title: str
    imported_short: str | None
    edited_by: str | None
    edit_holds: bool = Field(description="false: the accepted answer changed since it was edited")
    seen: str = Field(description="tells the accepted answer; to be sent with an edit")
    question: str
    answer: str | None
    url: str
    tags: list[str]
    language: str
    licence: str
    source: str
    source_there: bool
    state: str
    asked_at: datetime | None
    changed_at: datetime | None
    text: str | None = Field(description="the text that would go out; null: the menu has not its language")
    did: DidTold
    leaves: list[LeafOf]


class RewordIn(Given):
    """Another short version and title than the imported ones; "" takes what was imported."""

    short: Words = ""
    title: Words = ""
    seen: Line = Field(description="as the article told it")
    why: Why


@articles.operation("GET", "/v1/articles", scope="read", query=ArticlesAsked, answer=Placed[ArticleLine])
def listed(conn: Connection, query: ArticlesAsked) -> Placed[ArticleLine]:
    """Articles, those offered most often in the last 28 days first."""
    wanted = Wanted(query.words, query.source, query.language, query.state, query.tag)
    after = Place(*numbered(query.after)) if query.after else None
    found = work.find(conn, wiring(), wanted, after, query.limit)
    items = [
        ArticleLine(
            id=one.article.id, title=one.article.title, source=one.article.source, language=one.article.language,
            state=one.article.state, tags=one.article.tags, has_short=one.article.has_short,
            edited=one.article.edited, changed_at=one.article.changed_at, did=_did(one.did) if one.did else None,
        )
        for one in found.lines
    ]  # fmt: skip
    return Placed[ArticleLine](items=items, next=place(*found.after) if found.after else None)


@articles.operation("GET", "/v1/articles/<article_id>", scope="read", answer=ArticleTold)
def read(conn: Connection, article_id: str) -> ArticleTold:
    """One article."""
    return _article(conn, article_id)


@articles.operation("PUT", "/v1/articles/<article_id>/wording", scope="articles", body=RewordIn, answer=ArticleTold)
def reword(conn: Connection, article_id: str, body: RewordIn) -> ArticleTold:
    """Another short version or title: heard from the next search on, as long as the accepted answer is the same."""
    work.view(conn, wiring(), article_id, "en")  # a thread that waits is edited in the review queue
    work.edit(conn, wiring(), by(), article_id, Rewording(body.short, body.title, body.seen, body.why))
    return _article(conn, article_id)


@articles.operation("POST", "/v1/articles/<article_id>/withdraw", scope="articles", body=Reason, answer=ArticleTold)
def withdraw(conn: Connection, article_id: str, body: Reason) -> ArticleTold:
    """Offer and show it no more, from the next turn of every call on, whatever is imported."""
    work.view(conn, wiring(), article_id, "en")
    work.withdraw(conn, wiring(), by(), [article_id], body.why)
    return _article(conn, article_id)


@articles.operation("POST", "/v1/articles/<article_id>/restore", scope="articles", body=Reason, answer=ArticleTold)
def restore(conn: Connection, article_id: str, body: Reason) -> ArticleTold:
    """Take a withdrawal back. What its source does not give any more, or may not, only lapses."""
    work.view(conn, wiring(), article_id, "en")
    work.restore(conn, wiring(), by(), [article_id], body.why)
    return _article(conn, article_id)


def _article(conn: Connection, article_id: str) -> ArticleTold:
    view = work.view(conn, wiring(), article_id, "en")
    article, kept, edit = view.article, view.kept, view.edit
    return ArticleTold(
        id=article.id, title=view.title, short=view.short, imported_title=article.title, imported_short=article.short,
        edited_by=edit.who if edit else None, edit_holds=view.holds, seen=kept.answer_hash, question=article.question,
        answer=article.accepted.text if article.accepted else None, url=article.url, tags=list(article.tags),
        language=article.language, licence=article.licence, source=kept.source, source_there=view.source_there,
        state=kept.state, asked_at=kept.asked_at, changed_at=kept.changed_at,
        text=view.text.body if view.text else None, did=_did(view.did),
        leaves=[LeafOf(leaf=one.leaf, labels=list(one.labels), how=one.how, calls=one.calls) for one in view.at],
    )  # fmt: skip


def _did(one: Did) -> DidTold:
    return DidTold(
        offered=one.offered, heard=one.heard, taken=_share(one.taken), opened=_share(one.opened),
        solved=_share(one.solved), not_solved=_share(one.not_solved), back=_share(one.back),
    )  # fmt: skip


def _share(one: Share) -> ShareTold:
    return ShareTold.model_validate(one)
