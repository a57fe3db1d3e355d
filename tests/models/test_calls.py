"""Calls as rows."""

from datetime import UTC, datetime, timedelta

from psycopg import Connection

from models import calls
from models.db import Pool

NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_caller_is_known_by_the_typed_number_too_without_reading_all_texts(db: Connection, pool: Pool) -> None:
    db.execute("INSERT INTO numbers (number_key, last_seen_at) VALUES ('any', now())")
    db.execute(
        "INSERT INTO texts (id, call_sid, article_id, caller_key, to_key, number_id, from_number, language, leaf, body,"
        " segments, token, status, due_at, created_at, expires_at)"
        " SELECT n, n, 'a', 'caller-' || n, 'typed-' || n, 1, '+1', 'en', 'leaf-' || n, '', 1, n, 'sent',"
        " %(at)s, %(at)s, %(at)s FROM generate_series(1, 20000) AS n",
        {"at": NOW},
    )
    db.execute("INSERT INTO linked_keys SELECT 'caller-' || n, 'typed-' || n FROM generate_series(1, 20000) AS n")
    db.execute("ANALYZE")
    with pool.connection(timeout=5) as conn:
        for who in ("caller-77", "typed-77"):
            assert calls.profile(conn, who, NOW - DAY, NOW - DAY).leaf == "leaf-77"
        assert calls.profile(conn, "nobody", NOW - DAY, NOW - DAY).leaf is None
        assert calls.profile(conn, "caller-77", NOW - DAY, NOW).leaf is None
        conn.execute("SELECT pg_stat_force_next_flush()")
    read = db.execute(
        "SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname IN ('texts', 'linked_keys')"
    ).fetchone()
    assert read == (0,)
