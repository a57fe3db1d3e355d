"""The schema's version."""

from alembic.script import ScriptDirectory
from psycopg import Connection

from models import migrate, schema


def test_the_head_told_without_the_migration_tool_is_the_tools_own() -> None:
    script = ScriptDirectory.from_config(migrate._config())
    assert schema.head() == script.get_current_head()


def test_a_migrated_database_is_at_head(db: Connection) -> None:
    assert schema.version(db) == schema.head()


def test_an_empty_database_has_no_version(db: Connection) -> None:
    db.execute("DROP TABLE alembic_version")
    assert schema.version(db) is None


def test_a_database_of_newer_code_will_do_and_is_left_alone(db: Connection, database_url: str) -> None:
    db.execute("UPDATE alembic_version SET version_num = '9999'")
    assert migrate.upgrade(database_url) == "9999"
    assert schema.suffices(schema.version(db))


def test_a_database_that_is_behind_will_not_do() -> None:
    assert not schema.suffices("0001")
    assert not schema.suffices(None)
    assert schema.suffices(schema.head())
