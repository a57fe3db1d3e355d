"""The whole service in a storm of searches, and while its community grows."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from bench.storm import Storm, Weather
from config.settings import Settings, load
from tests.browser.service import running

RATE, SECONDS, AT_ONCE = 100, 2.0, 10  # more at once than one core can search for in time
LONGEST_S = 1.0  # alone on its core 0.25 and the rest of the turn (see bench.storm); other tests run beside it here
PROCESSES = 2


@pytest.fixture(scope="module")
def settings(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Of a running service, its web processes on one core."""
    data_dir = tmp_path_factory.mktemp("storm") / "var"
    subprocess.run(["cp", "-Rp", released, data_dir], check=True)  # with its owners: PostgreSQL never runs as root
    with running(data_dir, WEB_PROCESSES=str(PROCESSES)) as service:
        _on_one_core()
        port = service.url.rpartition(":")[2]
        yield load({"DATA_DIR": str(data_dir), "PORT": port, "PUBLIC_BASE_URL": service.url}, dotenv=None)


def _on_one_core() -> None:
    if not hasattr(os, "sched_getaffinity"):  # where processes cannot be told, they have all cores
        return
    core = sorted(os.sched_getaffinity(0))[-1:]
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # PostgreSQL's come and go
            if "ivr.server" in child.cmdline():
                for process in (child, *child.children(recursive=True)):
                    process.cpu_affinity(core)


def test_in_a_storm_of_searches_nobody_waits_long_and_callers_who_hold_are_answered(settings: Settings) -> None:
    async def storm() -> Storm:
        weather = Weather(settings)
        try:
            return await weather.storm(RATE, SECONDS, AT_ONCE)
        finally:
            weather.close()

    found = asyncio.run(storm())
    assert found.failed == []
    assert len(found.served) + len(found.refused) == RATE * SECONDS
    assert len(found.served) > 10
    assert len(found.refused) > 10
    assert max(found.served + found.refused) < LONGEST_S
    assert max(found.holding) < LONGEST_S
    assert (len(found.after), found.refused_after) == (20, 0)
    assert max(found.after) < LONGEST_S


def test_an_article_that_is_imported_is_found_within_five_seconds(settings: Settings) -> None:
    async def found_after() -> float:
        weather = Weather(settings)
        try:
            return await weather.found_after(PROCESSES)
        finally:
            weather.close()

    assert asyncio.run(found_after()) < 5
