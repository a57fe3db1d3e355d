"""Numbers that are never texted, by keyed hash, kept for ever."""

from datetime import datetime

from psycopg import Connection

from models.prepared import Prepared

_IS_OUT = Prepared("optout", "SELECT EXISTS (SELECT FROM optouts WHERE number_key = %(key)s AND active)")


def is_out(conn: Connection, number_key: str) -> bool:
    """Whether the number opted out and did not come back."""
    return _IS_OUT.run(conn, {"key": number_key}) == [("t",)]


def opt_out(conn: Connection, number_key: str, at: datetime, source: str) -> bool:
    """Take a number out. `source`: reply, carrier. Whether that is new."""
    return (
        conn.execute(
            "INSERT INTO optouts (number_key, at, source, active) VALUES (%s, %s, %s, true) ON CONFLICT (number_key)"
            " DO UPDATE SET active = true, at = excluded.at, source = excluded.source WHERE NOT optouts.active",
            (number_key, at, source),
        ).rowcount
        == 1
    )


def opt_in(conn: Connection, number_key: str, at: datetime, source: str) -> bool:
    """Let a number be texted again, on its owner's START. Whether it was out."""
    return (
        conn.execute(
            "UPDATE optouts SET active = false, at = %s, source = %s WHERE number_key = %s AND active",
            (at, source, number_key),
        ).rowcount
        == 1
    )
