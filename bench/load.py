"""`python -m bench.load`: a day of callers, ten thousand at once, and ten times the arrivals for a minute.

Requests are signed before each part and sent when they are due, however long answers take; a time counts from then.
What the service left out it counted itself; afterwards every call must be on record once.
"""

import argparse
import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import psycopg
from rich.console import Console
from rich.table import Table

from bench.__main__ import Rest, percentile
from bench.calls import Caller
from bench.load_calls import DAY_S, ROUND_S, Sent, Signer, holds_fitted, holds_of, resampled
from bench.load_told import SAMPLE_S, Curve, Memory, counters, levels, picture
from bench.load_wire import Answered, Lines, signed
from bench.site import Site, opened, processor_s, wait_for
from config import folders

AGENTS_CALLS_S = 8_500 / 3600  # what 1,000 agents at 85 % answer in a second, of 360 s each
CROWD_ARRIVALS_S = 10_000 / 600  # ten thousand at once who stay ten minutes each
ANSWER_S, RATED_P99_S = 1.0, 0.3
LANDS_WITHIN_S = 900.0
LOG = "ivr.server.log"


@dataclass
class Part:
    """One part of the load, and what came of it."""

    name: str
    begun: float
    answered: Answered = field(default_factory=Answered)
    took_s: float = 0.0
    shed: Counter[str] = field(default_factory=Counter)
    levels: list[tuple[str, str]] = field(default_factory=list)
    texts: int = 0
    processors: dict[str, float] = field(default_factory=dict)  # cores
    load: tuple[float, float] = (0.0, 0.0)  # average of the machine before and after


class Load:
    """The callers of one run against one site."""

    def __init__(self, site: Site, web: int, worker: int) -> None:
        self.site, self.web, self.worker = site, web, worker
        self.signer = Signer(site.settings)
        self.lines = Lines(site.settings.port)
        self.memory = Memory(web)
        self.rest = Rest()
        self.parts: list[Part] = []
        self._part = Part("before", 0.0)
        self._numbers = count()
        self._before = 0
        self.began: set[str] = set()  # calls of which the first webhook was answered

    def caller(self) -> Caller:
        """Nobody who called before."""
        n = next(self._numbers)
        return Caller(n % 100_000, 1 + n // 100_000)

    @asynccontextmanager
    async def part(self, name: str) -> AsyncIterator[Part]:
        """What is sent within the block is counted under that name."""
        part = self._part = Part(name, time.perf_counter())
        self.parts.append(part)
        told, log = await asyncio.to_thread(counters, self.site.settings.port), self.site.settings.data_dir / LOG
        size, texts, load = log.stat().st_size, self.rest.accepted.total(), os.getloadavg()[0]
        pids = {"web": (self.web,), "worker": (self.worker,), "stores": self.site.stores(), "generator": (os.getpid(),)}
        used = {one: _used(one, ids) for one, ids in pids.items()}
        part.begun = time.perf_counter()
        yield part
        part.took_s = time.perf_counter() - part.begun
        part.processors = {one: (_used(one, ids) - used[one]) / part.took_s for one, ids in pids.items()}
        part.texts, part.load = self.rest.accepted.total() - texts, (load, os.getloadavg()[0])
        part.shed = await asyncio.to_thread(counters, self.site.settings.port) - told
        part.levels = levels(log, size)
        self._before += part.answered.count

    async def play(self, caller: Caller, sent: Iterable[Sent], begun: float, compressed: float = 1.0) -> None:
        """One caller's webhooks, each when it is due and not before the last was answered."""
        for one in sent:
            due = max(begun + one.after_s / compressed, time.perf_counter())
            if (wait := begun + one.after_s / compressed - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            body = await self.lines.post(self._part.answered, one.kind, one.request, due)
            if one.kind == "incoming" and body:
                self.began.add(caller.sid)

    async def receipts(self) -> None:
        """The carrier tells what became of each text."""
        settings = self.site.settings
        token = settings.twilio_auth_token[0].get_secret_value()
        running = set()
        while True:
            url, sid = await self.rest.receipts.get()
            for status in ("sent", "delivered"):
                form = {"MessageSid": sid, "MessageStatus": status, "AccountSid": settings.twilio_account_sid}
                path = url.removeprefix(settings.public_base_url)
                request = signed(settings.port, settings.public_base_url, token, path, form)
                posting = self.lines.post(self._part.answered, "receipt", request, time.perf_counter())
                running.add(task := asyncio.create_task(posting))
                task.add_done_callback(running.discard)

    async def remember(self) -> None:
        """Sample the memory."""
        while True:
            self.memory.sample(self._before + self._part.answered.count)
            await asyncio.sleep(SAMPLE_S)

    def spooled(self) -> int:
        """Webhooks that wait on the disk."""
        folder = folders.spool_folder(self.site.settings.data_dir)
        with suppress(OSError):
            return sum(name.endswith(".kept") for name in os.listdir(folder))
        return 0


def _used(name: str, pids: tuple[int, ...]) -> float:
    return time.process_time() if name == "generator" else processor_s(*pids)


async def a_day(load: Load, calls: Path | None, seconds: float, faster: float) -> None:
    """A day's shape in so many seconds, its busiest hour as busy as 1,000 agents' so many times faster."""
    chance = random.Random(1)
    holds = holds_of(calls) if calls else holds_fitted(1_500, chance)
    hours = Counter(int(hold.at_s // 3600) for hold in holds)
    busiest = max(hours.values()) / len(holds)  # of a day's calls
    many = int(AGENTS_CALLS_S * faster * seconds / 24 / busiest)
    compressed = DAY_S / seconds
    playing = []
    for hold in resampled(holds, many, chance):
        caller = load.caller()
        playing.append((caller, load.signer.whole(caller, hold.hold_s, hold.answered), hold.at_s / compressed))
    async with load.part(f"a day in {seconds:.0f} s") as part:
        # Within a call time runs only as much faster as its webhooks come.
        await asyncio.gather(*(load.play(who, sent, part.begun + at_s, faster) for who, sent, at_s in playing))


async def a_crowd(load: Load, callers: int, seconds: float) -> list[Caller]:
    """So many callers on hold at once: they come in as fast as may be, then hold, come and go. Those who still hold."""
    coming = [load.caller() for _ in range(callers)]
    ready = iter([(caller, load.signer.beginning(caller)) for caller in coming])
    async with load.part(f"{callers:,} come in, as fast as they are answered"):

        async def one_by_one() -> None:
            for caller, sent in ready:
                await load.play(caller, sent, 0.0)

        await asyncio.gather(*(one_by_one() for _ in range(16)))
    await holding(load, coming, callers / 600, seconds, f"{callers:,} at once")
    return coming


async def holding(load: Load, there: list[Caller], arrivals_s: float, seconds: float, name: str) -> None:
    """Callers who hold go round; others arrive, and as many of those who were there leave."""
    chance = random.Random(2)
    playing: list[tuple[Caller, list[Sent], float]] = []
    leaving = len(there) and int(CROWD_ARRIVALS_S * len(there) / 10_000 * seconds)
    for n, caller in enumerate(there):
        first_s = chance.uniform(0, ROUND_S)
        stays_s = chance.uniform(0, seconds) if n < leaving else seconds
        sent = [
            load.signer.round(at_s, caller, 600 + at_s)
            for step in range(int(seconds // ROUND_S) + 1)
            if (at_s := first_s + step * ROUND_S) < stays_s
        ]
        if n < leaving:
            sent += [replace(one, after_s=stays_s) for one in load.signer.end(caller, 700)]
        playing.append((caller, sent, 0.0))
    for n in range(int(arrivals_s * seconds)):
        caller, at_s = load.caller(), n / arrivals_s
        left_s = seconds - at_s
        sent = [*load.signer.beginning(caller), *load.signer.holding(caller, 120)]
        playing.append((caller, [one for one in sent if one.after_s <= left_s], at_s))
    del there[:leaving]
    async with load.part(name) as part:
        await asyncio.gather(*(load.play(who, sent, part.begun + at_s) for who, sent, at_s in playing))


async def static(load: Load, rate: float, seconds: float) -> Part:
    """What the generator does by itself: the same requests at the storm's rate to a route that answers a fixed
    document."""
    settings = load.site.settings
    token = settings.twilio_auth_token[0].get_secret_value()
    caller = load.caller()
    form = {"CallSid": caller.sid, "From": caller.number, "AccountSid": settings.twilio_account_sid}
    request = signed(load.site.static_port, settings.public_base_url, token, "/static", form)
    lines = Lines(load.site.static_port)
    await lines.open()
    async with load.part("the bare route") as part:

        async def one(n: int) -> None:
            due = part.begun + n / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await lines.post(part.answered, "static", request, due)

        await asyncio.gather(*(one(n) for n in range(int(rate * seconds))))
    lines.close()
    return part


async def landed(load: Load) -> tuple[int, float]:
    """How many webhooks waited on the disk, and the seconds until none did."""
    begun, most = time.perf_counter(), load.spooled()
    while load.spooled() and time.perf_counter() - begun < LANDS_WITHIN_S:
        await asyncio.sleep(1)
    return most, time.perf_counter() - begun


def missing(load: Load) -> list[str]:
    """What is not on record as often as it must be."""
    with psycopg.connect(load.site.settings.database_url.get_secret_value()) as conn:
        rows = conn.execute("SELECT call_sid, count(*) FROM facts WHERE name = 'call_started' GROUP BY 1").fetchall()
        queued = conn.execute("SELECT count(*) FROM texts").fetchone()
    started: dict[str, int] = dict(rows)
    wrong = [f"{sid} is not on record" for sid in load.began if sid not in started]
    wrong += [f"{sid} began {n} times" for sid, n in started.items() if n > 1]
    taken = load.rest.accepted
    if any(n > 1 for n in taken.values()):
        wrong.append("a text was sent twice")
    if queued is not None and queued[0] < len(taken):
        wrong.append(f"{len(taken)} texts for {queued[0]} on record")
    return wrong


def rows(table: Table, part: Part) -> None:
    """A part's lines: all of it, then each kind."""
    kinds = {"all": part.answered.all(), **dict(sorted(part.answered.by_kind.items()))}
    for kind, times in kinds.items():
        told = (percentile(times, 0.5), percentile(times, 0.99), max(times, default=float("nan")))
        rate = f"{len(times) / part.took_s:,.0f}"
        table.add_row(part.name if kind == "all" else "", kind, rate, *(f"{one * 1000:,.0f}" for one in told))


def told(out: Console, part: Part) -> None:
    """What else there is to say of a part."""
    cores = ", ".join(f"{name} {used:.2f}" for name, used in part.processors.items())
    first = {what: at for at, what in reversed(part.levels)}
    order = ", ".join(f"{what} {at[11:19]}" for what, at in sorted(first.items(), key=lambda one: one[1]))
    voice = sum(len(times) for kind, times in part.answered.by_kind.items() if kind not in ("receipt", "static"))
    held = sum(n for name, n in part.shed.items() if name.startswith("degraded "))
    out.print(
        f"[bold]{part.name}[/bold]: {part.answered.count:,} webhooks in {part.took_s:.0f} s, texts/s "
        f"{part.texts / part.took_s:.1f}; failed {dict(part.answered.failed)}; documents a carrier would refuse: "
        f"{len(part.answered.invalid())}; answers over a second: {sum(t > ANSWER_S for t in part.answered.all())}; "
        f"held without a turn: {held:,} ({held / max(1, voice):.1%}); counted: {dict(sorted(part.shed.items()))}; "
        f"first told to be left out: {order or 'nothing'}; cores: {cores}; sent late by p99 "
        f"{percentile(part.answered.late, 0.99) * 1000:.0f} ms; load of the machine {part.load[0]:.1f} to "
        f"{part.load[1]:.1f}",
        soft_wrap=True,
    )


def draw(path: Path, load: Load) -> None:
    """Memory and latency over the run."""
    begun = load.memory.begun
    sizes = [(at_s, size) for at_s, _, size in load.memory.samples]
    most = max((len(size) for _, size in sizes), default=0)
    memory = [Curve(f"process {n + 1}", [(x, s[n] / 1e6) for x, s in sizes if len(s) > n]) for n in range(most)]
    seconds: dict[int, list[float]] = {}
    for part in load.parts:
        for due, took in part.answered.points:
            seconds.setdefault(int(due - begun), []).append(took)
    p99 = [(float(at), percentile(times, 0.99) * 1000) for at, times in sorted(seconds.items())]
    p50 = [(float(at), percentile(times, 0.5) * 1000) for at, times in sorted(seconds.items())]
    rate = [(float(at), float(len(times))) for at, times in sorted(seconds.items())]
    marks = [(part.begun - begun, part.name) for part in load.parts]
    panels = [
        ("resident MB of each web process", memory),
        ("ms until the answer", [Curve("p99", p99), Curve("p50", p50)]),
        ("webhooks a second", [Curve("webhooks", rate)]),
    ]
    picture(path, panels, marks)


async def run(site: Site, options: argparse.Namespace, out: Console) -> list[str]:
    """Everything; the problems found."""
    with (
        site.running("-m", "bench.static_app", PORT=str(site.static_port), OFFHOLD_PORT=str(site.static_port)),
        site.running("-m", "ivr.server") as web,
        site.running("-m", "flask", "--app", "ivr.app", "worker") as worker,
    ):
        await asyncio.to_thread(wait_for, site.settings.port, "/readyz")
        await asyncio.to_thread(wait_for, site.static_port, "/static")
        await asyncio.sleep(2)
        load = Load(site, web.pid, worker.pid)
        server = await asyncio.start_server(load.rest.serve, "127.0.0.1", site.carrier_port)
        await load.lines.open()
        beside = [asyncio.create_task(load.receipts()), asyncio.create_task(load.remember())]
        if "static" in options.parts:
            await static(load, options.storm * options.callers / 60, options.seconds / 4)
        if "day" in options.parts:
            await a_day(load, options.calls, options.day, options.faster)
        problems: list[str] = []
        if {"crowd", "storm"} & set(options.parts):
            there = await a_crowd(load, options.callers, options.seconds)
            crowd = load.parts[-1]
            if percentile(crowd.answered.all(), 0.99) > RATED_P99_S:
                problems.append(f"{crowd.name}: p99 is over {RATED_P99_S * 1000:.0f} ms")
            if "storm" in options.parts:
                times = f"{options.storm:g} times the arrivals"
                await holding(load, there, options.storm * options.callers / 600, options.seconds, times)
                if max(load.parts[-1].answered.all()) > ANSWER_S:
                    problems.append(f"{times}: an answer took over a second")
        waited, landed_s = await landed(load)
        await asyncio.sleep(3)
        for task in beside:
            task.cancel()
        server.close()
    table = Table(title=f"{options.processes} x {options.threads} threads on {os.cpu_count()} cores")
    for name in ("part", "kind", "webhooks/s", "p50 ms", "p99 ms", "longest ms"):
        table.add_column(name, justify="left" if name in ("part", "kind") else "right")
    for part in load.parts:
        rows(table, part)
    out.print(table)
    for part in load.parts:
        told(out, part)
        problems += [f"{part.name}: {what} ({n})" for what, n in part.answered.failed.items()]
        problems += [f"{part.name}: refused by a carrier: {one}" for one in part.answered.invalid()]
    sizes = load.memory.samples
    first, last = sizes[len(sizes) // 3], sizes[-1]
    out.print(
        f"memory: {', '.join(f'{size / 1e6:.0f}' for size in first[2])} MB after {first[1]:,} webhooks, "
        f"{', '.join(f'{size / 1e6:.0f}' for size in last[2])} MB after {last[1]:,}; "
        f"{load.memory.slope_mb():+.2f} MB a process in 10,000",
        soft_wrap=True,
    )
    out.print(f"kept on the disk when it was over: {waited:,} webhooks; all landed after {landed_s:.0f} s")
    draw(options.picture, load)
    return problems + missing(load)


def main() -> int:
    """The program's status: 1 when anything failed, is missing, or took longer than it may."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--calls", type=Path, help="a call centre's record (default: what was fitted to one)")
    parser.add_argument("--parts", nargs="+", default=["static", "day", "crowd", "storm"], help="(default: all)")
    parser.add_argument("--day", type=float, default=240.0, help="seconds that the day takes (default: %(default)s)")
    parser.add_argument("--faster", type=float, default=15.0, help="than 1,000 agents' day (default: %(default)s)")
    parser.add_argument("--callers", type=int, default=10_000, help="on hold at once (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, help="of crowd and storm (default: %(default)s)")
    parser.add_argument("--storm", type=float, default=10.0, help="times the arrivals (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--picture", type=Path, default=Path("load.svg"), help="(default: %(default)s)")
    options = parser.parse_args()
    out = Console(width=110)
    with opened(None, options.processes, options.threads) as site:
        problems = asyncio.run(run(site, options, out))
    for problem in problems[:10]:
        out.print(f"[bold]{problem}[/bold]", soft_wrap=True)
    out.print(f"{len(problems)} problems" if problems else "every call on record once, no text twice")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
