"""Calls, harm, and the question what was lost: `python -m tests.faults.rampage --seeds 1-3 --minutes 2`.

A seed is one site, one nemesis and one crowd of callers. What the operating system makes of the same seed differs from
run to run; what is done and what callers choose is the same.
"""

import argparse
import json
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from rich.console import Console
from rich.table import Table

from ivr import kept_texts
from ivr.jobs import settle_ledger
from ivr.jobs.summarize import summarize_calls
from ivr.planfile.store import Publisher, publish_text
from ivr.wiring import Wiring, build
from models import ledger, rates
from models import texts as text_rows
from models.locks import alone
from tests.browser.service import release
from tests.faults.callers import Callers, carried
from tests.faults.checker import violations
from tests.faults.ledgers import Accepted, Carried, OurCall, OurFact, Ours, OurText
from tests.faults.nemesis import Nemesis
from tests.faults.settle_kills import CARD, books, forget_books
from tests.faults.site import TRY_S, Absent, Site, remove, site

SETTLES_WITHIN_S = 60.0
SLOW_S = 1.5
BEFORE_S = 12.0
STARTER = Path(__file__).resolve().parents[2] / "config" / "starter" / "menu.yaml"
SOON = re.compile(r"(unknown_wait_after_s:) \d+")
LATER = timedelta(days=10)  # every window is over
_OF = ("text_id", "article", "reason")


@dataclass
class Found:
    """What came of one seed."""

    seed: int
    seconds: float
    kills: int
    done: Counter[str]
    broken: list[str]
    calls: int = 0
    webhooks: int = 0
    kept: int = 0
    texts: int = 0
    facts: int = 0
    entries: int = 0
    slowest_s: float = 0.0
    p99_s: float = 0.0
    failed_over: int = 0
    told: Counter[str] = field(default_factory=Counter)
    """Facts by name, refusals by reason."""
    before: list[str] = field(default_factory=list)
    """The harm done shortly before the first webhook that got no usable answer."""


def run(released: Path, folder: Path, seed: int, seconds: float, *, with_disk: bool, at_once: int = 12) -> Found:
    """One seed. Raises Absent where a part that is needed is not there."""
    with site(released, folder, with_disk=with_disk) as here:
        with psycopg.connect(here.stores.database_url(), autocommit=True) as conn:
            rates.add(conn, CARD, "cli:ann", "new", datetime(2026, 10, 6, tzinfo=UTC))
            publish_text(conn, SOON.sub(r"\1 15", STARTER.read_text("utf-8")), Publisher("faults"), "offers come soon")
        callers, nemesis = Callers(here, seed, at_once), Nemesis(here, seed)
        callers.start()
        nemesis.work(seconds)
        callers.finish(20)
        _hang_up_all(here)
        wiring = build(here.settings, name="checker", pool_size=4)
        try:
            _wait_settled(here, wiring)
            for part in here.parts.values():
                part.end()
            ours = _ours(here, wiring)
        finally:
            wiring.close()
        them = Carried(
            tuple(carried(call) for call in callers.calls),
            tuple(sorted(here.door.exchanges, key=lambda one: one.at_s)),
            tuple(
                Accepted(one.sid, one.to, one.body) for one in here.carrier.messages if one.direction == "outbound-api"
            ),
        )
        took = sorted(one.seconds for one in them.exchanges if one.path.startswith("/voice/")) or [0.0]
        broken = [*violations(them, ours), *nemesis.problems, *callers.failed, *_misuses(here)]
        _tell(folder / "broken", broken, them, ours)
        _tell_slow(folder / "slow", them, nemesis)
        return Found(
            seed, seconds, nemesis.kills, nemesis.done, broken, len(them.calls), len(them.exchanges), _kept(folder),
            len(ours.texts), sum(len(call.facts) for call in ours.calls), ours.entries, took[-1],
            statistics.quantiles(took, n=100)[98] if len(took) > 1 else took[0],
            sum(one.tries > 1 for one in them.exchanges), _told(ours), _before(them, nemesis),
        )  # fmt: skip


def _told(ours: Ours) -> Counter[str]:
    facts = (fact for call in ours.calls for fact in call.facts)
    return Counter(f"{fact.name}: {fact.of}" if fact.name.endswith("_refused") else fact.name for fact in facts)


def _misuses(here: Site) -> list[str]:
    return [
        f"protocol: {one.code} {one.text}" for one in here.carrier.warnings if "queue that does not" not in one.text
    ]


def _hang_up_all(here: Site) -> None:
    for call in list(here.carrier.calls.values()):
        if not call.over:
            here.carrier.hang_up(call)
    end = time.monotonic() + 30
    while time.monotonic() < end and any(call.life is not None for call in list(here.carrier.calls.values())):
        time.sleep(0.1)
    time.sleep(1.0)  # the last status callbacks


def _wait_settled(here: Site, wiring: Wiring) -> None:
    end = time.monotonic() + SETTLES_WITHIN_S
    while time.monotonic() < end:
        with suppress(psycopg.OperationalError), wiring.pool.connection(timeout=5) as conn:
            row = conn.execute(
                "SELECT count(*) FROM texts WHERE settled_at IS NULL AND status IN ('queued', 'sending', 'unknown')"
            ).fetchone()
            if row == (0,) and not _waiting(here.folder):
                return
        time.sleep(0.5)


def _waiting(folder: Path) -> list[Path]:
    return list(folder.glob("*/spool/*.kept"))


def _kept(folder: Path) -> int:
    """How many webhooks went through the spool, by the logs."""
    return sum(path.read_text("utf-8", "replace").count('"webhook_kept"') for path in folder.glob("web-*.log"))


def _ours(here: Site, wiring: Wiring) -> Ours:
    waiting = _waiting(here.folder)
    with wiring.pool.connection(timeout=5) as conn:
        facts: dict[str, list[OurFact]] = {}
        for sid, name, data in conn.execute("SELECT call_sid, name, data FROM facts ORDER BY id"):
            of = next((str(data[key]) for key in _OF if key in data), "")
            facts.setdefault(sid, []).append(OurFact(f"{name} late" if data.get("late") else name, of))
        calls = tuple(
            OurCall(sid, turn, json.loads(state).get("turn", 0), tuple(facts.get(sid, ())))
            for sid, turn, state in conn.execute("SELECT call_sid, turn, state FROM calls")
        )
        texts = tuple(
            OurText(one.id, one.call_sid, one.token, one.kind, one.status, one.settled_at is not None)
            for (text_id,) in conn.execute("SELECT id FROM texts").fetchall()
            if (row := text_rows.read(conn, text_id)) and (one := kept_texts.opened(wiring, row))
        )
    same, agree, entries = _books(here, wiring)
    return Ours(calls, texts, len(waiting), len(list(here.folder.glob("*/spool/*.refused"))), same, agree, entries)


def _books(here: Site, wiring: Wiring) -> tuple[bool, bool, int]:
    """Whether what was settled while everything was killed is what a settlement from nothing gives, days later."""
    later = build(here.settings, clock=lambda: datetime.now(UTC) + LATER, name="books", pool_size=4)
    try:
        for _ in range(2):
            summarize_calls(later)
        with psycopg.connect(here.stores.database_url(), autocommit=True) as conn:
            with alone(conn, ledger.LOCK, wait=True):
                settle_ledger.settle(later, conn)
            disturbed = books(conn)
            agree = ledger.all_lines(conn) == ledger.lines_from_postings(conn)
            forget_books(conn)
            with alone(conn, ledger.LOCK, wait=True):
                settle_ledger.settle(later, conn)
            undisturbed = books(conn)
        _write_down(here.folder / "books", "only disturbed", disturbed, undisturbed)
        _write_down(here.folder / "books", "only undisturbed", undisturbed, disturbed)
        return _net(disturbed) == _net(undisturbed), agree, len(disturbed)
    finally:
        later.close()


def _net(entries: list[tuple[object, ...]]) -> dict[tuple[object, ...], int]:
    """What each call comes to, by kind, month and queue: what was settled while a call was still under way is corrected
    later by entries of its own, which a settlement from nothing has no need of."""
    net: Counter[tuple[object, ...]] = Counter()
    for sid, kind, item, _, month, _, queue, currency, amount, *_ in entries:
        net[sid, kind, item, month, queue, currency] += int(str(amount))
    return {of: amount for of, amount in net.items() if amount}


def _write_down(to: Path, title: str, some: list[tuple[object, ...]], others: list[tuple[object, ...]]) -> None:
    """What only one of two has, for whoever looks into it."""
    left = Counter(map(str, some)) - Counter(map(str, others))
    with to.open("a", encoding="utf-8") as file:
        file.writelines(f"{title}: {line}\n" for line in left.elements())


def _tell(to: Path, broken: list[str], them: Carried, ours: Ours) -> None:
    """All promises that were broken, and the whole story of each call that they name."""
    with to.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in (*broken, ""))
        for sid in sorted({word.rstrip(":") for line in broken for word in line.split() if word.startswith("CA")}):
            told = [(f"{one.at_s:7.2f} {one.path} {one.digits} {one.problem} took {one.seconds:.2f}, try {one.tries}: "
                     f"{one.body[:160]}") for one in them.exchanges if one.call_sid == sid]  # fmt: skip
            facts = [f"{fact.name} {fact.of}" for call in ours.calls if call.sid == sid for fact in call.facts]
            file.write("\n".join([sid, *told, *facts, "", ""]))


def _tell_slow(to: Path, them: Carried, nemesis: Nemesis) -> None:
    """Answers that took long, between what was done at that time."""
    slow = [(one.at_s, f"{one.seconds:.2f} s, try {one.tries}: {one.path}") for one in them.exchanges
            if one.seconds > SLOW_S]  # fmt: skip
    to.write_text("".join(f"{at_s:7.2f} {what}\n" for at_s, what in sorted((*slow, *nemesis.times))), "utf-8")


def _before(them: Carried, nemesis: Nemesis) -> list[str]:
    """What was done shortly before the first webhook that got no usable answer; nothing where each got one."""
    at_s = min((one.at_s for one in them.exchanges if one.problem), default=0.0)
    return [f"{done_s:.1f} s: {name}" for done_s, name in nemesis.times if at_s - BEFORE_S < done_s < at_s]


def report(found: list[Found]) -> str:
    """What was done and what it did, in words."""
    done: Counter[str] = sum((one.done for one in found), Counter())
    calls, webhooks = sum(one.calls for one in found), sum(one.webhooks for one in found)
    kept = sum(one.kept for one in found)
    lines = [
        f"{sum(one.seconds for one in found) / 60:.0f} minutes of harm, {sum(one.kills for one in found)} kills,"
        f" {sum(done.values())} faults in all:",
        *(f"  {times:5d} {name}" for name, times in done.most_common()),
        f"{calls} calls, {webhooks} webhooks, {sum(one.texts for one in found)} texts, "
        f"{sum(one.facts for one in found)} facts, {sum(one.entries for one in found)} entries of the books",
        f"answers: p99 {max(one.p99_s for one in found):.2f} s, slowest {max(one.slowest_s for one in found):.2f} s "
        f"(the proxy gives a machine {TRY_S} s before it asks the other)",
        f"{kept} webhooks ({kept / max(1, webhooks):.1%}) came while the database was away and landed later",
        f"{sum(len(one.broken) for one in found)} promises broken",
    ]
    return "\n".join(lines)


def table(found: list[Found]) -> Table:
    """One line a seed."""
    shown = Table(title="Harm done, and what was lost")
    names = ("seed", "s", "kills", "other harm", "calls", "webhooks", "failed over", "kept", "texts", "facts",
             "entries", "p99 s", "slowest s", "broken")  # fmt: skip
    for name in names:
        shown.add_column(name, justify="right")
    for one in found:
        other = sum(one.done.values()) - sum(n for name, n in one.done.items() if name.startswith("kill"))
        shown.add_row(
            str(one.seed), f"{one.seconds:.0f}", str(one.kills), str(other), str(one.calls), str(one.webhooks),
            str(one.failed_over), str(one.kept), str(one.texts), str(one.facts), str(one.entries), f"{one.p99_s:.2f}",
            f"{one.slowest_s:.2f}", str(len(one.broken)),
        )  # fmt: skip
    return shown


def _seeds(given: str) -> list[int]:
    first, _, last = given.partition("-")
    return list(range(int(first), int(last or first) + 1))


def main() -> None:
    """Run seeds one after the other and print what was found."""
    asked = argparse.ArgumentParser(prog="python -m tests.faults.rampage")
    asked.add_argument("--seeds", default="1", help="one, or from-to")
    asked.add_argument("--minutes", type=float, default=10.0, help="of harm, for each seed")
    asked.add_argument("--callers", type=int, default=12, help="calls at the same time")
    asked.add_argument("--no-disk", action="store_true", help="leave out the disk that is filled, which needs root")
    asked.add_argument("--released", type=Path, help="a DATA_DIR after `release`, to spare making one")
    asked.add_argument("--report", action="store_true", help="tell all that was done")
    given = asked.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="offhold-rampage-"))
    console, found = Console(width=150), list[Found]()
    try:
        released = given.released or folder / "released"
        if given.released is None:
            release(released)
        for seed in _seeds(given.seeds):
            one = run(
                released, folder / f"seed-{seed}", seed, given.minutes * 60,
                with_disk=not given.no_disk, at_once=given.callers,
            )  # fmt: skip
            found.append(one)
            console.print(table([one]))
            for line in one.broken[:40]:
                print(f"  seed {seed}: {line}", flush=True)
            for line in one.before:
                print(f"  seed {seed}: done before that, at {line}", flush=True)
            print(f"  seed {seed}: {json.dumps(one.done)}\n  facts: {json.dumps(one.told)}", flush=True)
            if not one.broken:
                remove(folder / f"seed-{seed}")
    except Absent as problem:
        remove(folder)
        sys.exit(str(problem))
    except KeyboardInterrupt:
        remove(folder)
        raise
    if not any(one.broken for one in found):
        remove(folder)
    console.print(table(found))
    if given.report:
        print(report(found))
    print(f"{sum(one.kills for one in found)} kills, {sum(len(one.broken) for one in found)} promises broken")
    if folder.exists():
        print(f"all promises that were broken, and the logs: {folder}")
    sys.exit(1 if any(one.broken for one in found) else 0)


if __name__ == "__main__":
    main()
