"""Menus in the making, one a draft, and their rehearsals."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute(
        "CREATE TABLE drafts ("
        " id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        " name text NOT NULL,"
        " base_version int REFERENCES plans (version),"
        " revision int NOT NULL DEFAULT 1,"
        " yaml text NOT NULL,"
        " made_by text NOT NULL,"
        " made_at timestamptz NOT NULL,"
        " changed_by text NOT NULL,"
        " changed_at timestamptz NOT NULL,"
        " published_version int REFERENCES plans (version),"
        " closed_by text,"
        " closed_at timestamptz,"
        " CHECK ((closed_at IS NULL) = (closed_by IS NULL)))"
    )
    op.execute("CREATE INDEX drafts_closed ON drafts (closed_at) WHERE closed_at IS NOT NULL")
    # Every text of a draft: the one each revision had, and those that wait to be merged (they have no revision).
    op.execute(
        "CREATE TABLE draft_saves ("
        " id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        " draft_id bigint NOT NULL REFERENCES drafts (id) ON DELETE CASCADE,"
        " revision int,"
        " began_from int NOT NULL,"
        " yaml text NOT NULL,"
        " who text NOT NULL,"
        " at timestamptz NOT NULL,"
        " UNIQUE (draft_id, revision))"
    )
    # A draft as the test phone plays it: a version that was never live and never can be.
    op.execute("ALTER TABLE plans ADD COLUMN draft_id bigint REFERENCES drafts (id) ON DELETE SET NULL")
    op.execute("ALTER TABLE plans ADD COLUMN on_trial bool NOT NULL DEFAULT false")
    # What was worked out about callers of the last days: what each leaf finds, and what a draft would change.
    op.execute(
        "CREATE TABLE studies ("
        " id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        " kind text NOT NULL CHECK (kind IN ('mapping', 'rehearsal')),"
        " draft_id bigint REFERENCES drafts (id) ON DELETE CASCADE,"  # of a rehearsal
        " revision int,"
        " calls int NOT NULL,"  # the latest so many
        " state text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'running', 'done', 'failed')),"
        " asked_by text NOT NULL,"
        " asked_at timestamptz NOT NULL,"
        " heard_at timestamptz,"  # when whoever works on it said so last
        " tries int NOT NULL DEFAULT 0,"
        " done int NOT NULL DEFAULT 0,"
        " total int NOT NULL DEFAULT 0,"
        " ended_at timestamptz,"
        " plan_version int,"  # the live one then
        " index_version text,"
        " told jsonb,"  # figures
        " words bytea,"  # sealed: what has words of callers in it
        " words_until timestamptz,"  # the day the first of them is to be forgotten
        " CHECK ((kind = 'rehearsal') = (draft_id IS NOT NULL)))"
    )
    op.execute("CREATE INDEX studies_latest ON studies (kind, draft_id, id)")
    op.execute("CREATE INDEX studies_open ON studies (id) WHERE state IN ('asked', 'running')")
