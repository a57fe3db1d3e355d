"""`python -m bench`: webhooks a second, as a share of a bare static route on the same server in the same run.

Whole calls are played against real processes with the embedded stores and synchronous commit; every spoken sentence is
different; facts and texts are counted afterwards.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

import psycopg
from rich.console import Console
from rich.table import Table

from bench import calls
from bench.calls import Caller, Made
from bench.client import Answers, Carrier, Line
from bench.site import Site, opened, processor_s, resident, wait_for

STARTS = 3
KINDS = ((False, "calls by key"), (True, "calls by sentence"))


def percentile(times: list[float], share: float) -> float:
    """The value that `share` of the times do not pass."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] if times else float("nan")


class Rest:
    """The carrier's REST side, as little as a text needs: takes it, answers, sends the receipt."""

    def __init__(self) -> None:
        self.accepted: Counter[str] = Counter()
        self.receipts: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the worker."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                at = head.find(b"content-length:")
                length = int(head[at + 15 : head.index(b"\r", at)]) if at >= 0 else 0
                form = parse_qs((await reader.readexactly(length)).decode())
                self.accepted[form["Body"][0]] += 1
                sid = f"SM{self.accepted.total():032x}"
                await self.receipts.put((form["StatusCallback"][0], sid))
                body = json.dumps({"sid": sid, "status": "queued", "to": form["To"][0], "body": form["Body"][0]})
                writer.write(
                    f"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()
                )
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.close()


async def run_callers(
    carrier: Carrier, lines: int, seconds: float, one: Callable[[Line, int], Awaitable[None]], rate: float | None = None
) -> float:
    """Callers on `lines` connections, one after the other on each, for `seconds`; with `rate`, begun at fixed instants
    (calls a second) however long answers take. The seconds it took."""
    begun = time.perf_counter()
    n = 0

    async def caller_after_caller() -> None:
        nonlocal n
        line = await carrier.connect()
        while time.perf_counter() - begun < seconds:
            n, mine = n + 1, n
            if rate is not None:
                await asyncio.sleep(max(0.0, begun + mine / rate - time.perf_counter()))
            await one(line, mine)
        line.close()

    await asyncio.gather(*(caller_after_caller() for _ in range(lines)))
    return time.perf_counter() - begun


async def receipts(carrier: Carrier, rest: Rest, base_url: str) -> None:
    """Posts a delivered receipt for each text."""
    line = await carrier.connect()
    while True:
        url, sid = await rest.receipts.get()
        form = {"MessageSid": sid, "MessageStatus": "delivered", "AccountSid": carrier.account_sid}
        await line.post(url.removeprefix(base_url), form)


class Bench:
    """One run on one site."""

    def __init__(self, site: Site, lines: int, seconds: float) -> None:
        self.site, self.lines, self.seconds = site, lines, seconds
        self.runs = 0
        self.made: list[Made] = []
        self.rest = Rest()

    def carrier(self, port: int, answers: Answers) -> Carrier:
        settings = self.site.settings
        token = settings.twilio_auth_token[0].get_secret_value()
        return Carrier(settings.public_base_url, port, settings.twilio_account_sid, token, answers)

    async def static(self) -> tuple[float, Answers]:
        """Webhooks a second of the bare route."""
        answers = Answers()
        carrier = self.carrier(self.site.static_port, answers)
        self.runs += 1
        run = self.runs

        async def one(line: Line, n: int) -> None:
            await calls.static(line, carrier, Caller(n, run))

        took = await run_callers(carrier, self.lines, self.seconds / 2, one)
        return answers.count / took, answers

    async def service(self, *, spoken: bool, rate: float | None = None) -> tuple[float, Answers]:
        """Webhooks a second of whole calls; `rate` in calls a second."""
        answers = Answers()
        carrier = self.carrier(self.site.settings.port, answers)
        self.runs += 1
        run = self.runs

        async def one(line: Line, n: int) -> None:
            self.made.append(await calls.play(line, carrier, Caller(n, run), spoken=spoken))

        receiving = asyncio.create_task(receipts(carrier, self.rest, self.site.settings.public_base_url))
        took = await run_callers(carrier, self.lines, self.seconds, one, rate)
        count = answers.count
        await asyncio.sleep(1.5)
        receiving.cancel()
        return count / took, answers


def counted(site: Site, bench: Bench) -> list[str]:
    """What does not add up between the calls played, the facts and texts on record, and the carrier's ledger."""
    with psycopg.connect(site.settings.database_url.get_secret_value()) as conn:
        facts: dict[str, int] = dict(conn.execute("SELECT name, count(*) FROM facts GROUP BY name").fetchall())
        texts: dict[str, int] = dict(conn.execute("SELECT status, count(*) FROM texts GROUP BY status").fetchall())
    played, texted = len(bench.made), sum(made.text for made in bench.made)
    expected = {
        "call_started": played,
        "held": played,
        "hung_up_in_queue": played,
        "call_ended": played,
        "accepted": texted,
        "text_queued": texted,
        "sent": texted,
        "delivered": texted,
    }
    wrong = [f"{name}: {facts.get(name, 0)} facts for {n}" for name, n in expected.items() if facts.get(name, 0) != n]
    if texts != ({"delivered": texted} if texted else {}):
        wrong.append(f"texts {texts} for {texted} asked")
    if len(bench.rest.accepted) != texted or any(n != 1 for n in bench.rest.accepted.values()):
        wrong.append(f"the carrier took {bench.rest.accepted.total()} texts for {texted} asked")
    return wrong


def start_alone(site: Site) -> float:
    """Seconds from the start of the web's processes to their first answer, on a machine that starts nothing else."""
    with site.running("-m", "ivr.server"):
        return wait_for(site.settings.port, "/readyz")


async def measure(site: Site, options: argparse.Namespace, out: Console) -> list[str]:
    """Runs everything and prints the tables; the problems found."""
    bench = Bench(site, options.lines, options.seconds)
    server = await asyncio.start_server(bench.rest.serve, "127.0.0.1", site.carrier_port)
    table = Table(title=f"{options.lines} callers at once, {options.processes} x {options.threads} threads")
    for name in ("route", "webhooks/s", "share of static", "p50 ms", "p99 ms", "failed"):
        table.add_column(name, justify="left" if name == "route" else "right")
    failures: list[str] = []

    def row(name: str, rate: float, answers: Answers, share: float | None) -> None:
        times = answers.all()
        failures.extend(answers.failed)
        table.add_row(
            name,
            f"{rate:,.0f}",
            f"{share:.2f}" if share is not None else "",
            f"{percentile(times, 0.5) * 1000:.1f}",
            f"{percentile(times, 0.99) * 1000:.1f}",
            str(len(answers.failed)),
        )

    starts = [await asyncio.to_thread(start_alone, site) for _ in range(STARTS)]
    with (
        site.running("-m", "bench.static_app", PORT=str(site.static_port), OFFHOLD_PORT=str(site.static_port)),
        site.running("-m", "ivr.server") as web,
        site.running("-m", "flask", "--app", "ivr.app", "worker") as worker,
    ):
        together_s = await asyncio.to_thread(wait_for, site.settings.port, "/readyz")
        await asyncio.to_thread(wait_for, site.static_port, "/static")
        await asyncio.sleep(3)
        for spoken, name in KINDS:
            if options.only not in (None, name.split()[2]):
                continue
            before, answers = await bench.static()
            row("static route", before, answers, None)
            parts = {"web": (web.pid,), "worker": (worker.pid,), "stores": site.stores()}
            used = {part: processor_s(*pids) for part, pids in parts.items()}
            mine = time.process_time()
            rate, answers = await bench.service(spoken=spoken)
            each_ms = {part: (processor_s(*pids) - used[part]) / answers.count * 1000 for part, pids in parts.items()}
            each_ms["load generator"] = (time.process_time() - mine) / answers.count * 1000
            told = ", ".join(f"{part} {ms:.2f}" for part, ms in each_ms.items())
            out.print(f"{name}: processor ms a webhook: {told}", soft_wrap=True)
            after, more = await bench.static()
            share = rate / ((before + after) / 2)
            row(name, rate, answers, share)
            row("static route", after, more, None)
            each = answers.count / max(1, len(answers.by_kind.get("incoming", ())))
            half, answers = await bench.service(spoken=spoken, rate=rate / 2 / each)
            row(f"{name}, half the rate", half, answers, None)
            by_kind = ", ".join(
                f"{kind} {percentile(times, 0.99) * 1000:.0f}" for kind, times in sorted(answers.by_kind.items())
            )
            out.print(f"{name} at half the rate, p99 ms by webhook: {by_kind}", soft_wrap=True)
        await asyncio.sleep(3)
        memory = resident(web)
    out.print(table)
    megabytes = ", ".join(f"{rss / 1e6:.0f}" for rss in memory)
    alone = ", ".join(f"{start:.1f}" for start in starts)
    out.print(
        f"the web answers {alone} s after its start alone, {together_s:.1f} s beside those of worker and static route"
    )
    out.print(f"resident MB per web process after the run: {megabytes}")
    server.close()
    return failures + counted(site, bench)


def main() -> int:
    """The program's status: 1 when anything failed or does not add up."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--articles", help="a community to serve (default: the starter community)")
    parser.add_argument("--lines", type=int, default=16, help="callers at once (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement (default: %(default)s)")
    parser.add_argument("--only", choices=("key", "sentence"), help="one kind of call only")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=8)
    options = parser.parse_args()
    out = Console(width=110)
    with opened(options.articles, options.processes, options.threads) as site:
        problems = asyncio.run(measure(site, options, out))
    if problems:
        out.print(f"[bold]{len(problems)} problems[/bold], the first: {problems[:10]}", soft_wrap=True)
    else:
        out.print("every fact and text accounted for")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
