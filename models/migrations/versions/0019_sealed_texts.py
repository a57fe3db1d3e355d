"""Texts are sealed from the start where there are none yet; how many went to each country, for their budgets."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    # Where there are texts, machines of the release before may send them yet: `flask privacy reseal` says when not.
    op.execute("""
        INSERT INTO site (key, value)
        SELECT 'texts_sealed', 'yes' WHERE NOT EXISTS (SELECT FROM texts) AND NOT EXISTS (SELECT FROM inbound_texts)
        ON CONFLICT DO NOTHING
    """)
    op.execute("""
        CREATE TABLE text_counts (               -- texts that calls asked for; rows of two days
            of    text NOT NULL,                 -- a country, as US, by the hour; '' for all of them, by the minute
            at    timestamptz NOT NULL,          -- when that hour or minute began
            share smallint NOT NULL,             -- several rows, so that few texts wait for each other
            texts int NOT NULL,
            PRIMARY KEY (of, at, share)
        )
    """)
