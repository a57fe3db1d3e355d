"""What the web process prints when it is ready."""

from datetime import timedelta

from psycopg import Connection

from config.settings import Settings
from ivr import server
from ivr.console import links
from models import site, staff


def test_the_set_up_link_is_printed_until_somebody_has_an_account(settings: Settings, db: Connection) -> None:
    words, link = server._setup(settings)
    assert "within 30 minutes" in words
    token = link.strip().removeprefix(f"{settings.public_base_url}/console/join/")
    now = site.now(db)
    assert staff.link(db, links.token_hash(token), now + timedelta(minutes=29)) == (None,)
    assert staff.link(db, links.token_hash(token), now + timedelta(minutes=31)) is None
    staff.add(db, "maria@lumora.example", "Maria", "admin", "en", now)
    assert server._setup(settings) == []


def test_the_service_starts_without_a_link_when_the_database_is_away(settings: Settings) -> None:
    away = settings.model_copy(update={"database_url": type(settings.database_url)("postgresql://127.0.0.1:1/none")})
    (line,) = server._setup(away)
    assert "flask staff setup-link prints one" in line
