"""The index travels through the database; articles tell which transaction changed them last."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # What an index was read from: all transactions before this one are in it.
    op.execute("ALTER TABLE index_versions ADD COLUMN read_at xid8")
    op.execute("""
        CREATE TABLE index_chunks (
            version text NOT NULL REFERENCES index_versions ON DELETE CASCADE,
            file text NOT NULL,
            place integer NOT NULL CHECK (place >= 0),  -- chunks of a file in order, all but the last of one size
            sha256 bytea NOT NULL,
            content bytea NOT NULL,
            PRIMARY KEY (version, file, place)
        )
    """)
    op.execute("ALTER TABLE index_chunks ALTER COLUMN content SET STORAGE EXTERNAL")  # vectors do not compress
    op.execute("""
        CREATE TABLE index_uses (
            process text PRIMARY KEY,           -- host and process id
            version text NOT NULL,
            seen_at timestamptz NOT NULL
        )
    """)
    op.execute("ALTER TABLE articles ADD COLUMN changed_in xid8 NOT NULL DEFAULT '0'")
    op.execute("CREATE INDEX articles_changed_in ON articles (changed_in)")
    op.execute("""
        CREATE FUNCTION note_article_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.changed_in := pg_current_xact_id();
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER articles_added BEFORE INSERT ON articles FOR EACH ROW EXECUTE FUNCTION note_article_change()"
    )
    op.execute(
        "CREATE TRIGGER articles_changed BEFORE UPDATE ON articles FOR EACH ROW"
        " WHEN (OLD.content_hash <> NEW.content_hash OR OLD.state <> NEW.state)"
        " EXECUTE FUNCTION note_article_change()"
    )
