"""Numbers that were erased, for what another machine's disk still holds of them."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE erased_numbers (            -- kept 90 days
            mark text PRIMARY KEY,               -- a keyed hash of its own: no other table has it
            at   timestamptz NOT NULL
        )
    """)
