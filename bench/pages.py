"""`python -m bench.pages`: how long every page of the console takes at the server beside a million facts.

An installation of its own is filled once and kept in a folder (`bench/pages_site.py` says with what); a second run only
measures. Every route of the console's own map is asked for as an administrator, first cold, then seven times warm; a
route whose address has a blank nobody filled in ends the run. No network: what is timed is the whole application,
sessions and templates included.
"""

import argparse
import hashlib
import os
import secrets
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask.testing import FlaskClient
from rich.console import Console
from rich.table import Table

from bench import pages_site
from ivr.app import create_app
from ivr.wiring import Wiring
from models import sessions, staff, studies

TIMES = 7
MOST_MS = 200.0
ROOT = Path(__file__).resolve().parent.parent
#: what a page is asked for besides as it comes: route -> queries
ASKED_TOO = {
    "/today": ("?language=es",),
    "/articles": ("?words=router&language=en", "?state=withdrawn", "?after=bench-4000", "?source=bench&tag=internet"),
    "/calls": (
        "?queue={queue}",
        "?leaf={leaf}",
        "?article={offered}",
        "?outcome=provisional",
        "?outcome=reversed&leaf={leaf}",
        "?since=2026-10-10&until=2026-10-12",
        "?before={before}&before_sid=CA",
    ),
    "/calls/<call_sid>/replay": ("?draft={draft_id}",),
    "/reviews": ("?source=town", "?after=town:1500"),
    "/mapping/<leaf_id>": ("?draft={draft_id}",),
    "/savings": ("?month=2026-10", "?month=2026-09"),
    "/funnel": ("?month=2026-10", *(f"?month=2026-10&by={by}" for by in ("leaf", "article", "week"))),
    "/audit": ("?before=2500",),
    "/try": ("?draft={draft_id}&leaf={leaf}&language=en",),
}
#: what a page that answers nothing by itself is asked for
ASKED_FOR = {
    "/menus/draft/<int:draft_id>/choice": ("?at=internet",),
    "/voice/prompt": ("?wording=greeting&language=en",),
}
#: what else stands in a blank
OTHERS = {"month": ("2026-09",), "figure": ("incremental", "naive", "costs"), "form": ("json", "csv", "xlsx")}
#: routes that begin something elsewhere, or are nothing but a file kept whole
LEFT_OUT = frozenset({"/static/<path:filename>", "/oidc", "/oidc/back", "/join/<token>"})


class Took(NamedTuple):
    """One page: milliseconds the first time, then half and the slowest of the warm ones; `worked` is what one of these
    took of a processor, PostgreSQL's part included: that does not depend on what else the machine does."""

    path: str
    status: int
    kib: float
    first: float
    half: float
    slowest: float
    worked: float


def signed_in(app: Flask, wiring: Wiring) -> FlaskClient:
    """A browser in which an administrator is signed in, for as long as the clock stands still."""
    console: Flask = app.extensions["mounted"]["/console"]
    session_id, now = secrets.token_urlsafe(32), wiring.clock()
    with wiring.pool.connection() as conn:
        person = staff.by_email(conn, pages_site.STAFF)
        assert person is not None
        sessions.begin(conn, hashlib.sha256(session_id.encode()).digest(), person.id, now)
    client = app.test_client()
    assert isinstance(console.session_interface, SecureCookieSessionInterface)
    serializer = console.session_interface.get_signing_serializer(console)
    assert serializer is not None
    name = console.config["SESSION_COOKIE_NAME"]
    client.set_cookie(name, serializer.dumps({"id": session_id}), path="/", secure=False)
    return client


def blanks(wiring: Wiring) -> dict[str, str]:
    """What stands in the blanks of addresses."""
    with wiring.pool.connection() as conn:

        def one(statement: str) -> str:
            row = conn.execute(statement).fetchone()
            assert row is not None, statement
            return str(row[0])

        mapped = studies.latest(conn, studies.REHEARSAL)
        assert mapped is not None
        plan = wiring.plans.live(conn)
        leaf = one(
            "SELECT leaf FROM call_summaries WHERE leaf IS NOT NULL GROUP BY leaf ORDER BY count(*) DESC LIMIT 1"
        )
        return {
            "version": str(plan.version),
            "draft_id": str(mapped.draft_id),
            "study_id": str(mapped.id),
            "leaf_id": leaf,
            "leaf": leaf,
            "queue": one("SELECT queue FROM call_summaries GROUP BY queue ORDER BY count(*) DESC LIMIT 1"),
            "call_sid": one("SELECT call_sid FROM call_summaries ORDER BY facts DESC, call_sid LIMIT 1"),
            "article_id": "bench-7",
            "offered": one("SELECT article FROM article_days GROUP BY article ORDER BY sum(offered) DESC LIMIT 1"),
            "recording_id": one("SELECT id FROM recordings LIMIT 1"),
            "before": (wiring.clock() - timedelta(days=30)).isoformat().replace("+", "%2B"),
            "month": "2026-10",
            "figure": "confirmed",
            "form": "pdf",
            "name": "town",
        }


def addresses(console: Flask, given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(route, address) of every page, blanks filled in."""
    for rule in sorted(console.url_map.iter_rules(), key=lambda rule: rule.rule):
        if "GET" not in (rule.methods or ()) or rule.rule in LEFT_OUT:
            continue
        own = {"article_id": "town:1"} if rule.rule.startswith("/reviews/") else {}
        first = {name: {**given, **own}[name] for name in rule.arguments}
        others = [{**first, name: other} for name in sorted(rule.arguments) for other in OTHERS.get(name, ())]
        for values in (first, *others):
            built = rule.build(values)
            assert built is not None, rule
            queries = ASKED_FOR.get(rule.rule) or ("", *ASKED_TOO.get(rule.rule, ()))
            for query in queries if values is first else ("",):
                yield rule.rule, "/console" + built[1] + query.format(**given)


def timed(client: FlaskClient, path: str, backends: Sequence[Path]) -> Took:
    """One page, as often as it takes. `backends`: where the system tells of PostgreSQL's processes."""
    times, worked = [], 0.0
    for number in range(1 + TIMES):
        if number == 1:
            worked = _worked_s(backends)
        begun = time.perf_counter()
        answer = client.get(path)
        size = len(answer.data)
        times.append((time.perf_counter() - begun) * 1000)
    worked = (_worked_s(backends) - worked) / TIMES * 1000
    return Took(path, answer.status_code, size / 1024, times[0], statistics.median(times[1:]), max(times[1:]), worked)


def _worked_s(backends: Sequence[Path]) -> float:
    """Processor seconds of this process and of PostgreSQL's, the latter in hundredths."""
    ticks = (sum(map(int, one.read_text().rpartition(")")[2].split()[11:13])) for one in backends)
    return time.process_time() + sum(ticks) / os.sysconf("SC_CLK_TCK")


def _backends(wiring: Wiring) -> list[Path]:
    with wiring.pool.connection() as conn:
        rows = conn.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()").fetchall()
    return [Path(f"/proc/{row[0]}/stat") for row in rows]


def main() -> None:
    """Fill, measure, print a table; the slow ones are marked."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    parser.add_argument("--facts", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the installation is kept (var/bench-pages-FACTS)")
    parser.add_argument("--only", default="", help="pages whose address has this in it")
    given = parser.parse_args()
    folder = (given.folder or ROOT / "var" / f"bench-pages-{given.facts}").absolute()
    with pages_site.opened(folder, given.facts) as wiring:
        app = create_app(wiring)
        client, found = signed_in(app, wiring), blanks(wiring)
        with wiring.pool.connection() as conn:
            row = conn.execute("SELECT count(*), (SELECT count(*) FROM call_summaries) FROM facts").fetchone()
        assert row is not None
        table = Table(title=f"The console's pages beside {row[0]:,} facts of {row[1]:,} calls, ms at the server")
        for column in ("page", "status", "KiB", "first", "half", "slowest", "processor", ""):
            table.add_column(column, justify="left" if column in ("page", "") else "right", overflow="fold")
        slow, wrong, backends = 0, 0, _backends(wiring)
        for _, path in addresses(app.extensions["mounted"]["/console"], found):
            if given.only not in path:
                continue
            took = timed(client, path, backends)
            mark = "over 200" if took.slowest > MOST_MS else ""
            slow, wrong = slow + (took.half > MOST_MS), wrong + (took.status >= 400)
            cells = (f"{value:.0f}" for value in took[2:])
            table.add_row(path, str(took.status), *cells, mark)
    Console(width=130).print(table)
    print(f"over {MOST_MS:.0f} ms at half: {slow}; not answered: {wrong}; load {os.getloadavg()[0]:.1f} on two cores")


if __name__ == "__main__":
    main()
