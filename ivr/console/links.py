"""One-time links: who holds one may open its page, once. Light: the server that prints one loads nothing else."""

import hashlib
import secrets
from datetime import datetime, timedelta

from psycopg import Connection

from models import staff

SETUP_LASTS = timedelta(minutes=30)
INVITATION_LASTS = timedelta(days=3)


def token_hash(token: str) -> bytes:
    """A token as it is kept."""
    return hashlib.sha256(token.encode()).digest()


def setup_link(conn: Connection, now: datetime) -> str:
    """A new token for the page that makes an administrator's account; whoever has it is one."""
    return new(conn, None, now, SETUP_LASTS)


def first_setup_link(conn: Connection, now: datetime) -> str | None:
    """As `setup_link` as long as nobody has an account; None afterwards."""
    return None if staff.anyone(conn) else setup_link(conn, now)


def new(conn: Connection, staff_id: int | None, now: datetime, lasts: timedelta) -> str:
    """A new token for one person, None for whoever sets the site up."""
    token = secrets.token_urlsafe(32)
    staff.put_link(conn, token_hash(token), staff_id, now, now + lasts)
    return token


def address(public_base_url: str, token: str) -> str:
    """The whole link."""
    return f"{public_base_url}/console/join/{token}"
