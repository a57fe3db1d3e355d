"""Offers stopped by hand, and incidents callers hear first."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("""
CREATE TABLE offer_switches (                -- every pull of a switch; the latest of a queue stands
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue   text NOT NULL,                   -- '' for all of them
    stopped bool NOT NULL,
    who     text NOT NULL,
    why     text NOT NULL,
    at      timestamptz NOT NULL
)""")
    op.execute("CREATE INDEX offer_switches_queue ON offer_switches (queue, id)")
    op.execute("""
CREATE TABLE incidents (
    id        int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message   jsonb NOT NULL,                -- language -> what callers hear first
    news      jsonb NOT NULL DEFAULT '{}',   -- language -> what a text on request says; empty: none is offered
    leaves    jsonb,                         -- ids of the leaves concerned; null: every caller
    starts_at timestamptz NOT NULL,
    until     timestamptz NOT NULL,
    who       text NOT NULL,
    why       text NOT NULL,
    ended_at  timestamptz,                   -- set when somebody ends it before its time
    ended_by  text,
    ended_why text,
    CHECK (until > starts_at)
)""")
    op.execute("CREATE INDEX incidents_until ON incidents (until)")
    op.execute("ALTER TABLE texts DROP CONSTRAINT texts_kind_check")
    op.execute(
        "ALTER TABLE texts ADD CONSTRAINT texts_kind_check CHECK (kind IN ('link', 'follow_up', 'reply', 'status'))"
    )
    # The few calls of the test phone, which are in no figure of the day; nothing a turn rewrites.
    op.execute("CREATE INDEX calls_test ON calls (call_sid) WHERE test")
