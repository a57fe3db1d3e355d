"""Articles waiting for a person's word, what people edited in them, and sources that are paused or asked for."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE articles
            ADD COLUMN words tsvector GENERATED ALWAYS AS
                (to_tsvector('simple', title || ' ' || left(question, 4000))) STORED,
            -- of the accepted answer: what people edited holds for it alone
            ADD COLUMN answer_hash text GENERATED ALWAYS AS
                (md5(coalesce(jsonb_path_query_first(answers, '$[*] ? (@.accepted == true)') ->> 'text', ''))) STORED
    """)
    op.execute("CREATE INDEX articles_words ON articles USING gin (words)")
    op.execute("CREATE INDEX articles_tags ON articles USING gin (tags)")
    op.execute("CREATE INDEX articles_source ON articles (source, id)")
    op.execute("CREATE INDEX articles_not_live ON articles (id) WHERE state <> 'live'")
    op.execute("CREATE INDEX articles_language ON articles (language, id)")
    op.execute("CREATE INDEX articles_changed ON articles (changed_at)")
    op.execute("""
        CREATE TABLE article_edits (            -- beside the articles: no import and no sync touches them
            article_id text PRIMARY KEY,        -- may be of a thread that is no article yet
            short text,                         -- in the place of the imported ones; null: not edited
            title text,
            answer_hash text NOT NULL,          -- of the accepted answer then
            who text NOT NULL,
            at timestamptz NOT NULL,
            CHECK (short IS NOT NULL OR title IS NOT NULL)
        )
    """)
    op.execute("""
        ALTER TABLE threads
            ADD COLUMN refused_hash text,       -- somebody said no to these words
            ADD COLUMN decided_by text,
            ADD COLUMN decided_at timestamptz
    """)
    op.execute("CREATE INDEX threads_refusal ON threads (refusal, article_id) WHERE refusal IS NOT NULL AND NOT gone")
    op.execute("CREATE INDEX threads_decided ON threads (decided_at) WHERE decided_at IS NOT NULL")
    op.execute("""
        ALTER TABLE sources
            ADD COLUMN paused boolean NOT NULL DEFAULT false,
            ADD COLUMN asked_at timestamptz,    -- somebody wants it synced now
            ADD COLUMN read_so_far integer,     -- how far the sync under way is, as it told at told_at
            ADD COLUMN read_of integer,
            ADD COLUMN told_at timestamptz
    """)
    # What waiting threads would serve is worked out as mappings and rehearsals are.
    op.execute("ALTER TABLE studies DROP CONSTRAINT studies_kind_check")
    op.execute(
        "ALTER TABLE studies ADD CONSTRAINT studies_kind_check CHECK (kind IN ('mapping', 'rehearsal', 'review'))"
    )
