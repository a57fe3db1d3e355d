"""Menus at the console: the published one, drafts of the next, publishing and going back."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from psycopg import Connection

from ivr.console.actors import Actor
from ivr.console.errors import Conflict as Overtaken
from ivr.console.errors import Missing, Sentence, Wrong, sentence
from ivr.console.menu_tree import Tree, tree
from ivr.planfile import store
from ivr.planfile.differences import differences
from ivr.planfile.document import Block, NotThere, Path, Unreadable, clean, values_of
from ivr.planfile.merging import Conflict, Merged, merge
from ivr.planfile.problems import PlanRefused, Problem
from ivr.planfile.read import Reading, read_plan
from ivr.planfile.tree import MOST_BYTES
from ivr.wiring import Wiring
from models import audit, counts, drafts, plans
from models.drafts import Draft
from models.plans import Published

COUNTED = timedelta(days=28)
LONGEST_NAME = 80
LONGEST_WHY = 300
ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")  # zip, an empty one, gzip, 7-Zip, RAR

Change = Callable[[str], str]


class SetAside(Exception):
    """Somebody saved first, in the same places: the text is kept as `save_id` until a person decides."""

    def __init__(self, save_id: int) -> None:
        super().__init__(save_id)
        self.save_id = save_id


@dataclass(frozen=True)
class Live:
    """The published menu."""

    version: Published
    tree: Tree


@dataclass(frozen=True)
class DraftView:
    """A draft as it stands. `behind`: the live version is not the one it began from."""

    draft: Draft
    data: Block
    reading: Reading
    tree: Tree
    behind: bool
    waiting: tuple[drafts.Save, ...]

    @property
    def errors(self) -> int:
        """How many problems keep it from being published."""
        return len(self.reading.errors)


@dataclass(frozen=True)
class Saved:
    """A revision, and whose changes it was merged with."""

    revision: int
    merged_with: str | None = None


@dataclass(frozen=True)
class Merging:
    """Two texts of one draft that contradict each other. `their_name` changed it to what it is now."""

    draft: Draft
    save_id: int | None
    conflicts: tuple[Conflict, ...]
    their_name: str
    my_name: str


@lru_cache(maxsize=16)
def reading(text: str) -> Reading:
    """What a text says as a plan, and all its problems. Kept: reading one takes longer than a page may."""
    return read_plan(text.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=16)
def _values(text: str) -> Block:
    return values_of(text)


# ---- looking


def live(conn: Connection, wiring: Wiring) -> Live | None:
    """The published menu with what callers chose in the last 28 days; None before the first publication."""
    version = plans.live_version(conn)
    about = next((one for one in plans.history(conn) if one.version == version), None)
    if version is None or about is None:
        return None
    text = plans.yaml(conn, version) or ""
    chosen = counts.branches(conn, (wiring.clock() - COUNTED).date())
    with suppress(Unreadable):
        return Live(about, tree(text, _values(text), (), chosen))
    return None


def draft(conn: Connection, draft_id: int) -> DraftView:
    """A draft with its problems. Raises Missing."""
    found = _draft(conn, draft_id)
    read = reading(found.yaml)
    return DraftView(
        found,
        _values(found.yaml),
        read,
        tree(found.yaml, _values(found.yaml), read.problems),
        behind=_behind(conn, found),
        waiting=tuple(drafts.waiting(conn, draft_id)),
    )


def _draft(conn: Connection, draft_id: int) -> Draft:
    found = drafts.read(conn, draft_id)
    if found is None:
        raise Missing(f"there is no draft {draft_id}")
    return found


def _behind(conn: Connection, found: Draft) -> bool:
    version = plans.live_version(conn)
    return version is not None and found.closed_at is None and version != found.base_version


def changes(conn: Connection, found: Draft) -> list[str] | None:
    """What the draft changes of the live menu, in words; None where one of them cannot be read as a plan."""
    plan = reading(found.yaml).plan
    version = plans.live_version(conn)
    if plan is None or version is None:
        return None
    try:
        return differences(store.load(conn, version), plan)
    except LookupError:
        return None


def between(conn: Connection, version: int) -> list[str]:
    """What a version changed of the one before it, in words. Raises Missing."""
    versions = [one.version for one in plans.history(conn)]
    if version not in versions:
        raise Missing(f"there is no plan {version}")
    before = next((one for one in versions if one < version), None)
    if before is None:
        return []
    try:
        return store.diff(conn, before, version)
    except LookupError as error:
        return [str(error)]


# ---- drafts


def begin(conn: Connection, wiring: Wiring, by: Actor, name: str, text: str | None = None) -> int:
    """A new draft: of the live menu, or of a text that was brought along. Raises Wrong."""
    name = " ".join(name.split())
    version = plans.live_version(conn)
    if text is None:
        text = plans.yaml(conn, version) if version is not None else store.STARTER.read_text("utf-8")
    problems: dict[str, Sentence | str] = _wrong_name(name)
    text = clean(text or "")
    problems |= _wrong_text(text, "file")
    if problems:
        raise Wrong(problems)
    with conn.transaction():
        draft_id = drafts.begin(conn, name, text, version, by.name, wiring.clock())
        _note(conn, wiring, by, "draft.begin", draft_id, after={"name": name, "from plan": version})
    return draft_id


def bring(conn: Connection, wiring: Wiring, by: Actor, name: str, raw: bytes) -> int:
    """A new draft from a file. Raises Wrong."""
    if len(raw) > MOST_BYTES:
        raise Wrong({"file": sentence("The file is too big: %(most)s KiB at most.", most=MOST_BYTES // 1024)})
    if raw.startswith(ARCHIVES):
        raise Wrong({"file": sentence("This is an archive. Unpack it, and take the menu file in it.")})
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Wrong({"file": sentence("This is not UTF-8 text. Save the file as UTF-8.")}) from None
    return begin(conn, wiring, by, name, text)


def _wrong_name(name: str) -> dict[str, Sentence | str]:
    if not name:
        return {"name": sentence("Give the draft a name, so that others know what it is for.")}
    if len(name) > LONGEST_NAME:
        return {"name": sentence("At most %(most)s letters.", most=LONGEST_NAME)}
    return {}


def _wrong_text(text: str, field: str) -> dict[str, Sentence | str]:
    try:
        values_of(text)
    except Unreadable as unreadable:
        return {field: "\n".join(_told(one) for one in unreadable.problems[:10])}
    return {"": sentence("Zero characters are not taken.")} if "\0" in text else {}


def _told(problem: Problem) -> str:
    return str(problem)


def save(conn: Connection, wiring: Wiring, by: Actor, draft_id: int, began_from: int, text: str) -> Saved:
    """Put a whole text in the place of a revision; merged with what others saved meanwhile.

    Raises Missing, Wrong (no menu file at all), SetAside (they contradict each other).
    """
    text = clean(text)
    if problems := _wrong_text(text, "yaml"):
        raise Wrong(problems)
    found = _open(conn, draft_id)
    with conn.transaction():
        revision = drafts.save(conn, draft_id, began_from, text, by.name, wiring.clock())
        if revision is not None:
            _note(conn, wiring, by, "draft.save", draft_id, after={"revision": revision})
            return Saved(revision)
    return _merged(conn, wiring, by, found, began_from, text)


def edit(conn: Connection, wiring: Wiring, by: Actor, draft_id: int, began_from: int, change: Change) -> Saved:
    """One change to the revision a form was made from. Raises as `save`, and Wrong where there is nothing to change."""
    _open(conn, draft_id)
    text = drafts.text_of(conn, draft_id, began_from)
    if text is None:
        raise Missing(f"draft {draft_id} has no revision {began_from}")
    try:
        changed = change(text)
    except NotThere as missing:
        raise Wrong({"": str(missing)}) from None
    except Unreadable as unreadable:
        raise Wrong({"": "\n".join(_told(one) for one in unreadable.problems[:10])}) from None
    if changed == text:
        return Saved(began_from)
    return save(conn, wiring, by, draft_id, began_from, changed)


def _open(conn: Connection, draft_id: int) -> Draft:
    found = _draft(conn, draft_id)
    if found.closed_at is not None:
        raise Wrong({"": sentence("This draft is closed. Begin another one.")})
    return found


def _merged(conn: Connection, wiring: Wiring, by: Actor, found: Draft, began_from: int, text: str) -> Saved:
    base = drafts.text_of(conn, found.id, began_from)
    if base is None:
        raise Missing(f"draft {found.id} has no revision {began_from}")
    for _ in range(5):  # against others who save at the same instant
        found = _open(conn, found.id)
        merged = merge(base, found.yaml, text)
        if merged.conflicts:
            break
        with conn.transaction():
            revision = drafts.save(conn, found.id, found.revision, merged.text, by.name, wiring.clock())
            if revision is not None:
                after = {"revision": revision, "merged with": found.changed_by}
                _note(conn, wiring, by, "draft.save", found.id, after=after)
                return Saved(revision, found.changed_by)
    raise SetAside(drafts.put_aside(conn, found.id, began_from, text, by.name, wiring.clock()))


def merging(conn: Connection, draft_id: int, save_id: int | None) -> Merging:
    """What a text that was set aside contradicts, or (None) what the live menu does. Raises Missing."""
    found = _draft(conn, draft_id)
    base, mine, my_name, _ = _sides(conn, found, save_id)
    return Merging(found, save_id, merge(base, found.yaml, mine).conflicts, found.changed_by, my_name)


def _sides(conn: Connection, found: Draft, save_id: int | None) -> tuple[str, str, str, int | None]:
    """(where both began, the other text, who wrote it, the plan's version it is)."""
    if save_id is not None:
        kept = drafts.aside(conn, found.id, save_id)
        base = drafts.text_of(conn, found.id, kept.began_from) if kept else None
        if kept is None or base is None:
            raise Missing(f"nothing of draft {found.id} was set aside as {save_id}")
        return base, kept.yaml, kept.who, None
    version = plans.live_version(conn)
    text = plans.yaml(conn, version) if version is not None else None
    before = plans.yaml(conn, found.base_version) if found.base_version is not None else None
    if text is None:
        raise Missing("nothing is published")
    about = next(one for one in plans.history(conn) if one.version == version)
    return clean(before or text), clean(text), about.published_by, version


def settle(
    conn: Connection,
    wiring: Wiring,
    by: Actor,
    draft_id: int,
    revision: int,
    *,
    save_id: int | None,
    take: Mapping[Path, bool],
) -> Saved:
    """Put the two together: `take` says for each contradiction whether the other text (True) or the draft has it.

    Raises Missing, Wrong where one is not decided yet, Overtaken where the draft was saved meanwhile.
    """
    found = _open(conn, draft_id)
    if found.revision != revision:
        raise Overtaken({"": sentence("%(who)s saved this draft meanwhile. Look once more.", who=found.changed_by)})
    base, mine, _, version = _sides(conn, found, save_id)
    try:
        merged: Merged = merge(base, found.yaml, mine, take)
    except Unreadable as unreadable:
        raise Wrong({"": "\n".join(_told(one) for one in unreadable.problems)}) from None
    if merged.conflicts:
        raise Wrong({"": sentence("Decide each place: one of the two stays.")})
    with conn.transaction():
        saved = drafts.save(conn, draft_id, revision, merged.text, by.name, wiring.clock(), base=version)
        if saved is None:
            raise Overtaken({"": sentence("Somebody saved this draft meanwhile. Look once more.")})
        if save_id is not None:
            drafts.merged(conn, save_id)
        after = {"revision": saved} | ({"with plan": version} if version else {})
        _note(conn, wiring, by, "draft.merge", draft_id, after=after)
    return Saved(saved)


def discard(conn: Connection, wiring: Wiring, by: Actor, draft_id: int, why: str) -> None:
    """Throw a draft away; it is kept for 90 days. Raises Missing, Wrong."""
    found = _open(conn, draft_id)
    with conn.transaction():
        if not drafts.close(conn, draft_id, found.revision, by.name, wiring.clock()):
            raise Overtaken({"": sentence("Somebody saved this draft meanwhile. Look once more.")})
        _note(conn, wiring, by, "draft.discard", draft_id, before={"name": found.name}, why=why)


def reopen(conn: Connection, wiring: Wiring, by: Actor, draft_id: int) -> None:
    """Bring back a draft that was thrown away. Raises Missing, Wrong."""
    found = _draft(conn, draft_id)
    with conn.transaction():
        if not drafts.reopen(conn, draft_id):
            raise Wrong({"": sentence("This draft cannot be brought back.")})
        _note(conn, wiring, by, "draft.reopen", draft_id, after={"name": found.name})


def try_out(conn: Connection, wiring: Wiring, by: Actor, draft_id: int) -> int:
    """Keep the draft as a version only calls of the test phone can get; gives it. Raises Missing, Wrong."""
    found = _open(conn, draft_id)
    if wiring.settings.test_phone != "on":
        raise Wrong({"": sentence("There is no test phone here: TEST_PHONE is off.")})
    if reading(found.yaml).errors:
        raise Wrong({"": sentence("The draft has errors: mend them first.")})
    return plans.put_on_trial(conn, found.yaml, draft_id, by.name, wiring.clock())


# ---- publishing


def publish(conn: Connection, wiring: Wiring, by: Actor, draft_id: int, revision: int, why: str) -> int:
    """Make a draft the live menu: new calls hear it at once, calls under way finish on theirs. Gives the version.

    Raises Missing; Wrong with an error in it, without a reason, or behind what is live; Overtaken where somebody saved
    after what was looked at.
    """
    found = _open(conn, draft_id)
    why = why.strip()
    problems = wrong_why(why)
    if reading(found.yaml).errors:
        problems[""] = sentence("The draft has errors: mend them first.")
    elif _behind(conn, found):
        problems[""] = sentence("The live menu has changed since this draft began. Bring its changes in first.")
    if problems:
        raise Wrong(problems)

    def close(version: int) -> None:
        if not drafts.close(conn, draft_id, revision, by.name, wiring.clock(), published=version):
            raise Overtaken({"": sentence("%(who)s saved this draft meanwhile. Look once more.", who=found.changed_by)})

    try:
        return store.publish_text(conn, found.yaml, _publisher(wiring, by), why, draft_id=draft_id, also=close)
    except PlanRefused as refused:
        raise Wrong({"": str(refused)}) from None


def rollback(conn: Connection, wiring: Wiring, by: Actor, version: int, why: str) -> int:
    """An older version is live again, as a new one. Raises Missing, Wrong."""
    why = why.strip()
    if problems := wrong_why(why):
        raise Wrong(problems)
    try:
        return store.rollback(conn, version, _publisher(wiring, by), why)
    except LookupError as error:
        raise Missing(str(error)) from None


def _publisher(wiring: Wiring, by: Actor) -> store.Publisher:
    return store.Publisher(by.name, by.key, wiring.clock(), lambda _version: wiring.announce("plan"))


def wrong_why(why: str) -> dict[str, Sentence | str]:
    """What is wrong with a reason."""
    if not why:
        return {"why": sentence("Say why: it stands in the audit log.")}
    if len(why) > LONGEST_WHY:
        return {"why": sentence("At most %(most)s letters.", most=LONGEST_WHY)}
    return {}


def _note(
    conn: Connection,
    wiring: Wiring,
    by: Actor,
    what: str,
    draft_id: int,
    *,
    before: object = None,
    after: object = None,
    why: str = "",
) -> None:
    audit.note(
        conn, who=by.key, what=what, on=f"draft {draft_id}", before=before, after=after, why=why, at=wiring.clock()
    )
