"""From calls an hour to processes, connections, storage, texts and what is paid for: `python -m bench.capacity`.

Every measured figure names where it was printed. The rest is arithmetic, so that it can be done again with figures of
one's own: `python -m bench.capacity CALLS_AN_HOUR HOLD_S`.
"""

import math
import sys
from dataclasses import dataclass

from ivr.jobs.times import DEFAULT


@dataclass(frozen=True)
class Measured:
    """What one machine of two cores did in `make bench` (README, docs/decisions/0004), and sizes of rows."""

    web_ms: float = 1.57  # processor time of web for a webhook of a call by key
    search_ms: float = 0.71  # what a spoken sentence adds, spread over its call's webhooks
    store_ms: float = 0.93  # of PostgreSQL, a webhook
    text_ms: float = 10.0  # of the worker, a text with its receipts
    process_mb: int = 255  # resident, of a web process or a worker after a run
    start_s: float = 2.5  # until a web process answers
    fact_bytes: int = 310  # with its share of indexes: 4,000 calls of `python -m bench.bulk`
    call_bytes: int = 1_300  # a call's row as its last turn leaves it (1,040), and its share of indexes
    text_bytes: int = 1_300  # taken to be the same


@dataclass(frozen=True)
class Habits:
    """How callers and operators are. These are assumptions: put yours."""

    before_hold: float = 6.0  # webhooks of a call around its hold: in, two answers, out, and its end
    round_s: float = 18.0  # between two rounds of the wait loop
    spoken: float = 0.5  # share of callers who say a sentence
    takes: float = 0.35  # share of callers who take a text
    receipts: float = 3.0  # webhooks a text
    visits: float = 1.6  # requests a link gets, scanners included
    replies: float = 0.2  # texts back, a text
    segments: float = 1.0
    facts: float = 12.0  # a call
    busy: float = 0.5  # share of a core that may be used in the busiest hour


@dataclass(frozen=True)
class Machine:
    """As `deploy/compose.yaml` sets one up."""

    cores: int = 4
    web_processes: int = 2
    web_threads: int = 8


@dataclass(frozen=True)
class Need:
    """What a busiest hour takes."""

    calls_an_hour: float
    hold_s: float
    in_the_system: float  # callers at once
    webhooks_s: float
    texts_s: float
    searches_s: float
    web_cores: float
    worker_cores: float
    store_cores: float
    machines: int
    web_processes: int
    workers: int
    connections: int
    memory_gb: float
    gb_a_year: float  # at a tenth of the busiest hour on average


def need(
    calls_an_hour: float,
    hold_s: float,
    habits: Habits = Habits(),
    machine: Machine = Machine(),
    measured: Measured = Measured(),
) -> Need:
    """What so many calls an hour take, who hold for `hold_s` seconds on average. One machine more than is needed."""
    arrivals_s = calls_an_hour / 3600
    webhooks_a_call = habits.before_hold + hold_s / habits.round_s
    texts_s = arrivals_s * habits.takes
    webhooks_s = arrivals_s * webhooks_a_call + texts_s * (habits.receipts + habits.visits + habits.replies)
    searched = measured.search_ms * habits.spoken
    web = webhooks_s * (measured.web_ms + searched) / 1000
    worker = texts_s * measured.text_ms / 1000
    store = webhooks_s * measured.store_ms / 1000
    machines = 1 + max(1, math.ceil((web + worker) / (machine.cores * habits.busy)))
    web_processes = machines * max(machine.web_processes, math.ceil(web / habits.busy / max(1, machines - 1)))
    workers = machines
    year_calls = calls_an_hour / 10 * 24 * 365
    a_call = habits.facts * measured.fact_bytes + measured.call_bytes + habits.takes * measured.text_bytes
    return Need(
        calls_an_hour,
        hold_s,
        arrivals_s * (hold_s + 30),
        webhooks_s,
        texts_s,
        arrivals_s * habits.spoken,
        web,
        worker,
        store,
        machines,
        web_processes,
        workers,
        connections(web_processes, workers, machine.web_threads),
        (web_processes + workers) * measured.process_mb / 1000,
        year_calls * a_call / 1e9,
    )


def connections(web_processes: int, workers: int, web_threads: int, senders: int = DEFAULT.senders) -> int:
    """Of PostgreSQL, at most: a thread's one each, two more of a web process's own (index and articles); a worker's
    pool, its queue's (senders and two), and one for what takes long."""
    return web_processes * (web_threads + 2) + workers * (web_threads + senders + 2 + 1)


def sender_limit_s(workers: int, carrier_s: float, senders: int = DEFAULT.senders) -> float:
    """Texts a second that so many workers send when the carrier takes `carrier_s` to answer each."""
    return workers * senders / carrier_s


#: what the carrier's documents allow one number to send, in segments a second
NUMBERS_SEND = {"long code": 1.0, "toll-free number": 3.0}

BASE = (8_500, 42)  # 1,000 agents at 85 % with 100 on hold: reliability's first scenario


def rows() -> list[Need]:
    """The busiest hour of 1,000 agents, the crowd of 10,000, then ten and a hundred times the first."""
    return [need(*BASE), need(60_000, 550), need(BASE[0] * 10, BASE[1]), need(BASE[0] * 100, BASE[1])]


def table(needs: list[Need]) -> str:
    """As Markdown."""
    head = (
        "| calls/h | hold s | callers at once | webhooks/s | texts/s | searches/s | web cores | worker cores "
        "| store cores | machines | web processes | workers | connections | memory GB | GB a year |"
    )
    lines = [head, "|" + "---|" * (head.count("|") - 1)]
    for one in needs:
        lines.append(
            f"| {one.calls_an_hour:,.0f} | {one.hold_s:.0f} | {one.in_the_system:,.0f} | {one.webhooks_s:,.0f} "
            f"| {one.texts_s:.1f} | {one.searches_s:.1f} | {one.web_cores:.2f} | {one.worker_cores:.2f} "
            f"| {one.store_cores:.2f} | {one.machines} | {one.web_processes} | {one.workers} | {one.connections} "
            f"| {one.memory_gb:.1f} | {one.gb_a_year:,.0f} |"
        )
    return "\n".join(lines)


def billed(calls_an_hour: float, hold_s: float, habits: Habits = Habits()) -> dict[str, float]:
    """What an hour is billed for, in the rate card's words (docs/ledger.md)."""
    texts = calls_an_hour * habits.takes
    return {
        "message": texts * habits.segments,
        "carrier_fee": texts * habits.segments,
        "reply": texts * habits.replies,
        "speech": calls_an_hour * habits.spoken,
        "voice_minute": calls_an_hour * (hold_s + 30) / 60,
    }


def main(arguments: list[str]) -> None:
    """Prints the table of the page, or one line of one's own with what is billed."""
    if not arguments:
        print(table(rows()))
        return
    calls_an_hour, hold_s = float(arguments[0]), float(arguments[1])
    print(table([need(calls_an_hour, hold_s)]))
    for price, units in billed(calls_an_hour, hold_s).items():
        print(f"{price}: {units:,.0f} an hour")


if __name__ == "__main__":
    main(sys.argv[1:])
