"""The hash key a database was begun with stands, whenever the database is first reached."""

import base64

import pytest

from config.settings import Settings, load
from ivr import wiring as wirings

OTHER = base64.b64encode(b"o" * 32).decode()


def test_a_database_begun_with_another_hash_key_is_refused_for_good(settings: Settings) -> None:
    first = wirings.build(settings)
    first.check_hash_key()
    with first.pool.connection() as conn:
        assert conn.execute("SELECT count(*) FROM site WHERE key = 'number_hash_key'").fetchone() == (1,)
    first.close()
    given = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "REDIS_URL": settings.redis_url.get_secret_value(),
        "DATA_DIR": str(settings.data_dir),
        "NUMBER_HASH_KEY": OTHER,
    }
    other = wirings.build(load(given, dotenv=None))
    with pytest.raises(RuntimeError, match="put the old one back"):
        other.check_hash_key()
    with pytest.raises(RuntimeError, match="put the old one back"), other.pool.connection():
        pass
    other.close()
