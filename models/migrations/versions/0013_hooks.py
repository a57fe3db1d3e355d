"""Webhooks out, signed, sent from a list that survives; and answers of the API that a repeat gets again."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute("""
CREATE TABLE hooks (
    id            int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    url           text NOT NULL,
    names         text[] NOT NULL,             -- of the facts it wants; empty: all
    secret        bytea NOT NULL,              -- sealed
    old_secret    bytea,                       -- sealed; signs as well until `old_until`
    old_until     timestamptz,
    made_by       text NOT NULL,
    made_at       timestamptz NOT NULL,
    after         bigint NOT NULL,             -- the newest fact when it was made
    mark          bigint NOT NULL,             -- how far facts were looked through
    failing_since timestamptz,
    off_at        timestamptz,
    off_why       text
)""")
    op.execute("""
CREATE TABLE hook_messages (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hook_id  int NOT NULL REFERENCES hooks (id) ON DELETE CASCADE,
    fact_id  bigint NOT NULL,
    state    text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'given_up')),
    attempts int NOT NULL DEFAULT 0,
    due_at   timestamptz NOT NULL,             -- while it is being sent: when that is taken for lost
    problem  text,                             -- of the latest attempt
    tried_at timestamptz,
    UNIQUE (hook_id, fact_id)
)""")
    op.execute("CREATE INDEX hook_messages_due ON hook_messages (hook_id, due_at) WHERE state = 'waiting'")
    op.execute("""
CREATE TABLE api_answers (                     -- to requests with an Idempotency-Key, for a day
    token_id int NOT NULL,
    key      text NOT NULL,
    request  bytea NOT NULL,                   -- hash of what was asked
    status   int NOT NULL,
    answer   bytea NOT NULL,                   -- sealed
    at       timestamptz NOT NULL,
    PRIMARY KEY (token_id, key)
)""")
    op.execute("CREATE INDEX api_answers_at ON api_answers (at)")
