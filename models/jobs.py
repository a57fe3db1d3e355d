"""The job queue's own tables, where its library has no query for it."""

from typing import Any

from psycopg import Connection


def take_all(conn: Connection) -> list[tuple[str, dict[str, Any]]]:
    """Take every waiting job out of the queue: (task name, arguments), oldest first."""
    rows = conn.execute("DELETE FROM procrastinate_jobs WHERE status = 'todo' RETURNING id, task_name, args").fetchall()
    return [(str(name), dict(args)) for _, name, args in sorted(rows)]


def forget_dead(conn: Connection) -> int:
    """Delete jobs begun by workers that are no more; how many."""
    return conn.execute(
        "DELETE FROM procrastinate_jobs WHERE status = 'doing' AND (worker_id IS NULL"
        " OR worker_id NOT IN (SELECT id FROM procrastinate_workers))"
    ).rowcount
