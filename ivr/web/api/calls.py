"""Calls: found by what they came to, and each told turn by turn. No number is whole, and what was said is not told."""

from datetime import datetime

from psycopg import Connection
from pydantic import Field

from ivr.console import calls as work
from ivr.console.calls import Story
from ivr.web.api.guards import wiring
from ivr.web.api.operations import Group
from ivr.web.api.values import Line, Moment, Placed, Places, Told, moment, place, timed
from models import call_lists
from models.call_lists import Wanted

calls = Group("calls")


class CallsAsked(Places):
    """Which calls; what is left out does not matter."""

    since: Moment | None = None
    until: Moment | None = None
    queue: Line | None = None
    leaf: Line | None = None
    article: Line | None = None
    outcome: Line | None = None


class CallLine(Told):
    """A call of a list."""

    call_sid: str
    started_at: datetime
    language: str
    test: bool
    queue: str | None
    leaf: str | None
    article: str | None
    offered: bool
    accepted: bool
    waited_s: int | None
    outcome: str | None


class HappenedTold(Told):
    """A fact in words, and what else it says, by the vocabulary's names."""

    name: str
    words: str
    reason: str | None
    details: dict[str, str]


class TurnTold(Told):
    """What happened at one instant."""

    after_s: float
    at: datetime
    happened: list[HappenedTold]
    plan_version: int | None
    index_version: str | None


class TextTold(Told):
    """A text of the call, without its wording."""

    kind: str
    article: str
    status: str
    segments: int
    created_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None


class StoryTold(Told):
    """A call turn by turn."""

    call_sid: str
    started_at: datetime
    language: str
    test: bool
    called: str
    number: str | None = Field(description="masked but for its last two digits; null: withheld or erased")
    outcome: str
    turns: list[TurnTold]
    texts: list[TextTold]


@calls.operation("GET", "/v1/calls", scope="calls", query=CallsAsked, answer=Placed[CallLine])
def listed(conn: Connection, query: CallsAsked) -> Placed[CallLine]:
    """Calls that are over and summarized (within minutes), newest first."""
    wanted = Wanted(
        since=moment("since", query.since) if query.since else None,
        until=moment("until", query.until) if query.until else None,
        queue=query.queue, leaf=query.leaf, article=query.article, outcome=query.outcome,
        before=timed(query.after) if query.after else None,
    )  # fmt: skip
    rows = call_lists.find(conn, wanted, query.limit + 1)
    found = rows[: query.limit]
    following = place(found[-1].started_at.isoformat(), found[-1].call_sid) if len(rows) > query.limit else None
    return Placed[CallLine](items=[CallLine.model_validate(one) for one in found], next=following)


@calls.operation("GET", "/v1/calls/<call_sid>", scope="calls", answer=StoryTold)
def story(conn: Connection, call_sid: str) -> StoryTold:
    """One call turn by turn: what was pressed, found, offered and texted, and what became of it."""
    return _story(work.story(conn, wiring(), call_sid, words=False))


def _story(one: Story) -> StoryTold:
    turns = [
        TurnTold(
            after_s=turn.after_s, at=turn.at, plan_version=turn.plan_version, index_version=turn.index_version,
            happened=[
                HappenedTold(name=it.name, words=str(it.words), reason=str(it.reason) if it.reason else None,
                             details=dict(it.details))
                for it in turn.happened
            ],
        )
        for turn in one.turns
    ]  # fmt: skip
    texts = [
        TextTold(kind=text.kind, article=text.article_id, status=text.status, segments=text.segments,
                 created_at=text.created_at, sent_at=text.sent_at, settled_at=text.settled_at)
        for text in one.texts
    ]  # fmt: skip
    return StoryTold(
        call_sid=one.call_sid, started_at=one.started_at, language=one.language, test=one.test, called=one.called,
        number=one.number, outcome=str(one.outcome), turns=turns, texts=texts,
    )  # fmt: skip
