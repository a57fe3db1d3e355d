"""Publishing a menu file, loading a published one, going back, comparing."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from psycopg import Connection

from ivr.call.plan import Plan
from ivr.call.wording import WORDING
from ivr.planfile import disk
from ivr.planfile.differences import differences
from ivr.planfile.problems import PlanRefused, Problem
from ivr.planfile.read import Reading, read_plan
from models import audit, plans

STARTER = Path(__file__).resolve().parents[2] / "config" / "starter" / "menu.yaml"
MOST_TOLD = 100  # changes in a line of the audit log
#: told the new version after it is live; nothing depends on it being heard
Announce = Callable[[int], object]


def check_file(path: Path) -> Reading:
    """Read a file from disk. Never raises: a file that cannot be opened is a problem of line 1."""
    return _from_disk(path)[1]


def _from_disk(path: Path) -> tuple[bytes, Reading]:
    found = disk.content(path)
    return (b"", Reading(None, (found,))) if isinstance(found, Problem) else (found, read_plan(found))


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who makes a version live, when, and whom that is told. `who` is what the audit log keeps."""

    by: str
    who: int | str = ""
    at: datetime | None = None
    announce: Announce | None = None

    @property
    def key(self) -> int | str:
        """For the audit log; someone at a terminal unless said otherwise."""
        return self.who or f"cli:{self.by}"


def publish_file(
    conn: Connection,
    path: Path | str,
    by: str,
    reason: str,
    *,
    at: datetime | None = None,
    announce: Announce | None = None,
) -> int:
    """Check a file and make it the live plan; gives its version.

    Raises PlanRefused with every problem; then what was live stays live. `conn` must be outside a
    transaction, so that the version is announced only once it is kept.
    """
    raw, checked = _from_disk(Path(path))
    if checked.errors:
        raise PlanRefused(checked.problems)
    return _publish(conn, raw.decode("utf-8-sig"), Publisher(by, at=at, announce=announce), reason)


def publish_text(
    conn: Connection,
    text: str,
    publisher: Publisher,
    reason: str,
    *,
    draft_id: int | None = None,
    also: Callable[[int], None] | None = None,
) -> int:
    """As `publish_file`, for a menu that is in no file. `also` is called with the version in the same transaction:
    what it raises keeps the version from being published."""
    checked = read_plan(text.encode())
    if checked.errors:
        raise PlanRefused(checked.problems)
    return _publish(conn, text, publisher, reason, draft_id=draft_id, also=also)


def load(conn: Connection, version: int) -> Plan:
    """A published version. Raises LookupError when there is none.

    A sentence that came into use after it was published is taken from the starter menu, so that an upgrade
    never silences a live plan.
    """
    text = plans.yaml(conn, version)
    if text is None:
        raise LookupError(f"there is no plan {version}")
    plan = _read(text, version)
    if plan is None:
        raise LookupError(f"plan {version} cannot be played by this release; publish another one")
    return _completed(plan)


@lru_cache(maxsize=8)
def _read(text: str, version: int) -> Plan | None:
    """Reading a menu file takes some 300 ms of processor; what was published never changes."""
    return read_plan(text.encode(), version).plan


def load_live(conn: Connection) -> Plan:
    """The plan that new calls get. Raises LookupError when none was published yet."""
    version = plans.live_version(conn)
    if version is None:
        raise LookupError("no plan is published yet: flask menu publish FILE --by NAME --reason WHY")
    return load(conn, version)


def export(conn: Connection, version: int | None = None) -> str:
    """The text of a version with its comments, by default the live one. Raises LookupError for none."""
    wanted = plans.live_version(conn) if version is None else version
    text = plans.yaml(conn, wanted) if wanted is not None else None
    if text is None:
        raise LookupError("no plan is published yet" if version is None else f"there is no plan {version}")
    return text


def rollback(conn: Connection, version: int, publisher: Publisher, reason: str) -> int:
    """Publish an older version's text again, as a new version.

    Raises LookupError when it is not there, was never live or can no longer be played.
    """
    if plans.is_on_trial(conn, version):
        raise LookupError(f"plan {version} was never live: it is a draft on trial")
    load(conn, version)
    return _publish(conn, export(conn, version), publisher, reason, source=version)


def history(conn: Connection) -> list[plans.Published]:
    """Every version, newest first."""
    return plans.history(conn)


def diff(conn: Connection, before: int, after: int) -> list[str]:
    """What changed from one version to another, in words. Raises LookupError for a version that is none."""
    return differences(load(conn, before), load(conn, after))


def _publish(
    conn: Connection,
    text: str,
    publisher: Publisher,
    reason: str,
    *,
    source: int | None = None,
    draft_id: int | None = None,
    also: Callable[[int], None] | None = None,
) -> int:
    with conn.transaction():
        before = plans.live_version(conn)
        version = plans.publish(conn, text, publisher.by, reason, at=publisher.at, source=source, draft_id=draft_id)
        if also is not None:
            also(version)
        audit.note(
            conn,
            who=publisher.key,
            what="menu.publish" if source is None else "menu.rollback",
            on=f"plan {version}",
            before={"live": before},
            after={"live": version, "changes": _told(conn, before, version)}
            | ({"version again": source} if source else {}),
            why=reason,
            at=plans.published_at(conn, version),
        )
    if publisher.announce is not None:
        with suppress(Exception):  # a wake-up only: processes also look by themselves
            publisher.announce(version)
    return version


def _told(conn: Connection, before: int | None, version: int) -> list[str]:
    """What a publication changes, for the audit log."""
    if before is None:
        return ["the first menu"]
    try:
        said = diff(conn, before, version)
    except LookupError:  # a version that this release cannot play any more
        return ["the version before cannot be read any more"]
    return said if len(said) <= MOST_TOLD else [*said[:MOST_TOLD], f"and {len(said) - MOST_TOLD} more"]


def _completed(plan: Plan) -> Plan:
    if all(plan.wording.get(one.code, {}).keys() >= WORDING.keys() for one in plan.languages):
        return plan
    starter = read_plan(STARTER.read_bytes()).plan
    assert starter is not None  # the starter menu is part of the release; a test reads it
    first = starter.wording[starter.languages[0].code]
    wording = {code: {**starter.wording.get(code, first), **said} for code, said in plan.wording.items()}
    return replace(plan, wording=wording)
