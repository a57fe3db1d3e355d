"""The parts of the load: who calls, when, and what came of it."""

import asyncio
import os
import random
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import psycopg

from bench.__main__ import Rest
from bench.calls import Caller
from bench.load_calls import DAY_S, POSITION, ROUND_S, Sent, Signer, holds_fitted, holds_of, resampled
from bench.load_told import SAMPLE_S, Memory, counters, levels
from bench.load_wire import Answered, Lines, signed
from bench.site import Site, processor_s
from config import folders

AGENTS_CALLS_S = 8_500 / 3600  # what 1,000 agents at 85 % answer in a second, of 360 s each
CROWD_ARRIVALS_S = 10_000 / 600  # ten thousand at once who stay ten minutes each
LANDS_WITHIN_S = 900.0
LEAD_S = 3.0  # to get tens of thousands of callers ready before the first is due
LOG = "ivr.server.log"
ASKED = re.compile(rb"/voice/hold-key\?turn=(\d+)")
TAKEN = 0.35  # of those who come in, a text (docs/capacity.md)


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
        self.began: set[str] = set()  # calls of which the first webhook was answered
        self.ended: set[str] = set()  # and the last

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
        part.begun = time.perf_counter() + LEAD_S
        yield part
        part.took_s = time.perf_counter() - part.begun
        part.processors = {one: (_used(one, ids) - used[one]) / part.took_s for one, ids in pids.items()}
        part.texts, part.load = self.rest.accepted.total() - texts, (load, os.getloadavg()[0])
        part.shed = await asyncio.to_thread(counters, self.site.settings.port) - told
        part.levels = levels(log, size)

    async def play(self, caller: Caller, sent: Iterable[Sent], begun: float, compressed: float = 1.0) -> None:
        """One caller's webhooks, each when it is due and not before the last was answered. Whoever was put into the
        queue chooses no more at menus, and only an offer is said yes to."""
        queued, asked = False, None
        for one in sent:
            if (queued and one.kind in ("menu", "describe")) or (one.kind == "hold-key" and not asked):
                continue
            if one.kind == "hold-key" and asked:
                one = self.signer.yes(one.after_s, caller, int(asked[1]))
            due = max(begun + one.after_s / compressed, time.perf_counter())
            if (wait := begun + one.after_s / compressed - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            body = await self.lines.post(self._part.answered, one.kind, one.request, due)
            if body is None:
                continue
            queued = queued or b"<Enqueue" in body
            if one.kind in ("hold", "hold-key"):
                asked = ASKED.search(body) if b"by text" in body else None
            if one.kind == "incoming":
                self.began.add(caller.sid)
            elif one.kind == "status":
                self.ended.add(caller.sid)

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
            taken = (part.answered for part in self.parts)
            self.memory.sample(sum(one.count for one in taken if "static" not in one.by_kind))
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
    load.signer.position = int(POSITION * faster)  # agents answer so much faster as well
    holds = holds_of(calls) if calls else holds_fitted(1_500, chance)
    hours = Counter(int(hold.at_s // 3600) for hold in holds)
    busiest = max(hours.values()) / len(holds)  # of a day's calls
    many = int(AGENTS_CALLS_S * faster * seconds / 24 / busiest)
    compressed = DAY_S / seconds
    playing = []
    for hold in resampled(holds, many, chance):
        caller = load.caller()
        playing.append((caller, load.signer.whole(caller, hold.hold_s, hold.answered), hold.at_s / compressed))
    load.signer.position = POSITION
    async with load.part(f"a day in {seconds:.0f} s") as part:
        # Within a call time runs only as much faster as its webhooks come.
        await asyncio.gather(*(load.play(who, sent, part.begun + at_s, faster) for who, sent, at_s in playing))


async def a_crowd(load: Load, callers: int, seconds: float) -> list[Caller]:
    """So many callers on hold at once: they come in as fast as may be, then hold, come and go. Those who still hold."""
    coming = [load.caller() for _ in range(callers)]
    ready = iter([(caller, load.signer.beginning(caller)) for caller in coming])
    async with load.part(f"{callers:,} come in"):

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
    say_yes = int(TAKEN * CROWD_ARRIVALS_S * len(there) / 10_000 * seconds)  # as many as if they had come in turn
    leaving = len(there) and int(CROWD_ARRIVALS_S * len(there) / 10_000 * seconds)
    for n, caller in enumerate(there):
        first_s = chance.uniform(0, ROUND_S)
        stays_s = chance.uniform(0, seconds) if n < leaving else seconds
        sent = [
            load.signer.round(at_s, caller, 600 + at_s)
            for step in range(int(seconds // ROUND_S) + 1)
            if (at_s := first_s + step * ROUND_S) < stays_s
        ]
        if leaving <= n < leaving + say_yes and sent:
            sent.insert(1, load.signer.yes(first_s + 12, caller))
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
        query = "SELECT call_sid, count(*) FROM facts WHERE name = %s GROUP BY 1"
        started: dict[str, int] = dict(conn.execute(query, ("call_started",)).fetchall())
        ended: dict[str, int] = dict(conn.execute(query, ("call_ended",)).fetchall())
        queued = conn.execute("SELECT count(*) FROM texts").fetchone()
    wrong = [f"{sid} is not on record" for sid in load.began if sid not in started]
    wrong += [f"the end of {sid} is not on record" for sid in load.ended if sid not in ended]
    wrong += [f"{sid} began or ended {n} times" for sid, n in [*started.items(), *ended.items()] if n > 1]
    taken = load.rest.accepted
    if any(n > 1 for n in taken.values()):
        wrong.append("a text was sent twice")
    if queued is not None and queued[0] < len(taken):
        wrong.append(f"{len(taken)} texts for {queued[0]} on record")
    return wrong
