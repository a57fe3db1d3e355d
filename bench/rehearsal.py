"""`python -m bench.rehearsal`: drafts over 10,000 recorded calls, no two of which said the same.

The calls are made by `bench.bulk`: two of five say something. The drafts go through the very code the console's worker
runs, on both cores. The one changes one leaf, the other asks every leaf another question: nothing of what is live can
be used again. At last every call says something. The pages that show it are timed as well, without the web around them.
"""

import argparse
import itertools
import time
from collections.abc import Callable
from typing import TypeVar

from psycopg import Connection
from rich.console import Console
from rich.table import Table

from bench import bulk
from bench.site import opened
from ivr import wiring as wirings
from ivr.console import mapping, menus, rehearsal, trying
from ivr.console.actors import Actor
from ivr.jobs.summarize import rebuild
from ivr.planfile import editing
from ivr.studies_cli import work_off
from ivr.wiring import Wiring
from models import erase, studies

WHO = Actor("bench", "bench")
Given = TypeVar("Given")


def fill(wiring: Wiring, conn: Connection, calls: int) -> None:
    """Calls of the last four weeks; no two say the same."""
    numbers = itertools.count()
    now = wiring.clock()
    bulk.fill(conn, calls, until=now, seal=lambda said: wiring.numbers.seal(f"{said} since the number {next(numbers)}"))
    rebuild(wiring)


def speak_up(wiring: Wiring, conn: Connection) -> None:
    """Let those say something who said nothing; no two the same."""
    silent = conn.execute(
        "SELECT call_sid, started_at FROM calls WHERE call_sid NOT IN (SELECT call_sid FROM transcripts)"
    )
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO transcripts (call_sid, turn, sealed, at) VALUES (%s, 3, %s, %s)",
            [
                (sid, wiring.numbers.seal(f"{bulk.SENTENCES[n % len(bulk.SENTENCES)]} for {n} days, what now"), at)
                for n, (sid, at) in enumerate(silent.fetchall())
            ],
        )


def one_leaf(text: str) -> str:
    """Something a manager does every day."""
    return editing.change_leaf(text, "internet-not-online", {"forbidden": ["router-not-online"]})


def every_leaf(text: str) -> str:
    """Other tags at every leaf: each question of each call is another one."""
    plan = menus.reading(text).plan
    assert plan is not None
    for leaf_id, (_, leaf) in plan.leaves().items():
        if not leaf.never_offer:
            text = editing.change_leaf(text, leaf_id, {"pinned": None, "allowed_tags": ["internet", "mobile", "tv"]})
    return text


def timed(do: Callable[[], Given]) -> tuple[Given, float, float]:
    """What it gives, seconds, seconds of the processor."""
    begun, used = time.perf_counter(), time.process_time()
    given = do()
    return given, time.perf_counter() - begun, time.process_time() - used


def rehearse(wiring: Wiring, conn: Connection, change: Callable[[str], str], calls: int) -> tuple[str, ...]:
    """One draft: what it changes and what it takes."""
    draft_id = menus.begin(conn, wiring, WHO, "bench")
    menus.edit(conn, wiring, WHO, draft_id, 1, change)
    study_id = rehearsal.ask(conn, wiring, WHO, draft_id, calls)
    done, seconds, processor_s = timed(lambda: work_off(wiring))
    assert done == 1
    found, page_s, _ = timed(lambda: rehearsal.look(conn, wiring, draft_id, study_id))
    assert found.figures is not None, "the rehearsal failed"
    return (
        str(change.__name__).replace("_", " "),
        f"{found.figures.calls}",
        f"{found.figures.with_words}",
        f"{found.figures.searched}",
        f"{found.figures.counts.changed}",
        f"{seconds:.1f} s",
        f"{processor_s:.1f} s",
        f"{page_s * 1000:.0f} ms",
    )


def main() -> None:
    """Fill, rehearse, map once, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.rehearsal", description=__doc__)
    parser.add_argument("--calls", type=int, default=rehearsal.MOST_CALLS, choices=rehearsal.CHOICES)
    parser.add_argument("--articles", help="a file or folder of articles beside the starter's")
    given = parser.parse_args()
    with opened(given.articles, 1, 8) as site:
        wiring = wirings.build(site.settings, pool_size=4)
        wiring.load()
        with wiring.pool.connection() as conn, erase.unhurried(conn):
            fill(wiring, conn, given.calls)
            headings = (
                "draft changes",
                "calls",
                "with words",
                "asked anew",
                "changed",
                "took",
                "processor",
                "its page",
            )
            table = Table(*headings, title="A rehearsal")
            for change in (one_leaf, every_leaf):
                table.add_row(*rehearse(wiring, conn, change, given.calls))
            speak_up(wiring, conn)
            table.add_row(*rehearse(wiring, conn, every_leaf, given.calls))
            mapping.ask(conn, wiring, WHO)
            _, seconds, processor_s = timed(lambda: work_off(wiring))
            assert studies.latest(conn, studies.MAPPING, state="done") is not None, "the mapping failed"
            _, page_s, _ = timed(lambda: mapping.look(conn, wiring, "en"))
            wanted = trying.Wanted("internet-not-online", "en", "the router is not online any more")
            _, trial_s, _ = timed(lambda: trying.try_out(conn, wiring, wanted))
        console = Console()
        console.print(table)
        console.print(f"the mapping took {seconds:.1f} s ({processor_s:.1f} s of the processor), its page", end=" ")
        console.print(f"{page_s * 1000:.0f} ms; a sentence tried {trial_s * 1000:.0f} ms")
        wiring.close()


if __name__ == "__main__":
    main()
