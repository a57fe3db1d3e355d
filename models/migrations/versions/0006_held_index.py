"""An index put back by a rollback is held: nothing builds over it by itself, and no rollback returns to one left."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE index_versions ADD COLUMN held boolean NOT NULL DEFAULT false, ADD COLUMN left_at timestamptz"
    )
