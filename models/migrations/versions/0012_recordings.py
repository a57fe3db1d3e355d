"""Recorded prompts and hold music."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute(
        "CREATE TABLE recordings ("
        " id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        " hash text NOT NULL,"  # of the sound, 20 hexadecimal digits: its address
        " kind text NOT NULL CHECK (kind IN ('prompt', 'music')),"
        " wording text NOT NULL,"  # the key it was recorded for; '' for music
        " language text NOT NULL,"  # '' for music
        " words text NOT NULL,"  # what is said in it: it is heard where a plan says exactly this
        " sound bytea NOT NULL,"  # WAV: 8 kHz, mono, 16 bits
        " seconds real NOT NULL,"
        " file_name text NOT NULL,"
        " made_by text NOT NULL,"
        " made_at timestamptz NOT NULL,"
        " removed_at timestamptz)"
    )
    op.execute("ALTER TABLE recordings ALTER sound SET STORAGE EXTERNAL")  # sound does not get smaller
    op.execute(
        "CREATE UNIQUE INDEX recordings_heard ON recordings (kind, language, md5(words)) WHERE removed_at IS NULL"
    )
    op.execute("CREATE INDEX recordings_hash ON recordings (hash)")
    op.execute("CREATE INDEX recordings_removed ON recordings (removed_at) WHERE removed_at IS NOT NULL")
