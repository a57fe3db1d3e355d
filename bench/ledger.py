"""`python -m bench.ledger [CALLS]`: how long a settlement takes, and the statement of a month of that many calls.

Fills databases of its own with calls in bulk, makes their rows, and settles them in a process that does nothing else;
its memory and PostgreSQL's processor time are read from the system. A fiftieth and a tenth of the calls come first, to
see whether time grows as the calls do. The statement is asked for three times: open and with nothing kept of it (as the
worker makes it after a settlement), open as pages read it, and signed.
"""

import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
from psycopg import Connection
from rich.console import Console
from rich.table import Table

from bench import bulk
from config.settings import load
from ivr import statements
from ivr.jobs import settle_ledger, summarize
from ivr.ledger.periods import Wish
from ivr.months import close_month
from ivr.stores import Stores
from ivr.wiring import Wiring, build
from models import erase, ledger, rates
from models.migrate import upgrade

MONTH, UNTIL = date(2026, 10, 1), datetime(2026, 11, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 10, tzinfo=UTC)
DAYS = 31
CARD = """\
spans:
  - from: 2026-10-01
    currency: USD
    agents: {others: {cost: 8.01, owner: bench, source: bench}}
    prices:
      message: {value: 0.0083, owner: bench, source: bench}
      speech: {value: 0.02, owner: bench, source: bench}
      voice_minute: {value: 0.0085, owner: bench, source: bench}
    monthly: {hosting: {value: 40, owner: bench, source: bench}}
"""


def _wiring(url: str, folder: str) -> Wiring:
    given = {"DATABASE_URL": url, "REDIS_URL": "redis://127.0.0.1:1/0", "DATA_DIR": folder}
    wiring = build(load(given, dotenv=None), clock=lambda: NOW, name="bench", pool_size=2)
    wiring.development_account = False
    return wiring


def settle(url: str, folder: str) -> None:
    """The measured process: settles, and prints entries, seconds, its processor seconds, those of its PostgreSQL
    backend, and its memory before and after (MiB)."""
    wiring = _wiring(url, folder)
    begun, used = time.perf_counter(), time.process_time()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    base = _memory()
    with wiring.pool.connection() as conn:
        conn.execute("SET statement_timeout = 0")
        backend = Path(f"/proc/{conn.info.backend_pid}/stat")
        written = settle_ledger.settle(wiring, conn)
        ticks = sum(int(field) for field in backend.read_text().rpartition(")")[2].split()[11:13])
    taken, worked = time.perf_counter() - begun, time.process_time() - used
    peak = _memory()
    print(
        written, f"{taken:.1f} {worked:.1f} {ticks / os.sysconf('SC_CLK_TCK'):.1f} {base / 1024:.0f} {peak / 1024:.0f}"
    )
    wiring.close()


def _memory() -> int:
    """This process's peak in KiB."""
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)


def run(stores: Stores, folder: str, calls: int) -> list[str]:
    """One size: a row of the table."""
    name = f"ledger_{calls}"
    assert stores.postgres is not None
    stores.postgres.create_database(name)
    url = stores.database_url(name)
    upgrade(url)
    begun = time.perf_counter()
    with psycopg.connect(url, autocommit=True) as conn:
        facts = bulk.fill(conn, calls, until=UNTIL, days=DAYS)
        rates.add(conn, CARD, "cli:bench", "bench", NOW)
        conn.execute("ANALYZE")
    print(f"{calls:,} calls, {facts:,} facts in {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    begun = time.perf_counter()
    wiring = _wiring(url, folder)
    summarize.rebuild(wiring)
    with wiring.pool.connection() as conn, erase.unhurried(conn):
        conn.execute("UPDATE summaries_mark SET next_at = %s", (NOW,))
        conn.execute("ANALYZE")
    wiring.close()
    print(f"rows of calls in {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    given = [sys.executable, "-m", "bench.ledger", "settle", url, folder]
    made = subprocess.run(given, check=True, capture_output=True, text=True, env={**os.environ})
    entries, taken, worked, backend, base, peak = made.stdout.strip().splitlines()[-1].split()
    again = subprocess.run(given, check=True, capture_output=True, text=True, env={**os.environ})
    assert again.stdout.strip().splitlines()[-1].startswith("0 ")
    wiring = _wiring(url, folder)
    with wiring.pool.connection() as conn, erase.unhurried(conn):
        same = ledger.all_lines(conn) == ledger.lines_from_postings(conn)
        first, kept, signed = _statements(wiring, conn)
    wiring.close()
    return [
        f"{calls:,}",
        f"{int(entries):,}",
        f"{taken} s",
        f"{worked} + {backend} s",
        f"{base} -> {peak} MiB",
        f"{first:,.0f} ms",
        f"{kept:,.0f} ms",
        f"{signed:,.0f} ms",
        "yes" if same else "NO",
    ]


def _statements(wiring: Wiring, conn: Connection) -> tuple[float, float, float]:
    """Milliseconds: nothing kept yet, open, signed; of the latter two the slowest of ten."""

    def asked() -> float:
        begun = time.perf_counter()
        statements.document(wiring, conn, MONTH)
        return (time.perf_counter() - begun) * 1000

    made = asked()
    kept = max(asked() for _ in range(10))
    close_month(wiring, conn, Wish(MONTH, "cli:other", "bench"))
    statements.sign_closed(wiring, conn)
    return made, kept, max(asked() for _ in range(10))


def main() -> None:
    """The table."""
    if sys.argv[1:2] == ["settle"]:
        settle(*sys.argv[2:4])
        return
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    table = Table(title="Settlement of all calls at once, then their statement")
    for column in (
        "calls",
        "entries",
        "settled in",
        "own processor + PostgreSQL's",
        "memory",
        "statement made",
        "read while open",
        "read when signed",
        "sums as rebuilt",
    ):
        table.add_column(column, justify="right")
    with tempfile.TemporaryDirectory() as folder, Stores(Path(folder), valkey=False) as stores:
        for calls in (most // 50, most // 10, most):
            table.add_row(*run(stores, folder, calls))
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
