"""What the web process prints when it is ready."""

import subprocess
import sys
import time
from datetime import timedelta

import psutil
from psycopg import Connection

from config.settings import Settings
from ivr import server
from ivr.console import links
from models import site, staff


def test_the_set_up_link_is_printed_until_somebody_has_an_account(settings: Settings, db: Connection) -> None:
    words, link = server._setup(settings)
    assert "within 30 minutes" in words
    token = link.strip().removeprefix(f"{settings.public_base_url}/console/join/")
    now = site.now(db)
    assert staff.link(db, links.token_hash(token), now + timedelta(minutes=29)) == (None,)
    assert staff.link(db, links.token_hash(token), now + timedelta(minutes=31)) is None
    staff.add(db, "maria@lumora.example", "Maria", "admin", "en", now)
    assert server._setup(settings) == []


def test_the_service_starts_without_a_link_when_the_database_is_away(settings: Settings) -> None:
    away = settings.model_copy(update={"database_url": type(settings.database_url)("postgresql://127.0.0.1:1/none")})
    (line,) = server._setup(away)
    assert "flask staff setup-link prints one" in line


_WITH_A_CHILD = """
import os, time
from ivr.app import end_with_parent
if os.fork() == 0:
    end_with_parent()
    print(os.getpid(), flush=True)
    time.sleep(60)
os.wait()
"""


def test_a_supervisor_that_is_killed_leaves_no_web_process_behind() -> None:
    parent = subprocess.Popen([sys.executable, "-c", _WITH_A_CHILD], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 10
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end, "it lives on, and keeps the port"
        time.sleep(0.02)
