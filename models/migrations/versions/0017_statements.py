"""Statements as they were signed, and where exports go by themselves."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE statements (
            month     date PRIMARY KEY REFERENCES closed_months (month),
            document  text NOT NULL,             -- canonical JSON, the very bytes that are signed
            key       bytea NOT NULL,            -- Ed25519, public
            signature bytea NOT NULL,
            signed_at timestamptz NOT NULL
        )
    """)
    op.execute(
        "CREATE TRIGGER statements_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON statements"
        " FOR EACH STATEMENT EXECUTE FUNCTION books_are_append_only()"
    )
    op.execute("""
        CREATE TABLE exports (                   -- statements that go out by themselves once they are signed
            id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            form    text NOT NULL,               -- json, csv, xlsx or pdf
            target  text NOT NULL,               -- an address, or "file"
            secret  bytea,                       -- sealed; signs what goes to an address
            since   date NOT NULL,               -- the first month that is sent
            made_by text NOT NULL,
            made_at timestamptz NOT NULL,
            off_at  timestamptz
        )
    """)
    op.execute("""
        CREATE TABLE export_runs (
            export_id bigint NOT NULL REFERENCES exports (id),
            month     date NOT NULL REFERENCES statements (month),
            attempts  int NOT NULL,
            next_at   timestamptz,               -- null: done, or given up
            done_at   timestamptz,
            problem   text,
            PRIMARY KEY (export_id, month)
        )
    """)
