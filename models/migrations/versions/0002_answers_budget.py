"""Answers to texts have an hour's budget: in common for numbers that begin alike, and for all."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE inbound_texts ADD COLUMN prefix_key text")
    op.execute("CREATE INDEX inbound_texts_answered ON inbound_texts (at) WHERE reply IS NOT NULL")
