"""`python -m bench.load`: a day of callers, ten thousand at once, and ten times the arrivals for a minute.

Requests are signed before each part and sent when they are due, however long answers take; a time counts from then.
What the service left out it counted itself; afterwards every call must be on record once.
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.__main__ import percentile
from bench.load_parts import Load, Part, a_crowd, a_day, holding, landed, missing, static
from bench.load_told import Curve, picture
from bench.site import Site, opened, wait_for

ANSWER_S, RATED_P99_S = 1.0, 0.3
STORM_S, STATIC_S = 60.0, 15.0


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
    order = ", ".join(f"{what} {at[11:23]}" for what, at in sorted(first.items(), key=lambda one: one[1]))
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
            await static(load, options.storm * options.callers / 60, STATIC_S)
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
                await holding(load, there, options.storm * options.callers / 600, STORM_S, times)
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
    parser.add_argument("--day", type=float, default=150.0, help="seconds that the day takes (default: %(default)s)")
    parser.add_argument("--faster", type=float, default=15.0, help="than 1,000 agents' day (default: %(default)s)")
    parser.add_argument("--callers", type=int, default=10_000, help="on hold at once (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=90.0, help="of the crowd (default: %(default)s)")
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
