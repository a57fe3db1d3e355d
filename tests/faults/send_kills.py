"""SIGKILL at each step of a send, against a hostile carrier: who was texted how often?

`python -m tests.faults.send_kills` starts its own PostgreSQL, runs it with 200 texts and prints the table; the test
runs the same with fewer: each point of death with each trouble of the carrier.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from rich.console import Console
from rich.table import Table

from config.settings import load
from ivr import kept_texts
from ivr.call.effects import QueueText
from ivr.call.state import Caller, CallerKind, CallState
from ivr.jobs.note_receipt import note_receipt
from ivr.jobs.queue_text import queue_text
from ivr.planfile.read import read_plan
from ivr.planfile.store import STARTER
from ivr.wiring import Wiring, build
from models import facts, texts
from models.texts import Text
from search.result import ArticleCard
from tests.faults.doomed_worker import LOOKING_UP, POINTS, WRITING
from tests.faults.hostile_carrier import RECEIPTS, TROUBLES

ROOT = Path(__file__).resolve().parents[2]
SENDS = 200
SENDS_OF_TEST = 84
LAG_S = 2.0
TIMES = {"lease": 2.5, "request": 1.2, "settle": 3.5, "look_again": 0.5, "grace": 0.5}  # seconds
READ_S, SILENCE_S = 0.6, 1.2  # how long we wait for an answer, how long the carrier can be silent
CARD = ArticleCard("router-light-red", "Router light stays red", None, None, 0, 0, "en")


@dataclass(frozen=True)
class Fate:
    """What one text goes through."""

    point: str  # "" = its worker is not killed
    trouble: str
    receipts: str


@dataclass(frozen=True)
class Outcome:
    """What became of one text."""

    fate: Fate
    accepted: int  # times the carrier accepted it
    status: str
    killed: bool
    facts: tuple[str, ...]


def fates(sends: int) -> list[Fate]:
    """Every point of death with every trouble and every kind of receipts, as far as `sends` go.

    Looking up is only come to by a trouble that leaves the send unknown, and a receipt that is quicker leaves the
    worker nothing to write. A carrier that fails without taking the text
    is not joined with a death before the send: after two sends of unknown fate none is tried again, by design.
    """
    found: list[Fate] = []
    unknown = ("times_out", "answers_500", "hangs_up", "refuses_500")
    for turn in range(sends):
        point = ("", *POINTS)[turn % (len(POINTS) + 1)]
        round_ = turn // (len(POINTS) + 1)
        if point in LOOKING_UP:
            found.append(Fate(point, unknown[round_ % len(unknown)], "none"))
            continue
        troubles = TROUBLES if point == "" else TROUBLES[:-1]
        receipts = "none" if point == WRITING else RECEIPTS[round_ % len(RECEIPTS)]
        found.append(Fate(point, troubles[round_ % len(troubles)], receipts))
    return found


def number(turn: int) -> str:
    """A fictional number, one for each text."""
    return f"+1{(202, 310)[turn // 100]}55501{turn % 100:02}"


@contextmanager
def receipts_taken(wiring: Wiring) -> Iterator[None]:
    """The service's ear for receipts on its public address."""

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            text_id = parse_qs(urlsplit(self.path).query)["text"][0]
            note_receipt(wiring, text_id, form["MessageSid"][0], form["MessageStatus"][0], None)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    port = urlsplit(wiring.settings.public_base_url).port
    server = ThreadingHTTPServer(("127.0.0.1", port or 0), Ear)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def process(module: str, plan: Path, env: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """A process of its own, ended by its id."""
    running = subprocess.Popen(
        [sys.executable, "-m", module, str(plan)], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
    )
    try:
        yield running
    finally:
        running.terminate()
        running.wait(10)
        if running.stdout:
            running.stdout.close()


def _queue(wiring: Wiring, all_fates: list[Fate]) -> list[Text]:
    plan = read_plan(STARTER.read_bytes()).plan
    assert plan is not None
    queued: list[Text] = []
    with wiring.pool.connection() as conn:
        for turn in range(len(all_fates)):
            to = number(turn)
            caller = Caller(CallerKind.MOBILE, wiring.numbers.key(to), 0)
            state = CallState(f"CA{turn:032x}", plan.version, caller, "+13235550199", 0, candidates=(CARD,))
            with conn.transaction():
                text_id = queue_text(wiring, conn, state, QueueText(CARD.id, "en", False, None, "", ()), plan, to)
            assert text_id is not None
            row = texts.read(conn, text_id)
            assert row is not None
            queued.append(row)
    return queued


def _rows(wiring: Wiring, queued: list[Text]) -> list[Text]:
    with wiring.pool.connection() as conn:
        rows = [row for one in queued if (row := texts.read(conn, one.id)) is not None]
    return [kept_texts.opened(wiring, row) for row in rows]


def _wait_until_settled(wiring: Wiring, queued: list[Text], within_s: float) -> None:
    ends = time.monotonic() + within_s
    while time.monotonic() < ends:
        if all(row.status in {"sent", "delivered"} for row in _rows(wiring, queued)):
            return
        time.sleep(0.5)


def run(database_url: str, redis_url: str, folder: Path, sends: int, within_s: float = 150.0) -> list[Outcome]:
    """Send `sends` texts through workers that die, and count them in the carrier's ledger."""
    all_fates = fates(sends)
    folder.mkdir(parents=True, exist_ok=True)
    numbers = {
        number(turn): {"trouble": fate.trouble, "receipts": fate.receipts} for turn, fate in enumerate(all_fates)
    }
    carrier_plan, worker_plan, dead = folder / "carrier.json", folder / "worker.json", folder / "dead"
    dead.mkdir()
    carrier_plan.write_text(json.dumps({"numbers": numbers, "lag_s": LAG_S, "silence_s": SILENCE_S}), "utf-8")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with process("tests.faults.hostile_carrier", carrier_plan, env) as carrier:
        assert carrier.stdout is not None
        address = f"http://127.0.0.1:{int(carrier.stdout.readline())}"
        with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as probe:
            port = probe.server_address[1]
        given = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "DATA_DIR": str(folder / "var"),
            "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
            "TWILIO_API_BASE_URL": address,
            "CARRIER_TIMEOUT_S": str(READ_S),
        }
        wiring = build(load(given, dotenv=None), name="driver", pool_size=8)
        try:
            with receipts_taken(wiring):
                queued = _queue(wiring, all_fates)
                points = {row.id: fate.point for row, fate in zip(queued, all_fates, strict=True) if fate.point}
                plan = {"settings": given, "times": TIMES, "points": points, "folder": str(dead)}
                worker_plan.write_text(json.dumps(plan), "utf-8")
                with (
                    process("tests.faults.doomed_worker", worker_plan, env),
                    process("tests.faults.doomed_worker", worker_plan, env),
                ):
                    _wait_until_settled(wiring, queued, within_s)
                    time.sleep(2 * TIMES["lease"])  # whoever would send a second one has the time to
            ledger = requests.get(f"{address}/ledger", timeout=10).json()
            return _counted(wiring, all_fates, _rows(wiring, queued), ledger, dead)
        finally:
            wiring.close()


def _counted(
    wiring: Wiring, all_fates: list[Fate], rows: list[Text], ledger: list[dict[str, Any]], dead: Path
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    with wiring.pool.connection() as conn:
        for fate, row in zip(all_fates, rows, strict=True):
            accepted = [message for message in ledger if row.token in message["body"]]
            names = tuple(fact.name for fact in facts.of_call(conn, row.call_sid))
            outcomes.append(Outcome(fate, len(accepted), row.status, (dead / row.id).exists(), names))
    return outcomes


def table(outcomes: list[Outcome]) -> Table:
    """By point of death: texts, deaths, sent once, twice, never."""
    shown = Table(title="SIGKILL of the worker at each step of a send")
    for column in ("worker killed when", "texts", "killed", "sent once", "twice", "lost"):
        shown.add_column(column, justify="left" if column.startswith("worker") else "right")
    for point in ("", *POINTS):
        here = [one for one in outcomes if one.fate.point == point]
        _row(shown, point or "(not killed)", here)
    shown.add_section()
    for trouble in TROUBLES:
        _row(shown, f"carrier: {trouble.replace('_', ' ')}", [one for one in outcomes if one.fate.trouble == trouble])
    shown.add_section()
    _row(shown, "all", outcomes)
    return shown


def _row(shown: Table, name: str, here: list[Outcome]) -> None:
    times = Counter("once" if one.accepted == 1 else "lost" if one.accepted == 0 else "twice" for one in here)
    killed = sum(one.killed for one in here)
    shown.add_row(name, str(len(here)), str(killed), str(times["once"]), str(times["twice"]), str(times["lost"]))


def main() -> None:
    """The whole run on stores of its own, with its table."""
    from ivr.stores import Stores
    from models.migrate import upgrade

    folder = Path(tempfile.mkdtemp(prefix="offhold-kills-"))
    began = time.monotonic()
    with Stores(folder / "stores") as stores:
        assert stores.postgres is not None
        stores.postgres.create_database("kills")
        url = stores.database_url("kills")
        upgrade(url)
        outcomes = run(url, stores.redis_url(), folder / "run", SENDS)
    Console().print(table(outcomes))
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(0 if all(one.accepted == 1 for one in outcomes) else 1)


if __name__ == "__main__":
    main()
