"""What a turn writes costs less."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    # No index may hold a column that every turn changes: the row's new version then stays on its page and no index
    # learns of it. `updated_at` stood in this one.
    op.execute("DROP INDEX calls_agent")
    op.execute("CREATE INDEX calls_agent ON calls (agent_call_sid) WHERE agent_call_sid IS NOT NULL")
    # Nobody reads the job queue's history: jobs are deleted when done, the texts' own rows and facts tell all.
    for trigger in ("status_events_update", "status_events_insert", "scheduled_events", "abort_requested_events"):
        op.execute(f"DROP TRIGGER IF EXISTS procrastinate_trigger_{trigger}_v1 ON procrastinate_jobs")
