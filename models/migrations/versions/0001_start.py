"""Calls, facts, texts, articles, plans, and the job queue's own schema."""

from pathlib import Path

import procrastinate
from alembic import op

revision = "0001"
down_revision = None

SQL = Path(__file__).resolve().parent.parent / "sql"


def upgrade() -> None:
    """Runs whole files: the driver's cursor takes several statements and reads no placeholders in them."""
    schema = Path(procrastinate.__file__).parent / "sql" / "schema.sql"
    cursor = op.get_bind().connection.cursor()
    for file in (SQL / "calls.sql", SQL / "articles.sql", schema):
        cursor.execute(file.read_text("utf-8"))
    cursor.close()
