"""Where each command is found."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from config.kinds import Secret
from config.settings import Settings
from ivr.app import create_app
from ivr.cli import ELSEWHERE
from ivr.wiring import build

HERE = Path(__file__).resolve().parents[2]


def test_every_command_of_another_module_is_listed_and_there() -> None:
    files = {file.stem for file in (HERE / "ivr").glob("*_cli.py")}
    found = {command.name: file for file in files for command in importlib.import_module(f"ivr.{file}").commands}
    assert found == ELSEWHERE


@pytest.mark.parametrize("words", [("call", "show", "CA1")])
def test_a_command_without_a_database_says_what_to_do(settings: Settings, words: tuple[str, ...]) -> None:
    away = settings.model_copy(update={"database_url": Secret("postgresql://a:b@127.0.0.1:1/none")})
    wiring = build(away)
    app = create_app(wiring)
    with app.app_context():
        done = app.test_cli_runner().invoke(args=words)
    wiring.close()
    assert done.exit_code == 1
    assert "Error: the database cannot be asked" in done.output
    assert done.output.rstrip().endswith("start it, or correct DATABASE_URL")


def test_a_worker_waits_for_no_statistics_and_no_printer() -> None:
    asked = "import sys, ivr.app, ivr.cli, ivr.jobs.worker; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", asked], cwd=HERE, capture_output=True, text=True, check=True).stdout
    assert {"scipy.stats", "reportlab", "xlsxwriter", "openpyxl", "alembic"} & set(loaded.split()) == set()
