"""Two machines that serve one number: each with its own web, worker, port and DATA_DIR, behind one proxy, with one
PostgreSQL and one Valkey, each reached by a wire of the machine's own that can be cut.

`python -m tests.faults.machines MINUTES` restarts and cuts them again and again while callers call, and prints what the
carrier's ledger and ours say.
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import psycopg
import requests
from flask import Flask

from config import folders, secret_files
from ivr.phone.call import Call
from ivr.phone.engine import Carrier, Crowd
from ivr.phone.server import rest_app, running
from ivr.phone.signing import Pairs
from ivr.phone.transport import Answer, HttpTransport
from ivr.stores import Stores
from models import facts, plans
from models.facts import FactRow
from tests.browser.service import ROOT, answers, free_ports, release
from tests.faults.wires import Mode, Wire
from tests.scenery import patched

PUBLIC = "https://calls.lumora.example"
ACCOUNT, TOKEN, NUMBER = "AC" + "7" * 32, "0123456789abcdef0123456789abcdef", "+15005550006"
AREAS = ("202", "310", "212", "415", "206", "312", "404", "503", "602", "617")
READY_WITHIN_S, END_WITHIN_S = 90.0, 30.0
STEP_S, PAUSE_S = 1.0, 0.02  # the carrier's time and the wall's: a caller lives fifty times as fast
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


@dataclass(frozen=True)
class Asked:
    """One webhook as the carrier saw it. `status` 0 = no answer came."""

    path: str
    status: int
    seconds: float
    at: float  # monotonic


@dataclass
class Played:
    """One caller's call."""

    number: str
    carrier: Carrier
    call: Call
    asked: list[Asked]
    took: bool = False  # heard that the text is being sent
    hung_up: bool = False  # by the caller: a call that is over otherwise was dropped


class Machine:
    """Its processes, and its wires to both stores."""

    def __init__(self, folder: Path, stores: Stores, given: Mapping[str, str]) -> None:
        assert stores.postgres is not None
        assert stores.valkey is not None
        self.folder = folder
        folder.mkdir()
        sockets = stores.postgres.sockets
        self._wires = contextlib.ExitStack()
        self.postgres = self._wires.enter_context(Wire("postgresql", sockets / f".s.PGSQL.{stores.postgres.port}"))
        self.valkey = self._wires.enter_context(Wire("valkey", stores.valkey.socket))
        (self.port,) = free_ports(1)
        self._environ = {
            **given,
            "DATABASE_URL": f"postgresql://offhold@127.0.0.1:{self.postgres.port}/offhold",
            "REDIS_URL": f"redis://127.0.0.1:{self.valkey.port}/0",
            "DATA_DIR": str(folder),
            "PORT": str(self.port),
        }
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Web and worker, each in a process group of its own; returns at once."""
        for name, command in (("web", ("-m", "ivr.server")), ("worker", ("-m", "flask", "--app", "ivr.app", "worker"))):
            with (self.folder / f"{name}.log").open("ab") as log:
                self._running.append(
                    subprocess.Popen(
                        [sys.executable, *command],
                        env=self._environ,
                        cwd=ROOT,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                    )
                )

    @property
    def ready(self) -> bool:
        return answers(self.port, "/readyz")

    def wait(self) -> None:
        """Until it may be given calls. Raises AssertionError with its log when it is not in time."""
        end = time.monotonic() + READY_WITHIN_S
        while not self.ready:
            assert time.monotonic() < end, self.log
            assert self._running[0].poll() is None, self.log
            time.sleep(0.1)

    def stop(self) -> list[int]:
        """SIGTERM, as systemd and a container's end have it; the statuses of web and worker."""
        for process in self._running:
            process.send_signal(signal.SIGTERM)
        statuses = [process.wait(END_WITHIN_S) for process in self._running]
        self._running.clear()
        return statuses

    def close(self) -> None:
        for process in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(END_WITHIN_S)
        self._running.clear()
        self._wires.close()

    @property
    def log(self) -> str:
        return "\n".join(file.read_text("utf-8", "replace")[-3000:] for file in sorted(self.folder.glob("*.log")))


@dataclass
class World:
    """Machines, proxy, stores, and everybody who calls."""

    stores: Stores
    machines: list[Machine]
    front: int  # port of the proxy
    carriers: dict[str, Carrier]
    numbers: Iterator[str]
    played: list[Played] = field(default_factory=list)

    def caller(self, *, hold_s: float, port: int | None = None) -> Played:
        """A whole call: menu, hold, offer, text, hang-up after `hold_s` of the carrier's time in the queue."""
        number = next(self.numbers)
        asked: list[Asked] = []
        carrier = Carrier(ACCOUNT, TOKEN, PUBLIC, NUMBER, transport=_to(port or self.front, asked))
        carrier.crowd = Crowd(9, 60)
        self.carriers[number] = carrier
        played = Played(number, carrier, carrier.call(number), asked)
        self.played.append(played)
        _choose(played)
        _hold(played, hold_s)
        if not played.call.over:
            played.hung_up = True
            carrier.hang_up(played.call)
        _until(played, lambda: False, 5)
        return played

    def callers(self, count: int, *, hold_s: float, port: int | None = None) -> list[Played]:
        """So many at once."""
        with ThreadPoolExecutor(count) as lines:
            return list(lines.map(lambda _: self.caller(hold_s=hold_s, port=port), range(count)))

    @contextlib.contextmanager
    def calls(self, at_once: int, *, hold_s: float) -> Iterator[None]:
        """So many lines, always taken: one caller after another until the end of the block; the last ones finish."""
        stop = threading.Event()

        def line() -> None:
            while not stop.is_set():
                self.caller(hold_s=hold_s)

        with ThreadPoolExecutor(at_once) as lines:
            taken = [lines.submit(line) for _ in range(at_once)]
            try:
                yield
            finally:
                stop.set()
        for one in taken:
            one.result()

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.stores.database_url(), autocommit=True)

    def settle(self, played: list[Played], within_s: float = 30.0) -> None:
        """Until each text has reached its handset and its receipt has reached us, and each call's end is on record."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            for one in played:
                one.carrier.advance(STEP_S)
            with self.connect() as conn:
                if all(_settled(one, facts.of_call(conn, one.call.sid)) for one in played):
                    return
            time.sleep(0.2)

    def facts(self, one: Played) -> list[FactRow]:
        with self.connect() as conn:
            return facts.of_call(conn, one.call.sid)

    def violations(self, played: list[Played], *, slowest_s: float) -> list[str]:
        """What the carrier's ledger and ours say against us; nothing is well."""
        found = []
        for one in played:
            found += [f"{one.number}: {problem}" for problem in against(one, self.facts(one), slowest_s=slowest_s)]
        return found


def against(one: Played, rows: list[FactRow], *, slowest_s: float) -> list[str]:
    """One call's violations: dropped, answered badly, late or not at all; facts missing or twice, texts lost or twice.

    `rows` are its facts. Values in, a list of what is wrong out."""
    names = [row.name for row in rows]
    sent = [message for message in one.carrier.messages if message.to == one.number]
    found = [f"protocol {warning.code}: {warning.text}" for warning in one.carrier.warnings]
    found += [f"{asked.path} answered {asked.status}" for asked in one.asked if asked.status not in (200, 204)]
    heard = [asked for asked in one.asked if asked.path.startswith("/voice/")]
    found += [f"{asked.path} took {asked.seconds:.2f} s" for asked in heard if asked.seconds > slowest_s]
    found += [] if one.hung_up else ["the call was dropped"]
    found += [f"{name} {names.count(name)} times" for name in ONCE if names.count(name) > 1]
    found += [f"no {name}" for name in ALWAYS if name not in names]
    found += [f"{len(sent)} texts for {names.count('text_queued')} wanted"] * (len(sent) != names.count("text_queued"))
    found += ["a text that was promised is not on record"] * (one.took and "accepted" not in names)
    found += ["a text came to no end"] * ("text_queued" in names and not {"delivered", "send_failed"} & set(names))
    return found


ALWAYS = ("call_started", "hung_up_in_queue", "call_ended")
ONCE = (*ALWAYS, "held", "match_found", "offered", "accepted", "text_queued", "sent", "delivered")


def _settled(one: Played, rows: list[FactRow]) -> bool:
    names = {row.name for row in rows}
    return "call_ended" in names and ("text_queued" not in names or bool({"delivered", "send_failed"} & names))


def _to(port: int, asked: list[Asked]) -> Any:
    """The way from the carrier to a port of this machine; every request is noted."""
    http = HttpTransport()

    def send(method: str, url: str, form: Pairs, headers: Mapping[str, str]) -> Answer:
        begun = time.monotonic()
        status = 0
        try:
            to = url.replace(PUBLIC, f"http://127.0.0.1:{port}")
            answer = http(method, to, form, {**headers, "Host": PUBLIC.partition("//")[2]})
            status = answer.status
            return answer
        finally:
            path = url.removeprefix(PUBLIC).partition("?")[0]
            asked.append(Asked(path, status, time.monotonic() - begun, begun))

    return send


def _until(played: Played, done: Any, limit_s: float) -> bool:
    """Let the caller's time pass until `done`, at most `limit_s` of it."""
    begun = played.carrier.now
    while not done():
        if (played.carrier.now - begun).total_seconds() >= limit_s:
            return False
        played.carrier.advance_to_next(STEP_S)
        time.sleep(PAUSE_S)
    return True


def _choose(played: Played) -> None:
    """Internet, the light is red; whatever is said on the way."""
    call = played.call
    for key in ("3", "1"):
        if _until(played, lambda: "dtmf" in call.listens or call.member is not None or call.over, 60):
            if call.member is not None or call.over:
                return
            played.carrier.press(call, key)
    _until(played, lambda: call.member is not None or call.over, 60)


def _hold(played: Played, hold_s: float) -> None:
    """In the queue; key 1 at the offer, and once more where it is asked for again."""
    call, carrier = played.call, played.carrier

    def asked() -> int:
        return sum("by text, press 1" in line.text for line in call.heard if line.kind == "say")

    begun, answered = carrier.now, 0
    while (left := hold_s - (carrier.now - begun).total_seconds()) > 0 and not call.over:
        _until(played, lambda seen=answered: call.over or ("dtmf" in call.listens and asked() > seen), left)
        if asked() > answered and not call.over and not played.took:
            answered = asked()
            carrier.press(call, "1")
            _until(played, lambda: False, 3)
            played.took = any("Sending it now" in line.text for line in call.heard)


def _post_office(carriers: Mapping[str, Carrier]) -> Flask:
    """The carrier's REST side: each request goes to the desk of the caller it is about."""
    desks: dict[str, Flask] = {}
    making = threading.Lock()  # a table of addresses is compiled, which threads may not do at once

    def of(number: str) -> Flask:
        with making:
            return desks.setdefault(number, rest_app(carriers[number]))

    def number_of(environ: dict[str, Any], body: bytes) -> str:
        asked = parse_qs(body.decode() if environ["REQUEST_METHOD"] == "POST" else environ.get("QUERY_STRING", ""))
        if asked.get("To"):
            return str(asked["To"][0])
        sid = environ["PATH_INFO"].rpartition("/")[2].removesuffix(".json")
        holders = [number for number, one in carriers.items() for message in one.messages if message.sid == sid]
        return holders[0] if holders else next(iter(carriers))

    def serve(environ: dict[str, Any], start_response: Any) -> Any:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        return of(number_of(environ, body)).wsgi_app(environ, start_response)

    app = Flask("post-office")
    # Flask's own way to put something in an application's place, which mypy takes for a method overwritten.
    app.wsgi_app = serve  # type: ignore[method-assign]
    return app


def _numbers() -> Iterator[str]:
    for last in range(100):
        for area in AREAS:
            yield f"+1{area}55501{last:02}"


@contextlib.contextmanager
def proxy(folder: Path, ports: list[int]) -> Iterator[int]:
    """nginx as deploy/nginx has it, before machines of this one."""
    assert NGINX, "nginx is missing: sudo apt install nginx-light (sh tests/nginx.sh)"
    shutil.copytree(ROOT / "deploy" / "nginx", folder)
    front, desk = free_ports(2)
    (folder / "mime.types").write_text("types {}\n")
    upstream = (folder / "upstream.conf").read_text("utf-8")
    for n, port in enumerate(ports, 1):
        upstream = upstream.replace(f"web-{n}:8000", f"127.0.0.1:{port}")
    (folder / "upstream.conf").write_text(upstream)
    server = (folder / "desk.conf").read_text("utf-8").replace("listen 8000", f"listen 127.0.0.1:{front}")
    (folder / "server.conf").write_text(server.replace("listen 8100", f"listen 127.0.0.1:{desk}"))
    main = folder / "nginx.conf"
    main.write_text(
        main.read_text("utf-8")
        .replace(" /tmp/", f" {folder}/")
        .replace("access_log off", "access_log access.log plain")
    )
    whose = "user root;" if os.geteuid() == 0 else ""  # pytest's folders are ours alone
    with (folder / "error.log").open("wb") as log:
        process = subprocess.Popen(
            [NGINX, "-p", str(folder), "-c", str(main), "-g", f"daemon off; {whose}"], stdout=log, stderr=log
        )
    try:
        end = time.monotonic() + 10
        while not _listens(front):
            assert process.poll() is None, (folder / "error.log").read_text()
            assert time.monotonic() < end
            time.sleep(0.05)
        yield front
    finally:
        process.send_signal(signal.SIGQUIT)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listens(port: int) -> bool:
    try:
        requests.get(f"http://127.0.0.1:{port}/readyz", timeout=2)
    except requests.ConnectionError:
        return False
    return True


@contextlib.contextmanager
def world(released: Path, folder: Path) -> Iterator[World]:
    """Everything, ready: two machines on a copy of a released company."""
    data_dir = folder / "stores"
    subprocess.run(["cp", "-Rp", released, data_dir], check=True)  # with its owners: PostgreSQL never runs as root
    made = secret_files.read(folders.secrets_folder(data_dir))
    carriers: dict[str, Carrier] = {}
    with contextlib.ExitStack() as parts:
        stores = parts.enter_context(Stores(data_dir))
        with psycopg.connect(stores.database_url(), autocommit=True) as conn:
            plans.publish(conn, patched({"offers": {"holdout_share": 0}}), "tests", "everybody is offered")
        given = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "OFFHOLD_ENV": "production",
            "PUBLIC_BASE_URL": PUBLIC,
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_SENDER_NUMBER": NUMBER,
            "TWILIO_API_BASE_URL": parts.enter_context(running(_post_office(carriers))),
            "TEST_PHONE": "on",  # it alone may be reached without https
            "WEB_PROCESSES": "1",
            **{name: value for name, value in made.items() if not name.startswith("TWILIO_")},
        }
        machines = [Machine(folder / name, stores, given) for name in ("one", "two")]
        for machine in machines:
            parts.callback(machine.close)
            machine.start()
        for machine in machines:
            machine.wait()
        front = parts.enter_context(proxy(folder / "nginx", [machine.port for machine in machines]))
        yield World(stores, machines, front, carriers, _numbers())


def restart(machine: Machine) -> None:
    """As an operator does it: told to stop, gone, started again, ready."""
    statuses = machine.stop()
    assert statuses == [0, 0], f"{statuses}\n{machine.log}"
    machine.start()
    machine.wait()


def main(minutes: float, seed: int) -> int:
    """Restarts and cuts in random order for so long, while callers call; prints the verdict."""
    chance = random.Random(seed)
    done: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="offhold-machines-") as name:
        folder = Path(name)
        release(folder / "var")
        with world(folder / "var", folder) as here:
            end = time.monotonic() + minutes * 60
            with here.calls(6, hold_s=70):
                while time.monotonic() < end:
                    machine = chance.choice(here.machines)
                    store, mode = chance.choice(TROUBLES)
                    done[f"{store} {mode}"] = done.get(f"{store} {mode}", 0) + 1
                    _befall(machine, store, mode, chance.uniform(0.5, 4.0))
                    time.sleep(1.0)
            here.settle(here.played, 120)
            found = here.violations(here.played, slowest_s=SLOWEST_S)
            asked = [one for played in here.played for one in played.asked]
            times = sorted(one.seconds for one in asked)
            print(f"seed {seed}: {len(here.played)} calls, {len(asked)} webhooks, {done}")
            print(f"answers: p50 {times[len(times) // 2] * 1000:.0f} ms, max {times[-1] * 1000:.0f} ms")
            print("\n".join(found) or "nothing lost, nothing twice, nobody dropped")
    return 1 if found else 0


SLOWEST_S = 1.0
TROUBLES: tuple[tuple[str, Mode], ...] = (
    ("restart", "open"),
    ("valkey", "cut"),
    ("valkey", "silent"),
    ("postgresql", "cut"),
    ("postgresql", "silent"),
    ("postgresql", "slow"),
)


def _befall(machine: Machine, store: str, mode: Mode, seconds: float) -> None:
    if mode == "open":
        restart(machine)
        return
    wire = machine.valkey if store == "valkey" else machine.postgres
    wire.set(mode)
    time.sleep(seconds)
    wire.set("open")


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0, int(sys.argv[2]) if len(sys.argv) > 2 else 1))
