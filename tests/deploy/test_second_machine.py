"""A second machine that finds only the embedded stores of the first does not start, and says what to set."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config import folders, machine
from config.settings import SettingsError, load

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = (
    ("-m", "ivr.stores"),
    ("-m", "ivr.server"),
    ("-m", "flask", "--app", "ivr.app", "worker"),
)


@pytest.fixture
def of_another(tmp_path: Path) -> Path:
    """A DATA_DIR whose stores another machine runs: shared over the network, or copied."""
    folders.run_folder(tmp_path).mkdir()
    folders.machine_note(tmp_path).write_text("0123456789abcdef0123456789abcdef\nfirst.example\n")
    return tmp_path


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load(environ, dotenv=None)
    return refused.value.problems


@pytest.mark.parametrize("program", PROGRAMS, ids=[" ".join(program) for program in PROGRAMS])
def test_no_program_of_ours_starts_there(of_another: Path, program: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, *program],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATA_DIR": str(of_another)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 2
    assert "DATABASE_URL: not set, and the embedded stores in" in done.stderr
    assert "REDIS_URL: not set" in done.stderr
    assert "are run by the machine first.example; expected a server that all machines reach" in done.stderr
    assert not (of_another / "postgres").exists()


def test_it_is_told_which_of_the_two_is_missing(of_another: Path) -> None:
    given = {"DATA_DIR": str(of_another), "DATABASE_URL": "postgresql://offhold@db.example/offhold"}
    (told,) = problems(given)
    assert told.startswith("REDIS_URL: not set")
    assert told.endswith(f"remove {of_another / 'run' / 'machine'}")


def test_it_starts_with_stores_that_both_reach(of_another: Path) -> None:
    given = {
        "DATA_DIR": str(of_another),
        "DATABASE_URL": "postgresql://offhold@db.example/offhold",
        "REDIS_URL": "redis://cache.example/0",
    }
    assert not load(given, dotenv=None).embedded_postgres


def test_the_machine_that_ran_them_goes_on(tmp_path: Path) -> None:
    folders.run_folder(tmp_path).mkdir()
    machine.mark(tmp_path)
    machine.mark(tmp_path)
    assert load({"DATA_DIR": str(tmp_path)}, dotenv=None).embedded_postgres


def test_whoever_ran_them_first_stays_noted(of_another: Path) -> None:
    machine.mark(of_another)
    assert machine.other(of_another) == "first.example"


def test_a_folder_that_moved_for_good_is_taken_over(of_another: Path) -> None:
    folders.machine_note(of_another).unlink()
    machine.mark(of_another)
    assert load({"DATA_DIR": str(of_another)}, dotenv=None).embedded_valkey


@pytest.mark.parametrize("text", ["", "\n"])
def test_a_note_that_was_cut_short_stops_nobody(tmp_path: Path, text: str) -> None:
    folders.run_folder(tmp_path).mkdir()
    folders.machine_note(tmp_path).write_text(text)
    assert machine.other(tmp_path) is None
