"""The service's side of a sync, and the forum and the help center that it draws from."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from config.settings import Settings
from ivr.syncing import Synced, sync
from ivr.wiring import Wiring, build
from models import articles, sources, threads
from models.sources import SourceRow
from search.article import Article
from search.sources.fetching import Fetcher
from tests.search.sources.standins import STEPS, Forum, HelpCenter

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TITLES = ("Router light is red", "Remote does not pair", "Charged twice in March", "No sound on channel nine")
WORDS = ("light", "remote", "invoice", "speaker")


@dataclass
class Desk:
    """The service's side of a sync, on a clock of its own."""

    wiring: Wiring
    now: list[datetime]
    slept: list[float] = field(default_factory=list)

    def add(self, kind: str, url: str, **more: Any) -> None:
        row = SourceRow("town", kind, url, {}, None, "accepted", None, "en", "", False, 15, NOW)
        with self.wiring.pool.connection() as conn:
            assert sources.add(conn, row._replace(**more))

    def sync(self, *, request_s: float = 20, **how: bool) -> Synced:
        fetch = Fetcher("us", allow_private=True, per_second=1e6, sleep=self.slept.append, request_s=request_s)
        return sync(self.wiring, "town", progress=lambda done, of: None, fetch=fetch, **how)

    def row(self) -> SourceRow:
        with self.wiring.pool.connection() as conn:
            row = sources.read(conn, "town")
        assert row is not None
        return row

    def live(self) -> list[str]:
        with self.wiring.pool.connection() as conn:
            return articles.of_source(conn, "town")

    def article(self, identity: str) -> Article:
        with self.wiring.pool.connection() as conn:
            found = articles.read(conn, identity)
        assert found is not None
        return found

    def left_out(self) -> dict[str, int]:
        with self.wiring.pool.connection() as conn:
            return dict(threads.refusals(conn, "town"))


@pytest.fixture
def desk(settings: Settings) -> Iterator[Desk]:
    now = [NOW]
    wiring = build(settings, clock=lambda: now[0])
    yield Desk(wiring, now)
    wiring.close()


@pytest.fixture
def forum() -> Iterator[Forum]:
    stand_in = Forum()
    for place, (title, word) in enumerate(zip(TITLES, WORDS, strict=True), start=1):
        stand_in.add(
            place, title, f"My {word} stopped working, what can I do?", f"About the {word}: {STEPS}", accepted=2
        )
    with stand_in.running():
        yield stand_in


@pytest.fixture
def center() -> Iterator[HelpCenter]:
    stand_in = HelpCenter()
    for place, (title, word) in enumerate(zip(TITLES, WORDS, strict=True), start=1):
        stand_in.add(place, title, f"<p>About the {word}: {STEPS}</p>")
    with stand_in.running():
        yield stand_in


ALL = [f"town:{number}" for number in (1, 2, 3, 4)]
