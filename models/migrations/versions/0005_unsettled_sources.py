"""A source tells whether threads of it changed that its articles do not show yet."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    # Until the next sync nobody knows whether the last one ended between its pull and its articles.
    op.execute("ALTER TABLE sources ADD COLUMN unsettled boolean NOT NULL DEFAULT true")
    op.execute("ALTER TABLE sources ALTER COLUMN unsettled SET DEFAULT false")
