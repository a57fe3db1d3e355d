"""SIGKILL in the middle of settlements, a hundred times: are the books the same as undisturbed?

`python -m tests.faults.settle_kills` starts its own PostgreSQL, runs it and prints what it found; a test runs the same,
shorter.
"""

import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection
from rich.console import Console

from bench import bulk
from config.settings import Settings, load
from ivr.jobs import settle_ledger
from ivr.jobs.summarize import summarize_calls
from ivr.stores import Stores
from ivr.wiring import build
from models import ledger, rates, settlement
from models.locks import alone
from models.migrate import upgrade

BEGAN = datetime(2026, 10, 6, 17, 0, tzinfo=UTC)
DAYS = 25
PAGE = 20  # calls in a transaction: small, so that a kill finds much left
MOST_STATEMENTS = 45
CARD = """\
spans:
  - from: 2026-10-01
    currency: USD
    agents: {others: {cost: 8.01, owner: Ann, source: budget}}
    prices:
      message: {value: 0.0083, owner: Ann, source: invoice}
      speech: {value: 0.02, owner: Ann, source: invoice}
      voice_minute: {value: 0.0085, owner: Ann, source: invoice}
    monthly: {hosting: {value: 40, owner: Ann, source: invoice}}
    gave_up: {value: 0.1, owner: Ann, source: last year}
"""


@dataclass(frozen=True)
class Found:
    """What came of it. `entries` and `net` (micro-units, by currency) of the disturbed books."""

    kills: int
    entries: int
    net: dict[str, int]
    same: bool
    lines_agree: bool


def books(conn: Connection) -> list[tuple[object, ...]]:
    """Every entry without its number and the time of its writing."""
    rows = [row for month in ledger.months(conn) for row in ledger.stream(conn, month)]
    named = {row.id: (row.call_sid, row.kind, row.item, row.seq) for row in rows}
    return sorted(
        (*row[1:7], *row[8:14], tuple(row.facts), *row[15:19], named[row.undoes] if row.undoes else "", *row[20:])
        for row in rows
    )


def forget_books(conn: Connection) -> None:
    """As if nothing had been settled yet."""
    for table in ("postings", "baselines"):
        conn.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        conn.execute(f"TRUNCATE {table}")
        conn.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    conn.execute("TRUNCATE month_lines, message_prices")
    settlement.settle_again(conn, BEGAN - timedelta(days=365))


def doomed(settings: Settings, now: datetime, statements: int) -> bool:
    """Settle in a process that is killed at its `statements`-th statement, before or after it; whether it was."""
    child = os.fork()
    if child == 0:
        try:
            settle_ledger.PAGE = PAGE
            _arm(statements)
            _settle(settings, now)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def _arm(statements: int) -> None:
    left = statements
    execute: Callable[..., Any] = psycopg.Cursor.execute
    copy: Callable[..., Any] = psycopg.Cursor.copy

    def die_at_zero() -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(cursor: Any, *given: Any, **more: Any) -> Any:
        die_at_zero()
        result = execute(cursor, *given, **more)
        die_at_zero()
        return result

    def copied(cursor: Any, *given: Any, **more: Any) -> Any:
        die_at_zero()
        return copy(cursor, *given, **more)

    psycopg.Cursor.execute = counted  # type: ignore[method-assign, assignment]
    psycopg.Cursor.copy = copied  # type: ignore[method-assign, assignment]


def _settle(settings: Settings, now: datetime) -> None:
    wiring = build(settings, clock=lambda: now, name="doomed", pool_size=2)
    wiring.development_account = False
    with wiring.pool.connection() as conn, alone(conn, ledger.LOCK, wait=True):
        settle_ledger.settle(wiring, conn)
    wiring.close()


def run(settings: Settings, kills: int, calls: int, seed: int = 1) -> Found:
    """Play a month: every day calls come in, and settlements of it are killed; then compare."""
    chance = random.Random(seed)
    made = list(bulk.make(calls, until=BEGAN + timedelta(days=DAYS), days=DAYS, seed=seed))
    url, killed = settings.database_url.get_secret_value(), 0
    with psycopg.connect(url, autocommit=True) as conn:
        rates.add(conn, CARD, "cli:ann", "new", BEGAN)
    for n in range(1, DAYS + 12):
        now = BEGAN + timedelta(days=n)
        ended = [call for call in made if call.started_at < now - timedelta(days=1)]
        del made[: len(ended)]
        with psycopg.connect(url, autocommit=True) as conn, conn.transaction(), conn.cursor() as cursor:
            bulk._write(cursor, ended, str.encode)
        wiring = build(settings, clock=lambda now=now: now, name="summaries", pool_size=2)  # type: ignore[misc]
        summarize_calls(wiring)
        wiring.close()
        wanted = round(kills * min(1.0, n / DAYS)) - killed
        for _ in range(wanted):
            killed += doomed(settings, now, chance.randint(1, MOST_STATEMENTS))
    with psycopg.connect(url, autocommit=True) as conn:
        _settle(settings, now)
        disturbed, lines = books(conn), ledger.all_lines(conn)
        agree = lines == ledger.lines_from_postings(conn)
        forget_books(conn)
        _settle(settings, now)
        undisturbed = books(conn)
    net: dict[str, int] = {}
    for line in lines:
        net[line.currency] = net.get(line.currency, 0) + line.amount
    return Found(killed, len(disturbed), net, disturbed == undisturbed, agree)


def main() -> None:
    """Run it on a PostgreSQL of its own."""
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, Stores(Path(folder), valkey=False) as stores:
        assert stores.postgres is not None
        stores.postgres.create_database("kills")
        url = stores.database_url("kills")
        upgrade(url)
        given = {"DATABASE_URL": url, "REDIS_URL": "redis://127.0.0.1:1/0", "DATA_DIR": folder}
        found = run(load(given, dotenv=None), kills=100, calls=4000)
    Console().print(found, f"{time.perf_counter() - begun:.0f} s")
    sys.exit(not (found.same and found.lines_agree and found.kills >= 90))


if __name__ == "__main__":
    main()
