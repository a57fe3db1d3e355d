"""Menus: what is live, drafts, publishing, going back."""

from datetime import datetime
from typing import Annotated

from psycopg import Connection
from pydantic import Field

from ivr.console import menus as work
from ivr.console.errors import Missing
from ivr.console.menus import Saved
from ivr.planfile.problems import Problem
from ivr.web.api.guards import wiring
from ivr.web.api.operations import NUMBER, Group, by
from ivr.web.api.values import All, Done, Given, Id, Line, Reason, Told, Why
from models import drafts, plans
from models.drafts import Draft

menus = Group("menus")

Yaml = Annotated[str, Field(pattern=r"^[^\x00]*$", max_length=300_000, description="a menu file, see docs/menus.md")]
Revision = Annotated[Id, Field(description="the revision it was made from")]


class PlanTold(Told):
    """A version of the menu that was live."""

    version: int
    published_at: datetime
    published_by: str
    reason: str
    source_version: int | None = Field(description="set when an older version was brought back")
    live: bool


class PlanText(PlanTold):
    """A version with its text, and what it changed of the one before, in words."""

    yaml: str
    changes: list[str]


class Version(Told):
    """The version that is live now."""

    version: int


class FindingTold(Told):
    """A problem of a menu file. One with an error cannot be published."""

    line: int
    column: int
    error: bool
    what: str
    do: str


class DraftLine(Told):
    """A draft of the next menu."""

    id: int
    name: str
    base_version: int | None
    revision: int
    made_by: str
    made_at: datetime
    changed_by: str
    changed_at: datetime
    published_version: int | None
    closed_at: datetime | None


class DraftTold(DraftLine):
    """A draft with its text and all its problems. `behind`: the live menu is not the one it began from."""

    yaml: str
    behind: bool
    problems: list[FindingTold]
    changes: list[str] | None = Field(description="what it changes of the live menu; null: it cannot be read")


class DraftIn(Given):
    """A draft to begin: of the live menu (`yaml` null), or of a text."""

    name: Line
    yaml: Yaml | None = None


class TextIn(Given):
    """A whole text for a draft. What others saved since `revision` is merged with it."""

    revision: Revision
    yaml: Yaml


class SavedTold(Told):
    """The draft's new revision, and who else's changes are in it."""

    revision: int
    merged_with: str | None


class PublishIn(Given):
    """Which revision of a draft is published, and why."""

    revision: Revision
    why: Why


class CheckIn(Given):
    """A menu file to look over."""

    yaml: Yaml


@menus.operation("GET", "/v1/plans", scope="read", answer=All[PlanTold])
def versions(conn: Connection) -> All[PlanTold]:
    """Every version of the menu that was live, newest first."""
    return All[PlanTold](items=[PlanTold.model_validate(one) for one in plans.history(conn)])


@menus.operation("GET", f"/v1/plans/<{NUMBER}:version>", scope="read", answer=PlanText)
def version(conn: Connection, version: int) -> PlanText:
    """One version: its text, and what it changed."""
    changes = work.between(conn, version)
    about = next(one for one in plans.history(conn) if one.version == version)
    told = PlanTold.model_validate(about)
    return PlanText(**told.model_dump(), yaml=plans.yaml(conn, version) or "", changes=changes)


@menus.operation("POST", f"/v1/plans/<{NUMBER}:version>/rollback", scope="menus", body=Reason, answer=Version)
def rollback(conn: Connection, version: int, body: Reason) -> Version:
    """Make an older version live again, as a new one: new calls hear it at once."""
    return Version(version=work.rollback(conn, wiring(), by(), version, body.why))


@menus.operation("POST", "/v1/plans/check", scope="read", body=CheckIn, answer=All[FindingTold])
def check(conn: Connection, body: CheckIn) -> All[FindingTold]:
    """Look a menu file over; nothing is kept."""
    return All[FindingTold](items=[_finding(one) for one in work.reading(body.yaml).problems])


@menus.operation("GET", "/v1/drafts", scope="read", answer=All[DraftLine])
def listed(conn: Connection) -> All[DraftLine]:
    """The drafts being worked on, newest change first."""
    return All[DraftLine](items=[DraftLine.model_validate(one) for one in drafts.listed(conn)])


@menus.operation("POST", "/v1/drafts", scope="menus", body=DraftIn, answer=DraftTold, status=201, once=True)
def begin(conn: Connection, body: DraftIn) -> DraftTold:
    """Begin a draft of the live menu, or of a text."""
    return _draft(conn, work.begin(conn, wiring(), by(), body.name, body.yaml))


@menus.operation("GET", f"/v1/drafts/<{NUMBER}:draft_id>", scope="read", answer=DraftTold)
def draft(conn: Connection, draft_id: int) -> DraftTold:
    """One draft with its text and its problems."""
    return _draft(conn, draft_id)


@menus.operation("PUT", f"/v1/drafts/<{NUMBER}:draft_id>", scope="menus", body=TextIn, answer=SavedTold)
def save(conn: Connection, draft_id: int, body: TextIn) -> SavedTold:
    """Save a whole text; changes that others saved meanwhile are merged with it."""
    return _saved(work.save(conn, wiring(), by(), draft_id, _known(conn, draft_id, body.revision), body.yaml))


@menus.operation(
    "POST", f"/v1/drafts/<{NUMBER}:draft_id>/publish", scope="menus", body=PublishIn, answer=Version
)  # fmt: skip
def publish(conn: Connection, draft_id: int, body: PublishIn) -> Version:
    """Make a draft the live menu: new calls hear it at once, calls under way finish on theirs."""
    return Version(version=work.publish(conn, wiring(), by(), draft_id, body.revision, body.why))


@menus.operation("POST", f"/v1/drafts/<{NUMBER}:draft_id>/discard", scope="menus", body=Reason, answer=Done)
def discard(conn: Connection, draft_id: int, body: Reason) -> Done:
    """Throw a draft away; it is kept for 90 days."""
    work.discard(conn, wiring(), by(), draft_id, body.why)
    return Done()


@menus.operation("POST", f"/v1/drafts/<{NUMBER}:draft_id>/reopen", scope="menus", answer=Done)
def reopen(conn: Connection, draft_id: int) -> Done:
    """Bring back a draft that was thrown away."""
    work.reopen(conn, wiring(), by(), draft_id)
    return Done()


def _known(conn: Connection, draft_id: int, revision: int) -> int:
    if drafts.text_of(conn, draft_id, revision) is None:
        raise Missing(f"draft {draft_id} has no revision {revision}")
    return revision


def _draft(conn: Connection, draft_id: int) -> DraftTold:
    found = work.draft(conn, draft_id)
    told = _line(found.draft).model_dump()
    findings = [_finding(one) for one in found.reading.problems]
    changes = work.changes(conn, found.draft)
    return DraftTold(**told, yaml=found.draft.yaml, behind=found.behind, problems=findings, changes=changes)


def _line(found: Draft) -> DraftLine:
    return DraftLine.model_validate(found)


def _saved(saved: Saved) -> SavedTold:
    return SavedTold(revision=saved.revision, merged_with=saved.merged_with)


def _finding(one: Problem) -> FindingTold:
    return FindingTold(line=one.place.line, column=one.place.column, error=one.error, what=one.what, do=one.do)
