"""Accounts: how people come in, and how they are let in, changed and switched off."""

import re
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection

from ivr.console import codes, links, passwords
from ivr.console.errors import Missing, Sentence, Wrong, sentence
from ivr.console.roles import ROLES, Staff
from ivr.wiring import Wiring
from models import audit, sessions, staff
from models.staff import StaffRow

_EMAIL = re.compile(r"[^\s@<>\"]{1,64}@[^\s@<>\"]{1,180}\.[^\s@<>\".]{2,}")
_LONGEST_NAME = 80
LAST_ADMIN = sentence("This is the last administrator who can sign in. Make somebody else one first.")
NOT_IN = sentence("The e-mail address, the password or the code is wrong.")


# ---- coming in


@dataclass(frozen=True)
class Invitation:
    """What the page behind a link shows. `person` None: whoever sets the site up. `secret` is for the authenticator."""

    person: StaffRow | None
    secret: str


def invitation(conn: Connection, wiring: Wiring, token: str) -> Invitation:
    """The page behind a link. Raises Missing for a link that cannot be used (any more)."""
    found = staff.link(conn, links.token_hash(token), wiring.clock())
    if found is None:
        raise Missing
    person = None
    if found[0] is not None:
        person = staff.read(conn, found[0])
        if person is None or not person.active:
            raise Missing
    return Invitation(person, codes.secret_for(token, wiring.settings.session_secret.get_secret_value()))


@dataclass(frozen=True)
class Joined:
    """An account that can sign in now, and its recovery codes, told this once."""

    staff_id: int
    recovery_codes: tuple[str, ...]


def join(wiring: Wiring, token: str, *, email: str, name: str, password: str, code: str, language: str) -> Joined:
    """Use a link up: choose a password and tie an authenticator. The e-mail address counts for the set-up link only.

    Raises Wrong, Missing, or `passwords.Busy`.
    """
    with wiring.pool.connection() as conn:
        page = invitation(conn, wiring, token)
    now = wiring.clock()
    address = page.person.email if page.person else email
    problems = _wrong_name(name) | ({} if page.person else _wrong_email(email))
    weak = passwords.problem(password, name, address)
    step = codes.step_of(page.secret, code, now)
    problems |= {"password": weak} if weak else {}
    if step is None:
        problems["code"] = sentence("This is not the code of the authenticator. Wait for the next one and type it in.")
    if problems or step is None:
        raise Wrong(problems)
    kept = passwords.hashed(password)
    fresh = codes.recovery_codes()
    with wiring.pool.connection() as conn, conn.transaction():
        staff.lock(conn)
        if not staff.use_link(conn, links.token_hash(token), now):
            raise Missing
        staff_id = page.person.id if page.person else _first(conn, email, name, language, now)
        staff.set_name(conn, staff_id, name, language)
        staff.set_password(conn, staff_id, kept)
        staff.set_totp(conn, staff_id, wiring.numbers.seal(page.secret), step)
        staff.put_recovery_codes(conn, staff_id, [codes.recovery_hash(one) for one in fresh])
        staff.signed_in(conn, staff_id, now)
        sessions.end_all(conn, staff_id)
        what = "staff.joined" if page.person else "staff.set_up"
        after = _shown(_known(conn, staff_id))
        audit.note(conn, who=staff_id, what=what, on=f"staff {staff_id}", after=after, at=now)
    return Joined(staff_id, fresh)


def _first(conn: Connection, email: str, name: str, language: str, now: datetime) -> int:
    try:
        staff_id = staff.add(conn, email, name, "admin", language, now)
    except staff.Taken:
        raise Wrong({"email": sentence("There is an account with this address already.")}) from None
    staff.end_links(conn, None)
    return staff_id


def sign_in(wiring: Wiring, email: str, password: str, code: str) -> StaffRow:
    """Who has this address, password and code; the code is used up. Raises Wrong, or `passwords.Busy`."""
    with wiring.pool.connection() as conn:
        person = staff.by_email(conn, email)
    right = passwords.fits(person.password_hash if person else None, password)
    if person is None or not right or not person.active:
        raise Wrong({"": NOT_IN})
    outdated = person.password_hash is not None and passwords.is_outdated(person.password_hash)
    fresh = passwords.hashed(password) if outdated else None
    with wiring.pool.connection() as conn:
        if not _take_code(conn, wiring, person, code):
            raise Wrong({"": NOT_IN})
        if fresh:
            staff.set_password(conn, person.id, fresh)
        staff.signed_in(conn, person.id, wiring.clock())
    return person


def _take_code(conn: Connection, wiring: Wiring, person: StaffRow, code: str) -> bool:
    """Use up a code of the authenticator or a recovery code; of two that use one at the same instant, one does."""
    if codes.looks_like_recovery(code):
        with conn.transaction():
            used = staff.use_recovery_code(conn, person.id, codes.recovery_hash(code))
            if used:
                left = staff.recovery_codes_left(conn, person.id)
                audit.note(
                    conn, who=person.id, what="staff.recovery_code_used", on=f"staff {person.id}",
                    after={"left": left}, at=wiring.clock(),
                )  # fmt: skip
        return used
    if person.totp_sealed is None:
        return False
    try:
        secret = wiring.numbers.open(person.totp_sealed)
    except ValueError:  # sealed under a key that is gone: a recovery code or a reset helps
        return False
    step = codes.step_of(secret, code, wiring.clock())
    return step is not None and staff.take_step(conn, person.id, step, wiring.numbers.seal(secret))


# ---- looking after accounts


def anyone(conn: Connection) -> bool:
    """Whether there is any account yet."""
    return staff.anyone(conn)


def everyone(conn: Connection) -> list[StaffRow]:
    """All accounts, by name."""
    return staff.everyone(conn)


def _known(conn: Connection, staff_id: int) -> StaffRow:
    found = staff.read(conn, staff_id)
    if found is None:
        raise Missing
    return found


def _shown(person: StaffRow) -> dict[str, object]:
    """An account as the audit log shows it."""
    return {"email": person.email, "name": person.name, "role": person.role, "active": person.active}


def invite(conn: Connection, wiring: Wiring, by: Staff, *, email: str, name: str, role: str) -> tuple[int, str]:
    """A new account, and the token of the link that opens it once. Raises Wrong."""
    problems = _wrong_name(name) | _wrong_email(email)
    if role not in ROLES:
        problems["role"] = sentence("Choose a role.")
    if problems:
        raise Wrong(problems)
    with conn.transaction():
        now = wiring.clock()
        try:
            staff_id = staff.add(conn, email, name, role, by.language, now)
        except staff.Taken:
            raise Wrong({"email": sentence("There is an account with this address already.")}) from None
        token = links.new(conn, staff_id, wiring.clock(), links.INVITATION_LASTS)
        after = _shown(_known(conn, staff_id))
        audit.note(conn, who=by.id, what="staff.invited", on=f"staff {staff_id}", after=after, at=now)
    return staff_id, token


def reset(conn: Connection, wiring: Wiring, by: Staff, staff_id: int, why: str) -> str:
    """The token of a link by which this person chooses a password and an authenticator anew; until then the old ones
    hold no more, and every session ends. Raises Wrong, Missing."""
    reason = _reason(why)
    with conn.transaction():
        staff.lock(conn)
        person = _known(conn, staff_id)
        if person.role == "admin" and person.active and staff.other_admins(conn, staff_id) == 0:
            raise Wrong({"": LAST_ADMIN})
        staff.set_password(conn, staff_id, None)
        staff.set_totp(conn, staff_id, None, 0)
        staff.put_recovery_codes(conn, staff_id, ())
        sessions.end_all(conn, staff_id)
        token = links.new(conn, staff_id, wiring.clock(), links.INVITATION_LASTS)
        audit.note(conn, who=by.id, what="staff.reset", on=f"staff {staff_id}", why=reason, at=wiring.clock())
    return token


def change_role(conn: Connection, wiring: Wiring, by: Staff, staff_id: int, role: str, why: str) -> None:
    """Another role; the person signs in anew. Raises Wrong, Missing."""
    reason = _reason(why)
    if role not in ROLES:
        raise Wrong({"role": sentence("Choose a role.")})
    with conn.transaction():
        staff.lock(conn)
        person = _known(conn, staff_id)
        if person.role == role:
            return
        _keep_an_admin(conn, person)
        staff.set_role(conn, staff_id, role)
        sessions.end_all(conn, staff_id)
        before, after = {"role": person.role}, {"role": role}
        audit.note(
            conn, who=by.id, what="staff.role", on=f"staff {staff_id}", before=before, after=after, why=reason,
            at=wiring.clock(),
        )  # fmt: skip


def switch(conn: Connection, wiring: Wiring, by: Staff, staff_id: int, *, active: bool, why: str) -> None:
    """Switch an account off, or on again. Off: signed out at once, and no link of the person's works. Raises Wrong,
    Missing."""
    reason = _reason(why)
    with conn.transaction():
        staff.lock(conn)
        person = _known(conn, staff_id)
        if person.active == active:
            return
        if not active:
            _keep_an_admin(conn, person)
            sessions.end_all(conn, staff_id)
            staff.end_links(conn, staff_id)
        staff.set_active(conn, staff_id, active)
        before, after = {"active": person.active}, {"active": active}
        audit.note(
            conn, who=by.id, what="staff.switched", on=f"staff {staff_id}", before=before, after=after, why=reason,
            at=wiring.clock(),
        )  # fmt: skip


def _keep_an_admin(conn: Connection, person: StaffRow) -> None:
    if person.role == "admin" and person.active and staff.other_admins(conn, person.id) == 0:
        raise Wrong({"": LAST_ADMIN})


def _reason(why: str) -> str:
    if not why.strip():
        raise Wrong({"why": sentence("Say why: it stands in the audit log.")})
    return why.strip()[:300]


# ---- one's own account


def change_own(conn: Connection, wiring: Wiring, me: Staff, *, name: str, language: str) -> None:
    """What one is called, and the language of the pages. Raises Wrong."""
    problems = _wrong_name(name)
    if problems:
        raise Wrong(problems)
    with conn.transaction():
        staff.set_name(conn, me.id, name, language)
        before, after = {"name": me.name, "language": me.language}, {"name": name, "language": language}
        if before != after:
            audit.note(
                conn, who=me.id, what="staff.changed", on=f"staff {me.id}", before=before, after=after,
                at=wiring.clock(),
            )  # fmt: skip


def change_password(wiring: Wiring, me: Staff, *, now: str, new: str) -> None:
    """Another password, by who knows the present one. Raises Wrong, or `passwords.Busy`."""
    with wiring.pool.connection() as conn:
        person = _known(conn, me.id)
    if not passwords.fits(person.password_hash, now):
        raise Wrong({"password_now": sentence("This is not your password.")})
    weak = passwords.problem(new, person.name, person.email)
    if weak:
        raise Wrong({"password": weak})
    kept = passwords.hashed(new)
    with wiring.pool.connection() as conn, conn.transaction():
        staff.set_password(conn, me.id, kept)
        audit.note(conn, who=me.id, what="staff.password", on=f"staff {me.id}", at=wiring.clock())


def new_recovery_codes(wiring: Wiring, me: Staff, *, password: str) -> tuple[str, ...]:
    """New recovery codes in place of the old ones, told this once. Raises Wrong, or `passwords.Busy`."""
    with wiring.pool.connection() as conn:
        person = _known(conn, me.id)
    if not passwords.fits(person.password_hash, password):
        raise Wrong({"password_now": sentence("This is not your password.")})
    fresh = codes.recovery_codes()
    with wiring.pool.connection() as conn, conn.transaction():
        staff.put_recovery_codes(conn, me.id, [codes.recovery_hash(one) for one in fresh])
        audit.note(conn, who=me.id, what="staff.recovery_codes", on=f"staff {me.id}", at=wiring.clock())
    return fresh


def recovery_codes_left(conn: Connection, me: Staff) -> int:
    """How many recovery codes one has left."""
    return staff.recovery_codes_left(conn, me.id)


def _wrong_name(name: str) -> dict[str, Sentence | str]:
    if not name.strip():
        return {"name": sentence("What are you called? Others see it in the audit log.")}
    if len(name) > _LONGEST_NAME or not name.isprintable():
        return {"name": sentence("At most %(most)s letters, in one line.", most=_LONGEST_NAME)}
    return {}


def _wrong_email(email: str) -> dict[str, Sentence | str]:
    if _EMAIL.fullmatch(email) and email.isprintable():
        return {}
    return {"email": sentence("An e-mail address, such as maria@example.com.")}
