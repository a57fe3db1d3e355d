"""Does harm, at random and by one seed: kills, stops, cuts, slows, fills and restarts the parts of a site."""

import contextlib
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

import psutil
import redis

from ivr.stores.servers import Server
from ivr.stores.valkey import Valkey
from tests.faults.site import MACHINES, Part, Site
from tests.faults.wires import Mode

READY_WITHIN_S = 45.0
Harm = Callable[[], None]


class Nemesis:
    """`done` counts what was done, by name; `kills`: how often something got SIGKILL. At any time one machine's web is
    left alone: nobody promises to answer when all that answers is dead."""

    def __init__(self, site: Site, seed: int) -> None:
        self._site, self._chance = site, random.Random(f"{seed} nemesis")
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._hands = ThreadPoolExecutor(6)  # kept: a server ends with the thread that began it
        self.done: Counter[str] = Counter()
        self.kills = 0
        self.problems: list[str] = []
        self.times: list[tuple[float, str]] = []

    def work(self, seconds: float) -> None:
        """Do harm for so long; at the end all is whole again."""
        end, under_way = time.monotonic() + seconds, []
        while time.monotonic() < end:
            name, part, harm = self._next()
            if self._take(part):
                self.times.append((time.monotonic() - self._site.door.began, f"{name} ({part})"))
                under_way.append(self._hands.submit(self._do, name, part, harm))
                time.sleep(self._chance.uniform(0.2, 0.8))
            else:
                time.sleep(0.1)
        wait(under_way)
        postgres = self._site.stores.postgres
        assert postgres is not None
        self._wait(postgres.answers, "PostgreSQL")

    def _take(self, part: str) -> bool:
        """Parts whose harm would leave nobody to answer are not touched while the other's lasts."""
        webs = {f"web-{machine}" for machine in MACHINES}
        with self._lock:
            if part in self._busy or (part in webs and self._busy & webs):
                return False
            self._busy.add(part)
            return True

    def _do(self, name: str, part: str, harm: Harm) -> None:
        try:
            harm()
            self.done[name] += 1
        except Exception as error:
            self.problems.append(f"{name}: {type(error).__name__}: {error}")
        finally:
            with self._lock:
                self._busy.discard(part)

    def _next(self) -> tuple[str, str, Harm]:
        chance, machine = self._chance, self._chance.choice(MACHINES)
        stores, lasts_s = self._site.stores, chance.uniform(0.3, 4.0)
        assert stores.postgres is not None
        assert stores.valkey is not None
        postgres, valkey = stores.postgres, stores.valkey
        web, worker = f"web-{machine}", f"worker-{machine}"
        wire = chance.choice(tuple(self._site.wires))
        harms: list[tuple[int, str, str, Harm]] = [
            (22, "kill worker", worker, lambda: self._kill_life(worker)),
            (3, "kill web process", web, lambda: self._kill_life(web, inner=True)),
            (2, "kill web", web, lambda: self._kill_life(web)),
            (1, "kill the web's supervisor", web, lambda: self._kill_supervisor(web)),
            (1, "kill PostgreSQL", "postgres", lambda: self._kill_store(postgres)),
            (1, "kill a PostgreSQL backend", "postgres", lambda: self._kill_backend(postgres)),
            (22, "kill Valkey", "valkey", lambda: self._kill_store(valkey)),
            (2, "stop worker", worker, lambda: self._pause(self._site.parts[worker].life(), lasts_s * 2)),
            (2, "stop web", web, lambda: self._pause(self._site.parts[web].life(), lasts_s)),
            (1, "stop PostgreSQL", "postgres", lambda: self._pause(_all(postgres), lasts_s / 2)),
            (1, "stop Valkey", "valkey", lambda: self._pause(_all(valkey), lasts_s)),
            (1, "restart web", web, lambda: self._restart(web)),
            (1, "restart worker", worker, lambda: self._restart(worker)),
            (2, f"cut {wire}", wire, lambda: self._wire(wire, "cut", lasts_s)),
            (2, f"silence {wire}", wire, lambda: self._wire(wire, "silent", lasts_s)),
            (1, f"slow {wire}", wire, lambda: self._wire(wire, "slow", lasts_s)),
            (3, "carrier in trouble", "carrier", lambda: self._trouble(lasts_s)),
            (1, "Valkey forgets", "valkey", lambda: _forget(valkey)),
        ]
        if self._site.disk is not None:
            harms.append((1, "fill the disk", "postgres", lambda: self._fill(lasts_s)))
        _, name, part, harm = chance.choices(harms, [weight for weight, *_ in harms])[0]
        return name, part, harm

    def _kill(self, processes: list[psutil.Process]) -> None:
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.kill()
        self.kills += bool(processes)

    def _kill_life(self, name: str, *, inner: bool = False) -> None:
        part = self._site.parts[name]
        life = part.life()
        killed = life[1:] if inner else life
        self._kill(killed)
        self._wait_anew(part, killed)

    def _kill_supervisor(self, name: str) -> None:
        part = self._site.parts[name]
        before = part.life()
        self._kill(before[:1])
        self._wait_anew(part, before)

    def _kill_store(self, server: Server) -> None:
        assert server.process is not None
        self._kill(_all(server))
        server.process.wait()
        time.sleep(self._chance.uniform(0, 1.0))
        self._begin(server)

    def _kill_backend(self, server: Server) -> None:
        backends = _all(server)[1:]
        self._kill([self._chance.choice(backends)] if backends else [])
        self._wait(server.answers, server.name)

    def _begin(self, server: Server) -> None:
        for _ in range(3):  # what was killed may still be letting go of its memory
            try:
                server.prepare()
                server.start()
            except Exception:
                time.sleep(0.5)
            else:
                return
        server.prepare()
        server.start()

    def _pause(self, processes: list[psutil.Process], seconds: float) -> None:
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.suspend()
        time.sleep(seconds)
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.resume()
        time.sleep(0.3)

    def _restart(self, name: str) -> None:
        """As a rollout would: SIGTERM, the rest finishes."""
        part = self._site.parts[name]
        before = part.life()
        for process in before[:1]:
            process.send_signal(signal.SIGTERM)
        self._wait_anew(part, before)

    def _wire(self, name: str, mode: Mode, seconds: float) -> None:
        wire = self._site.wires[name]
        wire.set(mode)
        time.sleep(seconds)
        wire.set("open")

    def _trouble(self, seconds: float) -> None:
        faults, chance = self._site.carrier.faults, self._chance
        faults.http_status = chance.choice((429, 503))
        faults.silence_s = 3.0
        faults.refusals = chance.randrange(4)
        faults.accept_then_time_out = chance.randrange(2)
        faults.accept_then_500 = chance.randrange(3)
        faults.list_failures = chance.randrange(3)
        faults.receipts = chance.choice(("normal", "before_answer", "duplicated", "reordered", "none"))
        time.sleep(seconds)
        faults.refusals = faults.accept_then_time_out = faults.accept_then_500 = faults.list_failures = 0
        faults.receipts = "normal"

    def _fill(self, seconds: float) -> None:
        """Not a byte is left under PostgreSQL."""
        assert self._site.disk is not None
        filler = self._site.disk / "filler"
        try:
            with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(b"\0" * 1_000_000)
            time.sleep(seconds)
        finally:
            filler.unlink(missing_ok=True)
        postgres = self._site.stores.postgres
        assert postgres is not None
        if not postgres.running:  # it gave up: the supervisor's work
            self._begin(postgres)
        self._wait(postgres.answers, "PostgreSQL")

    def _wait_anew(self, part: Part, before: list[psutil.Process]) -> None:
        """Until what was there is gone, and only then whether something answers: one on its way out may still do so."""
        self._wait(lambda: not any(map(_lives, before)), part.name)
        self._wait(part.ready, part.name)

    def _wait(self, ready: Callable[[], bool], name: str) -> None:
        end = time.monotonic() + READY_WITHIN_S
        while not ready():
            if time.monotonic() > end:
                raise TimeoutError(f"{name} did not come back within {READY_WITHIN_S:.0f} s")
            time.sleep(0.05)


def _all(server: Server) -> list[psutil.Process]:
    """A server's process and, for PostgreSQL, its backends."""
    if server.process is None:
        return []
    try:
        first = psutil.Process(server.process.pid)
        return [first, *first.children(recursive=True)]
    except psutil.Error:
        return []


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _forget(valkey: Valkey) -> None:
    redis.Redis.from_url(valkey.url(), socket_timeout=2).flushall()
