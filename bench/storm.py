"""`python -m bench.storm`: more searches a second than one core can do, beside the webhooks of callers who hold.

Sentences are spoken at fixed instants, however long answers take, to web processes that share one core; what became of
each is read from the facts. Then an article is imported while the service runs, and asked for until it is found.
"""

import argparse
import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import psutil
import psycopg
from rich.console import Console
from rich.table import Table

from bench.__main__ import percentile
from bench.calls import TURN, Caller, standard
from bench.client import Answers, Carrier, Form, Line
from bench.site import Site, opened, wait_for
from config.settings import Settings
from models import articles
from search.article import Answer, Article

PREPARING = 16  # connections
HOLDING = 20  # callers in the wait loop
HOLD_EVERY_S = 0.05  # one of them comes round
WITHIN_S = 5.0  # what a new article is found in
ASK_EVERY_S = 0.2
UNHEARD_OF = Article(
    "bench-axolotl",
    "My axolotl has lost its appetite in the heat",
    "It floats about and spits every worm out.",
    (Answer("Cool the tank to eighteen degrees and offer small worms at night.", accepted=True),),
)
ASKED = "my axolotl has no appetite since it is so hot"


@dataclass
class Storm:
    """What came of it. Times in seconds."""

    served: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    holding: list[float] = field(default_factory=list)  # the answers to callers who hold, meanwhile
    after: list[float] = field(default_factory=list)  # searches one by one when it is over
    refused_after: int = 0

    @property
    def refused_share(self) -> float:
        return len(self.refused) / max(1, len(self.refused) + len(self.served))


class Lines:
    """As many connections as are needed at once."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._free: list[Line] = []

    async def post(self, path: str, form: Form) -> tuple[str, float]:
        """The answer, and the seconds it took."""
        begun = time.perf_counter()
        line = self._free.pop() if self._free else await self._carrier.connect()
        document = await line.post(path, form)
        self._free.append(line)
        return document, time.perf_counter() - begun

    def close(self) -> None:
        """Hang up on all."""
        for line in self._free:
            line.close()


class Weather:
    """Callers of one run."""

    def __init__(self, settings: Settings) -> None:
        self.answers = Answers()
        token = settings.twilio_auth_token[0].get_secret_value()
        self.carrier = Carrier(
            settings.public_base_url, settings.port, settings.twilio_account_sid, token, self.answers
        )
        self._lines = Lines(self.carrier)
        self._database_url = settings.database_url.get_secret_value()

    async def brewing(self, first: int, count: int) -> list[tuple[Caller, str]]:
        """So many callers who were asked what is wrong: each with the address to answer to."""
        ready: list[tuple[Caller, str]] = []
        coming = iter(range(first, first + count))

        async def one_by_one() -> None:
            for n in coming:
                caller = Caller(n, 1)
                common = standard(self.carrier, caller)
                path, keys = "/voice/incoming", ""
                for keys in ("3", "2", ""):
                    document, _ = await self._lines.post(path, common)
                    found = TURN.search(document)
                    common = standard(self.carrier, caller) | {"Digits": keys}
                    path = f"/voice/menu?turn={found[1] if found else 0}"
                ready.append((caller, path.replace("menu", "describe")))

        await asyncio.gather(*(one_by_one() for _ in range(PREPARING)))
        return ready

    async def speak(self, caller: Caller, path: str) -> float:
        """The caller says what is wrong. Seconds until the answer."""
        said = {"SpeechResult": caller.sentence, "Confidence": "0.91"}
        return (await self._lines.post(path, standard(self.carrier, caller) | said))[1]

    async def hold(self, caller: Caller, round_: int) -> float:
        """The wait loop of a caller comes round."""
        more = {"QueueTime": str(round_), "QueuePosition": "9", "QueueSid": "QU" + "0" * 32, "AvgQueueTime": "60"}
        return (await self._lines.post("/voice/hold", standard(self.carrier, caller) | more))[1]

    async def write(self, n: int, body: str) -> str:
        """A text from a number of its own comes in; the answer."""
        sid, sender = f"SM{time.time_ns() + n:032x}", f"+1212{220 + n % 80}{1000 + n:04d}"
        form = {"MessageSid": sid, "From": sender, "To": "+12125550100", "Body": body}
        return (await self._lines.post("/sms/incoming", form | {"AccountSid": self.carrier.account_sid}))[0]

    async def storm(self, rate: float, seconds: float, at_once: int = 1) -> Storm:
        """`rate` searches a second, so many of them at once, the wait loops meanwhile, and searches one by one
        afterwards."""
        found = Storm()
        holding = await self.brewing(1_000_000, HOLDING)
        for caller, path in holding:
            await self.speak(caller, path)
        callers = await self.brewing(0, int(rate * seconds))
        times: dict[str, float] = {}
        over = asyncio.Event()

        async def speak(caller: Caller, path: str) -> None:
            times[caller.sid] = await self.speak(caller, path)

        async def hold() -> None:
            round_ = 0
            while not over.is_set():
                round_ += 1
                for caller, _ in holding:
                    if over.is_set():
                        break
                    found.holding.append(await self.hold(caller, round_))
                    await asyncio.sleep(HOLD_EVERY_S)

        holders = asyncio.create_task(hold())
        await at_rate(rate, at_once, [partial(speak, *one) for one in callers])
        over.set()
        await holders
        after = await self.brewing(2_000_000, 20)
        for caller, path in after:
            found.after.append(await self.speak(caller, path))
        busy = self._refused()
        for sid, took in times.items():
            (found.refused if sid in busy else found.served).append(took)
        found.refused_after = sum(caller.sid in busy for caller, _ in after)
        found.failed = self.answers.failed
        return found

    def _refused(self) -> set[str]:
        query = "SELECT call_sid FROM facts WHERE name = 'match_refused' AND data->>'reason' = 'search_busy'"
        with psycopg.connect(self._database_url) as conn:
            return {row[0] for row in conn.execute(query)}

    async def found_after(self, processes: int) -> float:
        """Seconds from the import of an article until it was found so often in a row that all processes find it."""
        assert UNHEARD_OF.title not in await self.write(0, ASKED)
        with psycopg.connect(self._database_url, autocommit=True) as conn:
            articles.upsert_many(conn, [UNHEARD_OF], "bench")
        begun = time.perf_counter()
        in_a_row, since = 0, 0.0
        for n in range(1, 100):
            lines, self._lines = self._lines, Lines(self.carrier)  # a connection of its own: to any process
            there = UNHEARD_OF.title in await self.write(n, ASKED)
            self._lines.close()
            self._lines = lines
            took = time.perf_counter() - begun
            since = (since if in_a_row else took) if there else 0.0
            in_a_row = in_a_row + 1 if there else 0
            if in_a_row == 5 * processes - 4:
                return since
            await asyncio.sleep(ASK_EVERY_S)
        raise TimeoutError("a new article was not found")

    def close(self) -> None:
        """Hang up."""
        self._lines.close()


async def at_rate(rate: float, at_once: int, tasks: list[Callable[[], Awaitable[None]]]) -> None:
    """Begin the tasks at fixed instants, `rate` a second, and wait for all."""
    begun = time.perf_counter()
    running = []
    for n, task in enumerate(tasks):
        await asyncio.sleep(max(0.0, begun + n // at_once * at_once / rate - time.perf_counter()))
        running.append(asyncio.ensure_future(task()))
    await asyncio.gather(*running)


@contextlib.contextmanager
def on_one_core(site: Site) -> Iterator[None]:
    """The web processes, which share the last core; everything else has the others, where there are any."""
    cores = sorted(os.sched_getaffinity(0))
    mine, children = psutil.Process(), psutil.Process().children(recursive=True)
    mine.cpu_affinity(cores[-1:])
    with site.running("-m", "ivr.server"):
        for process in (mine, *children):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.cpu_affinity(cores[:-1] or cores)
        try:
            wait_for(site.settings.port, "/readyz")
            yield
        finally:
            mine.cpu_affinity(cores)


async def measure(site: Site, rate: float, seconds: float, at_once: int) -> tuple[Storm, float]:
    """The storm, and how soon a new article is found after it."""
    weather = Weather(site.settings)
    storm = await weather.storm(rate, seconds, at_once)
    found_s = await weather.found_after(site.settings.web_processes)
    weather.close()
    return storm, found_s


def main() -> int:
    """The program's status: 1 when a search failed or a new article was found too late."""
    parser = argparse.ArgumentParser(prog="python -m bench.storm", description=__doc__)
    parser.add_argument("--articles", help="a community to serve (default: the starter community)")
    parser.add_argument("--rate", type=float, default=100.0, help="searches a second (default: %(default)s)")
    parser.add_argument("--at-once", type=int, default=1, help="of them begin together (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=10.0, help="(default: %(default)s)")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=8)
    options = parser.parse_args()
    out = Console(width=110)
    load = os.getloadavg()[0]
    with opened(options.articles, options.processes, options.threads) as site, on_one_core(site):
        storm, found_s = asyncio.run(measure(site, options.rate, options.seconds, options.at_once))
    title = f"{options.rate:.0f} searches a second, {options.processes} x {options.threads} threads on one core"
    table = Table(title=title)
    for name in ("what", "webhooks", "p50 ms", "p99 ms", "longest ms"):
        table.add_column(name, justify="left" if name == "what" else "right")
    rows = {"served": storm.served, "refused": storm.refused, "callers who hold": storm.holding, "after": storm.after}
    for name, times in rows.items():
        told = (percentile(times, 0.5), percentile(times, 0.99), max(times, default=float("nan")))
        table.add_row(name, str(len(times)), *(f"{one * 1000:.1f}" for one in told))
    out.print(table)
    out.print(f"refused: {storm.refused_share:.0%} (after it: {storm.refused_after} of {len(storm.after)})")
    out.print(f"an article imported meanwhile is found by every process after {found_s:.1f} s")
    out.print(f"load of the machine before: {load:.1f} on {os.cpu_count()} cores")
    if storm.failed:
        out.print(f"[bold]{len(storm.failed)} failed[/bold], the first: {storm.failed[:5]}", soft_wrap=True)
    return 1 if storm.failed or found_s > WITHIN_S else 0


if __name__ == "__main__":
    sys.exit(main())
