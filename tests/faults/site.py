"""Two machines of ours with their stores and a carrier, each part a process of its own that can be done harm to."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import requests

from config import folders, secret_files
from config.settings import Settings, load
from ivr.phone.engine import Carrier, Crowd
from ivr.phone.server import rest_app, running
from ivr.phone.signing import Pairs
from ivr.phone.transport import Answer, ConnectFailed, TimedOut
from ivr.stores import Stores
from models.migrate import upgrade
from tests.browser.service import free_ports
from tests.faults.ledgers import Exchange
from tests.faults.wires import Wire

ROOT = Path(__file__).resolve().parents[2]
URL = "https://calls.offhold.example"
ACCOUNT, TOKEN = "AC" + "5" * 32, "6" * 32
AGENT = "+15005550011"  # agents of the stand-in carrier dial in from it
SPEED = 6.0  # of the carrier's clock
RUNNERS = 10  # webhooks at the same time
READY_WITHIN_S = 90.0
TRY_S, CONNECT_S = 5.0, 1.0  # of the proxy, before it tries the other machine
DISK = "400m"
MACHINES = ("a", "b")


class Absent(Exception):
    """A part that a run needs is not there; the text says what to install or to allow."""


class Door:
    """The proxy in front of the web processes, as the carrier sees it: tries one machine, then the other, and keeps a
    record. `elsewhere` answers what neither does, as TwiML hosted with somebody else would."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        self._ports = dict(ports)
        self._session = threading.local()
        self._turn = 0
        self.began = time.monotonic()
        self.exchanges: list[Exchange] = []

    def __call__(self, method: str, url: str, form: Pairs, headers: Mapping[str, str]) -> Answer:
        parts, begun = urlsplit(url), time.monotonic()
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        self._turn += 1
        order = MACHINES if self._turn % 2 else MACHINES[::-1]
        answer, why = None, ""
        tried = 0
        for machine in (*order, order[0]):
            tried += 1
            answer, why = self._try(machine, method, path, form, headers)
            if answer is not None and answer.status not in (502, 503):
                break
        given = dict(form)
        took = time.monotonic() - begun
        if parts.path.startswith(("/voice/", "/sms/")):
            self.exchanges.append(
                Exchange(
                    begun - self.began,
                    parts.path,
                    given.get("CallSid", ""),
                    took,
                    why if answer is None else _problem(parts.path, answer),
                    given.get("Digits", ""),
                    answer.body.decode("utf-8", "replace") if answer else "",
                    tried,
                )
            )
        if answer is None:
            raise TimedOut(why) if "Timeout" in why else ConnectFailed(why)
        return answer

    def _try(
        self, machine: str, method: str, path: str, form: Pairs, headers: Mapping[str, str]
    ) -> tuple[Answer | None, str]:
        session = self._session.__dict__.setdefault("session", requests.Session())
        session.trust_env = False
        try:
            got = session.request(
                method,
                f"http://127.0.0.1:{self._ports[machine]}{path}",
                data=list(form) if method == "POST" else None,
                headers=dict(headers),
                timeout=(CONNECT_S, TRY_S),
                allow_redirects=False,
            )
        except requests.RequestException as failure:
            return None, type(failure).__name__
        return Answer(got.status_code, {k.lower(): v for k, v in got.headers.items()}, got.content), ""


def _problem(path: str, answer: Answer) -> str:
    """Why the carrier could not use an answer, "" when it can."""
    if path in ("/voice/status", "/sms/status"):
        return "" if answer.status == 204 else f"HTTP {answer.status}"
    if answer.status != 200 or answer.mime != "text/xml":
        return f"HTTP {answer.status} {answer.mime}"
    try:
        return "" if ET.fromstring(answer.body).tag == "Response" else "no <Response>"
    except ET.ParseError as problem:
        return f"ill-formed: {problem}"


class Part:
    """One process of ours that is begun again by `tests.faults.lives`."""

    def __init__(self, name: str, kind: str, settings: Mapping[str, str], log: Path) -> None:
        self.name, self.kind, self._settings, self._log = name, kind, settings, log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin."""
        python = Path(sys.executable).parent
        own = {"PATH": f"{python}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.lives", self.kind],
                env={**own, **self._settings},
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def life(self) -> list[psutil.Process]:
        """The processes of the life there is: for the web its supervisor first, then those that answer."""
        assert self.process is not None
        try:
            found: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.Error:
            return []
        return found

    def ready(self) -> bool:
        """Whether it does its work."""
        if self.kind != "web":
            return bool(self.life())
        try:
            return requests.get(f"http://127.0.0.1:{self._settings['PORT']}/healthz", timeout=1).status_code == 200
        except requests.RequestException:
            return False

    def end(self) -> None:
        """End it for good, whatever state it is in."""
        if self.process is None:
            return
        for one in self.life():
            with suppress(psutil.Error):
                one.resume()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@dataclass
class Site:
    """Everything of one run."""

    folder: Path
    stores: Stores
    carrier: Carrier
    door: Door
    parts: dict[str, Part]
    wires: dict[str, Wire]
    settings: Settings
    disk: Path | None
    stop: threading.Event = field(default_factory=threading.Event)


def _clock(site: Site) -> None:
    """One of the carrier's hands: several webhooks are under way at the same time, the clock moves on meanwhile."""
    carrier = site.carrier
    began, at = time.monotonic(), carrier.now
    while not site.stop.wait(0.02):
        behind = (time.monotonic() - began) * SPEED - (carrier.now - at).total_seconds()
        if behind > 0:
            carrier.advance(behind)


@contextmanager
def disk_of(folder: Path) -> Iterator[None]:
    """A small disk of its own mounted at `folder`. Raises Absent."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", "offhold-faults", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Absent(
            f"No disk can be mounted to be filled ({done.stderr.strip()}): run as root, in a container with "
            "--cap-add SYS_ADMIN; `mount` is of the Debian package mount."
        )
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


@contextmanager
def site(released: Path, folder: Path, *, with_disk: bool) -> Iterator[Site]:
    """A whole site on a copy of the DATA_DIR `released`; with a disk that can be filled under PostgreSQL."""
    data = folder / "stores"
    data.mkdir(parents=True)
    with ExitStack() as stack:
        if with_disk:
            stack.enter_context(disk_of(data))
        subprocess.run(["cp", "-Rp", f"{released}/.", str(data)], check=True)
        made = secret_files.read(folders.secrets_folder(data))
        stores = stack.enter_context(Stores(data))
        upgrade(stores.database_url())  # a DATA_DIR may be of an older version
        wires = {}
        for machine in MACHINES:
            for name, to in (
                ("postgres", folders.sockets_folder(data) / ".s.PGSQL.5432"),
                ("valkey", folders.valkey_socket(data, 6379)),
            ):
                wires[f"{name}-{machine}"] = stack.enter_context(Wire(f"{name}-{machine}", to))
        ports = dict(zip(MACHINES, free_ports(len(MACHINES)), strict=True))
        door = Door(ports)
        carrier = Carrier(ACCOUNT, TOKEN, URL, transport=door)
        carrier.crowd = Crowd(ahead=6, every_s=45.0)
        rest = stack.enter_context(running(rest_app(carrier)))
        wires["carrier"] = stack.enter_context(Wire("carrier", int(rest.rpartition(":")[2])))
        given = {machine: _settings(folder / machine, ports[machine], wires, machine, made) for machine in MACHINES}
        parts = {}
        for machine in MACHINES:
            (folder / machine).mkdir()
            for kind in ("web", "worker"):
                name = f"{kind}-{machine}"
                parts[name] = Part(name, kind, given[machine], folder / f"{name}.log")
        direct = given["a"] | {"DATABASE_URL": stores.database_url(), "REDIS_URL": stores.redis_url()}
        made_site = Site(
            folder, stores, carrier, door, parts, wires, load(direct, dotenv=None), data if with_disk else None
        )
        try:
            for part in parts.values():
                part.start()
            _wait_ready(made_site)
            hands = [threading.Thread(target=_clock, args=(made_site,), daemon=True) for _ in range(RUNNERS)]
            for hand in hands:
                hand.start()
            yield made_site
        finally:
            made_site.stop.set()
            for wire in wires.values():
                wire.set("open")
            for part in parts.values():
                part.end()


def _settings(
    data: Path, port: int, wires: Mapping[str, Wire], machine: str, made: Mapping[str, str]
) -> dict[str, str]:
    postgres, valkey = wires[f"postgres-{machine}"].port, wires[f"valkey-{machine}"].port
    keys = {name: value for name, value in made.items() if not name.startswith("TWILIO_")}
    return {
        **keys,
        "DATA_DIR": str(data),
        "PORT": str(port),
        "PHONE_PORT": "1",
        "DATABASE_URL": f"postgresql://offhold@127.0.0.1:{postgres}/offhold?sslmode=disable&gssencmode=disable",
        "REDIS_URL": f"redis://127.0.0.1:{valkey}/0",
        "PUBLIC_BASE_URL": URL,
        "TEST_PHONE": "off",
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_SENDER_NUMBER": "+15005550006",
        "TWILIO_API_BASE_URL": f"http://127.0.0.1:{wires['carrier'].port}",
        "CARRIER_CONNECT_TIMEOUT_S": "1",
        "CARRIER_TIMEOUT_S": "2",
        "WEB_PROCESSES": "1",
        "AGENT_NUMBERS": AGENT,
    }


def _wait_ready(made: Site) -> None:
    end = time.monotonic() + READY_WITHIN_S
    while not all(part.ready() for part in made.parts.values()):
        if time.monotonic() > end:
            logs = "\n".join(f"{path.name}: {path.read_text()[-1500:]}" for path in made.folder.glob("*.log"))
            raise TimeoutError(f"the site was not ready within {READY_WITHIN_S:.0f} s\n{logs}")
        time.sleep(0.2)


def remove(folder: Path) -> None:
    """Take a run's folder away."""
    shutil.rmtree(folder, ignore_errors=True)
