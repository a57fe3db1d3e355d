"""The schema brought to its head, by one process at a time."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from models import schema

LOCK = 7_461_001  # our number among PostgreSQL's advisory locks


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def upgrade(database_url: str) -> str:
    """Bring the database to the newest version, waiting for another process that does the same. Returns the version.

    A database that newer code has brought further is left as it is.
    """
    engine = create_engine(sqlalchemy_url(database_url), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
            connection.commit()
            try:
                stands = MigrationContext.configure(connection).get_current_revision()
                connection.rollback()
                if not schema.suffices(stands):
                    config = _config()
                    config.attributes["connection"] = connection
                    command.upgrade(config, "head")
                    connection.commit()
                    stands = MigrationContext.configure(connection).get_current_revision()
                return str(stands)
            finally:
                connection.rollback()
                connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
                connection.commit()
    finally:
        engine.dispose()


def sqlalchemy_url(database_url: str) -> str:
    """A libpq URL with the driver SQLAlchemy is to use written into it."""
    scheme, rest = database_url.split("://", 1)
    if scheme not in {"postgres", "postgresql"}:
        raise ValueError("DATABASE_URL must begin with postgresql://")
    return f"postgresql+psycopg://{rest}"
