"""Staff, their sessions and tokens, and the audit log."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE staff (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            email text NOT NULL UNIQUE CHECK (email = lower(email)),
            name text NOT NULL,
            role text NOT NULL CHECK (role IN ('viewer', 'editor', 'finance', 'admin')),
            language text NOT NULL DEFAULT 'en',
            active boolean NOT NULL DEFAULT true,
            password_hash text,                 -- argon2id; null: not chosen yet, or signs in elsewhere
            totp_sealed bytea,                  -- the secret of the authenticator
            totp_step bigint NOT NULL DEFAULT 0,  -- of the last code taken: none is taken twice
            subject text UNIQUE,                -- who this is at the OIDC issuer
            created_at timestamptz NOT NULL,
            signed_in_at timestamptz
        )
    """)
    op.execute("""
        CREATE TABLE staff_links (              -- each opens one page, once
            token_hash bytea PRIMARY KEY,
            staff_id bigint REFERENCES staff ON DELETE CASCADE,  -- null: whoever sets the site up
            made_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL
        )
    """)
    op.execute("""
        CREATE TABLE recovery_codes (           -- deleted when used
            staff_id bigint NOT NULL REFERENCES staff ON DELETE CASCADE,
            code_hash bytea NOT NULL,
            PRIMARY KEY (staff_id, code_hash)
        )
    """)
    op.execute("""
        CREATE TABLE staff_sessions (           -- deleted when over
            id_hash bytea PRIMARY KEY,
            staff_id bigint NOT NULL REFERENCES staff ON DELETE CASCADE,
            begun_at timestamptz NOT NULL,
            seen_at timestamptz NOT NULL
        )
    """)
    op.execute("CREATE INDEX staff_sessions_staff ON staff_sessions (staff_id)")
    op.execute("""
        CREATE TABLE api_tokens (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name text NOT NULL,
            prefix text NOT NULL,               -- what is shown of it
            token_hash bytea NOT NULL UNIQUE,   -- SHA-256 of 256 random bits
            scopes text[] NOT NULL,
            made_by bigint NOT NULL REFERENCES staff,
            made_at timestamptz NOT NULL,
            used_at timestamptz,
            revoked_at timestamptz
        )
    """)
    op.execute("""
        CREATE TABLE audit (                    -- each line's hash covers the one before
            id bigint PRIMARY KEY,
            at timestamptz NOT NULL,
            who text NOT NULL,                  -- staff:ID, token:ID or cli:LOGIN
            what text NOT NULL,
            "on" text NOT NULL,
            before json,                        -- json, not jsonb: kept to the letter, as it was hashed
            after json,
            why text NOT NULL,
            hash bytea NOT NULL
        )
    """)
    op.execute("CREATE INDEX audit_at ON audit (at)")
    op.execute("""
        CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$
    """)
    op.execute("""
        CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
            FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()
    """)
