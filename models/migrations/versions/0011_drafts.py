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
