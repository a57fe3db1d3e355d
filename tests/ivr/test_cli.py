"""Where each command is found."""

import importlib
import subprocess
import sys
from pathlib import Path

from ivr.cli import ELSEWHERE

HERE = Path(__file__).resolve().parents[2]


def test_every_command_of_another_module_is_listed_and_there() -> None:
    files = {file.stem for file in (HERE / "ivr").glob("*_cli.py")}
    found = {command.name: file for file in files for command in importlib.import_module(f"ivr.{file}").commands}
    assert found == ELSEWHERE


def test_a_worker_waits_for_no_statistics_and_no_printer() -> None:
    asked = "import sys, ivr.app, ivr.cli, ivr.jobs.worker; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", asked], cwd=HERE, capture_output=True, text=True, check=True).stdout
    assert {"scipy.stats", "reportlab", "xlsxwriter", "openpyxl", "alembic"} & set(loaded.split()) == set()
