"""The capacity page says what its sum says, and the sum what was measured."""

import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bench.capacity import BASE, Habits, Machine, Measured, billed, connections, need, rows, sender_limit_s, table

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "capacity.md").read_text("utf-8")


def test_the_page_has_the_table_as_it_is_printed() -> None:
    assert table(rows()) in PAGE, table(rows())


def test_the_page_has_what_is_billed() -> None:
    printed = "\n".join(f"{price}: {units:,.0f} an hour" for price, units in billed(*BASE).items())
    assert f"```\n{printed}\n```" in PAGE, printed


def test_the_command_prints_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.capacity"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == table(rows())


def test_an_hour_of_one_call_a_second_is_what_one_reckons_by_hand() -> None:
    habits = Habits(before_hold=5, round_s=20, spoken=0, takes=0.5, receipts=3, visits=1, replies=0, facts=10)
    measured = Measured(web_ms=2, store_ms=1, text_ms=10, fact_bytes=100, call_bytes=1000, text_bytes=0)
    found = need(3600, 100, habits, Machine(cores=1), measured)
    assert found.webhooks_s == 5 + 100 / 20 + 0.5 * 4
    assert (found.texts_s, found.searches_s, found.in_the_system) == (0.5, 0, 130)
    assert found.web_cores == pytest.approx(0.024)
    assert found.store_cores == pytest.approx(0.012)
    assert found.worker_cores == pytest.approx(0.005)
    assert (found.machines, found.web_processes, found.workers) == (2, 4, 2)
    assert found.gb_a_year == pytest.approx(360 * 24 * 365 * 2000 / 1e9)


def test_ten_times_the_calls_are_ten_times_the_work_and_no_fewer_machines() -> None:
    one, ten = need(50_000, 60), need(500_000, 60)
    assert ten.webhooks_s == pytest.approx(10 * one.webhooks_s)
    assert ten.web_cores == pytest.approx(10 * one.web_cores)
    assert ten.machines > one.machines >= 2
    assert ten.web_processes * 0.5 >= ten.web_cores


def test_the_compose_files_connections_are_within_what_its_postgresql_takes() -> None:
    services = YAML(typ="safe", pure=True).load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))["services"]
    (most,) = [part.partition("=")[2] for part in services["postgres"]["command"] if "max_connections" in part]
    assert connections(web_processes=4, workers=2, web_threads=8) == 70 < int(most)
    assert connections(11, 5, 8) <= int(most)


def test_a_worker_sends_as_many_texts_as_the_carrier_lets_it() -> None:
    assert sender_limit_s(1, 0.3) == pytest.approx(13.3, abs=0.1)
    assert sender_limit_s(6, 0.3) == pytest.approx(80)
