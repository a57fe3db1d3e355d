"""The databases of one PostgreSQL server, and who uses them."""

from psycopg import Connection, sql


def create(conn: Connection, name: str) -> None:
    """Create the database `name` unless it exists. The connection must be in autocommit."""
    if not conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def other_clients(conn: Connection) -> int:
    """How many connections the server has besides this one."""
    others = "backend_type = 'client backend' AND pid <> pg_backend_pid()"
    row = conn.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {others}").fetchone()
    return int(row[0]) if row else 0
