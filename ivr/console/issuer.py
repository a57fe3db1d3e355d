"""People who sign in at the company's OpenID Connect issuer: it says who they are and what their role is here."""

from collections.abc import Mapping
from typing import Any

from psycopg import Connection

from ivr.console.errors import Sentence, Wrong, sentence
from ivr.wiring import Wiring
from models import audit, sessions, staff
from models.staff import StaffRow

#: of several roles the first of these counts
STRONGEST = ("admin", "finance", "editor", "viewer")

NO_ROLE = sentence("Your account there has no role for this console. Whoever looks after it can give you one.")
NO_ADDRESS = sentence("Your account there has no e-mail address, or none that was proven.")
OFF = sentence("Your account here is switched off.")
OTHER_WAY = sentence(
    "There is an account with your address that signs in with a password. An administrator can reset it."
)


def role(claim: Any) -> str | None:
    """The role a claim names, None for none: a word, several words, or a list of them."""
    named = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
    return next((one for one in STRONGEST if one in named), None)


def came(conn: Connection, wiring: Wiring, issuer: str, claims: Mapping[str, Any]) -> StaffRow:
    """The account of who signed in at the issuer: known by its name for the person, opened or brought up to date.

    An account that waits for its person is theirs by a proven address; one that has a password is not. Raises Wrong.
    """
    found_role = role(claims.get(wiring.settings.oidc_role_claim))
    if found_role is None:
        raise _refused(NO_ROLE)
    subject, now = f"{issuer}|{claims['sub']}", wiring.clock()
    with conn.transaction():
        staff.lock(conn)
        person = staff.by_subject(conn, subject) or _new(conn, wiring, subject, claims, found_role)
        if not person.active:
            raise _refused(OFF)
        if person.role != found_role:
            staff.set_role(conn, person.id, found_role)
            sessions.end_all(conn, person.id)
            before, after = {"role": person.role}, {"role": found_role}
            audit.note(
                conn, who=person.id, what="staff.role", on=f"staff {person.id}", before=before, after=after,
                why="as the issuer says", at=now,
            )  # fmt: skip
        staff.signed_in(conn, person.id, now)
    return person


def _new(conn: Connection, wiring: Wiring, subject: str, claims: Mapping[str, Any], found_role: str) -> StaffRow:
    email = str(claims.get("email") or "").strip()
    if not email or claims.get("email_verified") is False:
        raise _refused(NO_ADDRESS)
    name = " ".join(str(claims.get("name") or email).split())[:80]
    now = wiring.clock()
    person = staff.by_email(conn, email)
    if person is not None and (person.joined or claims.get("email_verified") is not True):
        raise _refused(OTHER_WAY)
    staff_id = person.id if person else staff.add(conn, email, name, found_role, "en", now)
    staff.set_subject(conn, staff_id, subject)
    staff.end_links(conn, staff_id)
    staff.end_links(conn, None)
    made = staff.read(conn, staff_id)
    assert made is not None
    after = {"email": made.email, "name": made.name, "role": made.role}
    audit.note(
        conn,
        who=staff_id,
        what="staff.joined",
        on=f"staff {staff_id}",
        after=after,
        why="signed in at the issuer",
        at=now,
    )
    return made


def _refused(why: Sentence) -> Wrong:
    return Wrong({"": why})
