"""What the Procfiles start is there to be started."""

import importlib.util
import re
from pathlib import Path

import pytest
from honcho.environ import parse_procfile

from ivr import cli

ROOT = Path(__file__).resolve().parents[2]


def commands(name: str) -> dict[str, str]:
    processes: dict[str, str] = parse_procfile((ROOT / name).read_text(encoding="utf-8")).processes
    return processes


def test_a_deployment_has_release_web_and_worker() -> None:
    assert list(commands("Procfile")) == ["release", "web", "worker"]


def test_the_stores_are_started_first_where_they_are_ours() -> None:
    assert list(commands("Procfile.dev")) == ["stores", "web", "worker", "phone"]


@pytest.mark.parametrize("name", ["Procfile", "Procfile.dev"])
def test_every_command_exists(name: str) -> None:
    for command in commands(name).values():
        module = re.fullmatch(r"(?:exec )?python -m ([\w.]+)", command)
        flask = re.fullmatch(r"(?:exec )?flask --app ivr\.app (\w+)", command)
        assert module or flask, command
        if module:
            package = importlib.util.find_spec(module[1])
            assert package is not None
            assert not package.submodule_search_locations or importlib.util.find_spec(f"{module[1]}.__main__")
        if flask:
            assert flask[1] in {"release": cli.release, "worker": cli.worker}
