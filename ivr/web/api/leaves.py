"""What each leaf finds, trying a sentence out, and rehearsing a draft."""

from datetime import datetime
from typing import Annotated, Any, Literal

from psycopg import Connection
from pydantic import Field

from ivr.console import mapping, rehearsal, trying
from ivr.console.errors import Wrong, sentence
from ivr.web.api.guards import wiring
from ivr.web.api.operations import NUMBER, Group, by
from ivr.web.api.values import All, Given, Id, Line, Told, Whole, Words
from models import studies
from models.studies import Study

leaves = Group("leaves")


class CandidateTold(Told):
    """An article that was looked at, and what became of it."""

    article: str
    verdict: str
    chance: float


class QuestionTold(Told):
    """What is asked at a leaf: by the path alone (`words` ""), or by what so many callers said."""

    language: str
    words: str
    calls: int
    reason: str | None = Field(description="why nothing is offered")
    gate: float | None
    article: str | None
    candidates: list[CandidateTold]


class LeafTold(Told):
    """A leaf. `calls` and `nothing` (callers that nothing was found for) are of the last 28 days."""

    leaf: str
    queue: str
    labels: list[str]
    calls: int
    nothing: int
    why: str | None
    pinned: dict[str, list[str]]
    forbidden: list[str]
    allowed_tags: list[str]
    never_offer: bool
    questions: list[QuestionTold]


class LeafIn(Given):
    """One change at a leaf, made in a draft (`draft_id` null: in a new one)."""

    how: Literal["pin", "unpin", "forbid", "allow", "tags", "never", "ever"]
    article: Line = ""
    tags: list[Line] = Field([], max_length=50)
    draft_id: Id | None = None


class LeafChanged(Told):
    """The draft in which it is changed, and its new revision."""

    draft_id: int
    revision: int


class TryIn(Given):
    """A sentence at a place of the menu. `leaf` "": as one who asked for an agent at once; `draft_id` null: live."""

    leaf: Line = ""
    language: Line
    words: Words
    draft_id: Id | None = None


class PieceTold(Told):
    """A piece of evidence: its value, and what it adds to the candidate's score."""

    name: str
    value: float
    adds: float


class TriedCandidate(Told):
    """A candidate with what speaks for it."""

    article_id: str
    title: str | None
    verdict: str
    chance: float
    score: float
    pieces: list[PieceTold]


class Tried(Told):
    """What a caller would be offered: the first article, or the reason for none."""

    articles: list[str]
    reason: str | None
    how: str
    gate: float | None
    searched: str | None
    candidates: list[TriedCandidate]


class RehearseIn(Given):
    """Over how many of the latest calls."""

    calls: Annotated[int, Field(ge=1, le=10_000), Whole] = 2000


class StudyTold(Told):
    """Work on callers of the last days. `told` has its figures once `state` is done."""

    id: int
    kind: str
    state: str
    done: int
    total: int
    asked_by: str
    asked_at: datetime
    ended_at: datetime | None
    told: dict[str, Any] | None


@leaves.operation("GET", "/v1/leaves", scope="read", answer=All[LeafTold])
def listed(conn: Connection) -> All[LeafTold]:
    """Every leaf of the live menu with the articles its callers get; those that find nothing first, by calls."""
    _is_live(conn)
    views = mapping.look(conn, wiring(), "en").leaves
    return All[LeafTold](items=[_leaf(one) for one in views])


def _is_live(conn: Connection) -> None:
    try:
        wiring().plans.live(conn)
    except LookupError:
        raise Wrong({"": sentence("Nothing is published yet.")}) from None


def _leaf(one: mapping.LeafView) -> LeafTold:
    leaf = one.leaf
    return LeafTold(
        leaf=leaf.id, queue=leaf.queue, labels=list(one.labels), calls=one.calls, nothing=one.nothing, why=one.why,
        pinned={code: list(ids) for code, ids in leaf.pinned.items()}, forbidden=sorted(leaf.forbidden),
        allowed_tags=sorted(leaf.allowed_tags), never_offer=leaf.never_offer,
        questions=[QuestionTold.model_validate(asked) for asked in one.questions],
    )  # fmt: skip


@leaves.operation("POST", "/v1/leaves/<leaf>/change", scope="menus", body=LeafIn, answer=LeafChanged)
def change(conn: Connection, leaf: str, body: LeafIn) -> LeafChanged:
    """Pin or forbid an article, allow only some tags, or never offer here, in a draft."""
    wanted = mapping.Change(leaf, body.how, body.article, tuple(body.tags))
    draft_id, saved = mapping.change(conn, wiring(), by(), body.draft_id, None, wanted)
    return LeafChanged(draft_id=draft_id, revision=saved.revision)


@leaves.operation("POST", "/v1/leaves/study", scope="menus", answer=StudyTold, status=202)
def study(conn: Connection) -> StudyTold:
    """Have worked out anew what each leaf finds; the worker does it."""
    return _study(studies.read(conn, mapping.ask(conn, wiring(), by())))


@leaves.operation("POST", "/v1/try", scope="read", body=TryIn, answer=Tried)
def try_out(conn: Connection, body: TryIn) -> Tried:
    """What a caller who says this there would be offered, with the evidence piece by piece."""
    _is_live(conn)
    trial = trying.try_out(conn, wiring(), trying.Wanted(body.leaf, body.language, body.words, body.draft_id))
    told, found = trial.explained, trial.found
    return Tried(
        articles=[card.id for card in found.cards], reason=found.reason, how=found.how,
        gate=told.gate if told else None, searched=told.searched if told else None,
        candidates=[
            TriedCandidate(
                article_id=one.article_id, title=trial.titles.get(one.article_id), verdict=one.verdict,
                chance=one.chance, score=one.score, pieces=[PieceTold.model_validate(piece) for piece in one.pieces],
            )
            for one in (told.candidates if told else ())
        ],
    )  # fmt: skip


@leaves.operation(
    "POST", f"/v1/drafts/<{NUMBER}:draft_id>/rehearsals", scope="menus", body=RehearseIn, answer=StudyTold, status=202,
)  # fmt: skip
def rehearse(conn: Connection, draft_id: int, body: RehearseIn) -> StudyTold:
    """Have a draft run over the latest real calls (500, 2000 or 10,000); the worker does it."""
    return _study(studies.read(conn, rehearsal.ask(conn, wiring(), by(), draft_id, body.calls)))


@leaves.operation("GET", f"/v1/drafts/<{NUMBER}:draft_id>/rehearsals", scope="read", answer=All[StudyTold])
def rehearsals(conn: Connection, draft_id: int) -> All[StudyTold]:
    """The rehearsals of a draft."""
    return All[StudyTold](items=[_study(one) for one in studies.of_draft(conn, draft_id)])


def _study(found: Study | None) -> StudyTold:
    assert found is not None
    return StudyTold.model_validate(found)
