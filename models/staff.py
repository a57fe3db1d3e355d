"""The people at the console, the links that let them in once, and their recovery codes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection, errors

LOCK = 7_461_009  # our number among PostgreSQL's advisory locks


@dataclass(frozen=True, slots=True)
class StaffRow:
    """One person. `subject` is who this is at the OIDC issuer."""

    id: int
    email: str
    name: str
    role: str
    language: str
    active: bool
    password_hash: str | None
    totp_sealed: bytes | None
    subject: str | None
    created_at: datetime
    signed_in_at: datetime | None

    @property
    def joined(self) -> bool:
        """Whether this person can sign in by any way yet."""
        return self.password_hash is not None or self.subject is not None


class Taken(Exception):
    """Somebody else has this e-mail address or this name at the issuer."""


_ROW = (
    "SELECT id, email, name, role, language, active, password_hash, totp_sealed, subject, created_at, signed_in_at"
    " FROM staff"
)


def named(column: str) -> str:
    """SQL for people of a column that says who did something: "Ben Hopper (staff:2)", cli:LOGIN as it is."""
    known = f"SELECT s.name || ' (' || {column} || ')' FROM staff s WHERE {column} = 'staff:' || s.id AND s.name <> ''"
    return f"coalesce(({known}), {column})"


def lock(conn: Connection) -> None:
    """One transaction at a time decides about accounts: the last administrator stays, a set-up link works once."""
    conn.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))


def read(conn: Connection, staff_id: int) -> StaffRow | None:
    """One person by id."""
    row = conn.execute(f"{_ROW} WHERE id = %s", (staff_id,)).fetchone()
    return StaffRow(*row) if row else None


def by_email(conn: Connection, email: str) -> StaffRow | None:
    """One person by e-mail address, in whatever case it is written."""
    row = conn.execute(f"{_ROW} WHERE email = lower(%s)", (email,)).fetchone()
    return StaffRow(*row) if row else None


def at_terminal(conn: Connection, login: str) -> StaffRow | None:
    """Who of the staff a login at a terminal is: by e-mail address, what is before its @, or name, in whatever case.
    None for nobody, and where several could be meant."""
    rows = conn.execute(
        f"{_ROW} WHERE lower(%(login)s) IN (email, split_part(email, '@', 1), lower(name)) LIMIT 2", {"login": login}
    ).fetchall()
    return StaffRow(*rows[0]) if len(rows) == 1 else None


def by_subject(conn: Connection, subject: str) -> StaffRow | None:
    """One person by the name at the OIDC issuer."""
    row = conn.execute(f"{_ROW} WHERE subject = %s", (subject,)).fetchone()
    return StaffRow(*row) if row else None


def everyone(conn: Connection) -> list[StaffRow]:
    """All, by name."""
    return [StaffRow(*row) for row in conn.execute(f"{_ROW} ORDER BY lower(name), id")]


def anyone(conn: Connection) -> bool:
    """Whether there is any account."""
    return bool(conn.execute("SELECT EXISTS (SELECT FROM staff)").fetchone() == (True,))


def other_admins(conn: Connection, staff_id: int) -> int:
    """How many administrators can sign in besides this person."""
    row = conn.execute(
        "SELECT count(*) FROM staff WHERE role = 'admin' AND active AND id <> %s"
        " AND (password_hash IS NOT NULL OR subject IS NOT NULL)",
        (staff_id,),
    ).fetchone()
    return int(row[0]) if row else 0


def add(conn: Connection, email: str, name: str, role: str, language: str, at: datetime) -> int:
    """A new account that nobody can sign in to yet; its id. Raises Taken."""
    row = conn.execute(
        "INSERT INTO staff (email, name, role, language, created_at) VALUES (lower(%s), %s, %s, %s, %s)"
        " ON CONFLICT (email) DO NOTHING RETURNING id",
        (email, name, role, language, at),
    ).fetchone()
    if row is None:
        raise Taken
    return int(row[0])


def set_role(conn: Connection, staff_id: int, role: str) -> None:
    """Another role."""
    conn.execute("UPDATE staff SET role = %s WHERE id = %s", (role, staff_id))


def set_active(conn: Connection, staff_id: int, active: bool) -> None:
    """Switch an account off, or on again."""
    conn.execute("UPDATE staff SET active = %s WHERE id = %s", (active, staff_id))


def set_name(conn: Connection, staff_id: int, name: str, language: str) -> None:
    """What this person is called, and the language of the pages."""
    conn.execute("UPDATE staff SET name = %s, language = %s WHERE id = %s", (name, language, staff_id))


def set_email(conn: Connection, staff_id: int, email: str) -> None:
    """Another address. Raises Taken; the transaction goes on."""
    try:
        with conn.transaction():
            conn.execute("UPDATE staff SET email = lower(%s) WHERE id = %s", (email, staff_id))
    except errors.UniqueViolation:
        raise Taken from None


def set_subject(conn: Connection, staff_id: int, subject: str) -> None:
    """Who this person is at the issuer."""
    conn.execute("UPDATE staff SET subject = %s WHERE id = %s", (subject, staff_id))


def set_password(conn: Connection, staff_id: int, password_hash: str | None) -> None:
    """Another password; None: none."""
    conn.execute("UPDATE staff SET password_hash = %s WHERE id = %s", (password_hash, staff_id))


def set_totp(conn: Connection, staff_id: int, sealed: bytes | None, step: int) -> None:
    """Another authenticator, whose code of time step `step` was taken already; None: none."""
    conn.execute("UPDATE staff SET totp_sealed = %s, totp_step = %s WHERE id = %s", (sealed, step, staff_id))


def take_step(conn: Connection, staff_id: int, step: int, sealed: bytes) -> bool:
    """Take the code of a time step. False when it, or a later one, was taken already. `sealed`: the secret once more,
    under the newest key."""
    taken = conn.execute(
        "UPDATE staff SET totp_step = %s, totp_sealed = %s WHERE id = %s AND totp_step < %s",
        (step, sealed, staff_id, step),
    )
    return taken.rowcount == 1


def signed_in(conn: Connection, staff_id: int, at: datetime) -> None:
    """Signed in just now."""
    conn.execute("UPDATE staff SET signed_in_at = %s WHERE id = %s", (at, staff_id))


# ---- links


def put_link(
    conn: Connection, token_hash: bytes, staff_id: int | None, made_at: datetime, expires_at: datetime
) -> None:
    """A link for one person, or (None) for whoever sets the site up. An earlier one of the same person ends."""
    conn.execute("DELETE FROM staff_links WHERE staff_id = %s OR expires_at <= %s", (staff_id, made_at))
    conn.execute(
        "INSERT INTO staff_links (token_hash, staff_id, made_at, expires_at) VALUES (%s, %s, %s, %s)",
        (token_hash, staff_id, made_at, expires_at),
    )


def link(conn: Connection, token_hash: bytes, now: datetime) -> tuple[int | None] | None:
    """Whose link this is, in a tuple, as long as it can be used; None: it cannot."""
    row = conn.execute(
        "SELECT staff_id FROM staff_links WHERE token_hash = %s AND expires_at > %s", (token_hash, now)
    ).fetchone()
    return (row[0],) if row else None


def use_link(conn: Connection, token_hash: bytes, now: datetime) -> bool:
    """Use a link up. False when it cannot be used (any more)."""
    used = conn.execute("DELETE FROM staff_links WHERE token_hash = %s AND expires_at > %s", (token_hash, now))
    return used.rowcount == 1


def end_links(conn: Connection, staff_id: int | None) -> None:
    """End the links of one person, or (None) all that set the site up."""
    conn.execute("DELETE FROM staff_links WHERE staff_id IS NOT DISTINCT FROM %s", (staff_id,))


# ---- recovery codes


def put_recovery_codes(conn: Connection, staff_id: int, hashes: Sequence[bytes]) -> None:
    """New codes in place of all earlier ones."""
    conn.execute("DELETE FROM recovery_codes WHERE staff_id = %s", (staff_id,))
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO recovery_codes (staff_id, code_hash) VALUES (%s, %s)", [(staff_id, one) for one in hashes]
        )


def use_recovery_code(conn: Connection, staff_id: int, code_hash: bytes) -> bool:
    """Use a code up. False when there is no such code (any more)."""
    used = conn.execute("DELETE FROM recovery_codes WHERE staff_id = %s AND code_hash = %s", (staff_id, code_hash))
    return used.rowcount == 1


def recovery_codes_left(conn: Connection, staff_id: int) -> int:
    """How many codes are left."""
    row = conn.execute("SELECT count(*) FROM recovery_codes WHERE staff_id = %s", (staff_id,)).fetchone()
    return int(row[0]) if row else 0
