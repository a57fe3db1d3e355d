"""Sources of articles, their threads as last pulled, and what of them is an article."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE sources (
            name text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9.-]{0,29}$'),
            kind text NOT NULL,
            url text NOT NULL,
            options jsonb NOT NULL DEFAULT '{}',
            credentials text,                   -- the name of the environment variable that holds them
            trust text NOT NULL CHECK (trust IN ('approved', 'accepted', 'solved')),
            max_age_days integer CHECK (max_age_days > 0),
            language text NOT NULL,             -- of threads whose language cannot be told
            licence text NOT NULL,              -- of threads that name none
            name_authors boolean NOT NULL,
            every_minutes integer NOT NULL CHECK (every_minutes > 0),
            cursor text,                        -- where the next pull goes on; null: at the beginning
            listed_at timestamptz,              -- when everything was last listed
            synced_at timestamptz,              -- when a sync last ended well
            next_at timestamptz NOT NULL,       -- when the worker syncs it next
            failures integer NOT NULL DEFAULT 0,  -- syncs in a row that did not
            problem text                        -- why the last one did not
        )
    """)
    op.execute("""
        CREATE TABLE threads (
            source text NOT NULL REFERENCES sources ON DELETE CASCADE,
            id text NOT NULL,                   -- the source's own
            article_id text NOT NULL UNIQUE,
            version text NOT NULL,              -- as the source's listing tells one from the next
            thread jsonb NOT NULL,              -- cleaned
            content_hash text NOT NULL,         -- of the words: an approval holds for them alone
            approved_hash text,
            gone boolean NOT NULL DEFAULT false,  -- the source has it no more; not believed yet
            refusal text,                       -- why it is no article; null: it is one, or was not judged yet
            folded_into text,                   -- the article id of its better double
            written_hash text,                  -- of the article as last written from it
            PRIMARY KEY (source, id)
        )
    """)
    op.execute("ALTER TABLE articles ADD COLUMN asked_at timestamptz, ADD COLUMN changed_at timestamptz")
    # lapsed: the source has it no more or it may not be trusted now; it may come back by itself, unlike a withdrawn one
    op.execute("ALTER TABLE articles DROP CONSTRAINT articles_state_check")
    op.execute(
        "ALTER TABLE articles ADD CONSTRAINT articles_state_check CHECK (state IN ('live', 'lapsed', 'withdrawn'))"
    )
