"""Estimates of open months, and how often the books of a month changed."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE month_turns (               -- changed by the settlement, with what it settles
            month date PRIMARY KEY CHECK (extract(day FROM month) = 1),
            turn  bigint NOT NULL                -- entries, or calls that its figures count, changed so often
        )
    """)
    op.execute("""
        CREATE TABLE month_estimates (           -- the latest of each month; made anew where its basis is another
            month   date PRIMARY KEY CHECK (extract(day FROM month) = 1),
            basis   jsonb NOT NULL,              -- all it follows from: the turn, the rules, the time it reaches to ...
            as_of   timestamptz NOT NULL,
            content jsonb NOT NULL
        )
    """)
