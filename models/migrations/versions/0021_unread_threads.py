"""What a source's last syncs could not read, for whoever did not watch them."""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE sources
            ADD COLUMN unread text[] NOT NULL DEFAULT '{}'  -- each an address and a reason
    """)
