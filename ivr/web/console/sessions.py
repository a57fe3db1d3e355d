"""Who is signed in. The browser holds a signed cookie with a random id; what it stands for is in the database."""

import hashlib
import secrets
from datetime import timedelta

from flask import Flask, request, session
from psycopg import Connection

from ivr.console.roles import Staff
from ivr.web.guards import wiring
from models import sessions

ID, LANGUAGE = "id", "language"
#: how long after it was noted a session's use is noted again
NOTE_EVERY = timedelta(minutes=1)


def install(app: Flask, *, secret: str, https: bool) -> None:
    """The cookie's flags: `__Host-` binds it to this one host wherever there is TLS."""
    app.secret_key = secret
    app.config.update(
        SESSION_COOKIE_NAME="__Host-offhold" if https else "offhold",
        SESSION_COOKIE_PATH="/",
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )


def _hash(session_id: str) -> bytes:
    return hashlib.sha256(session_id.encode()).digest()


def begin(conn: Connection, staff_id: int) -> None:
    """Sign this browser in: whatever its cookie held before is forgotten, the form token with it."""
    end(conn)
    session[ID] = secrets.token_urlsafe(32)
    sessions.begin(conn, _hash(session[ID]), staff_id, wiring().clock())


def end(conn: Connection) -> None:
    """Sign this browser out."""
    if ID in session:
        sessions.end(conn, _hash(session[ID]))
    language = session.get(LANGUAGE)
    session.clear()
    if language:
        session[LANGUAGE] = language


def end_others(conn: Connection, staff_id: int) -> int:
    """Sign a person out everywhere but in this browser; how many sessions that ended."""
    return sessions.end_all(conn, staff_id, but=_hash(session[ID]) if ID in session else None)


def current() -> Staff | None:
    """Who sends this request, None for nobody who is signed in."""
    session_id = session.get(ID)
    if not isinstance(session_id, str) or request.endpoint is None:
        return None
    id_hash, now = _hash(session_id), wiring().clock()
    with wiring().pool.connection() as conn:
        found = sessions.find(conn, id_hash, now)
        if found is None:
            return None
        if now - found.seen_at >= NOTE_EVERY:
            sessions.seen(conn, id_hash, now)
    return Staff(found.staff_id, found.name, found.role, found.language, found.email)
