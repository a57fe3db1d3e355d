"""The documents say what the code says."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from config.settings import load
from ivr.app import create_app
from ivr.call.facts import FACTS
from ivr.wiring import build

ROOT = Path(__file__).resolve().parent.parent


def facts_table() -> str:
    return "\n".join(
        [
            "| fact | means exactly |",
            "|---|---|",
            *(f"| `{name}` | {text.replace('|', '/')} |" for name, text in FACTS.items()),
        ]
    )


def test_the_vocabulary_lists_every_fact() -> None:
    assert facts_table() in (ROOT / "docs" / "vocabulary.md").read_text("utf-8"), facts_table()


DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=[str(file.relative_to(ROOT)) for file in DOCUMENTS])
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", document.read_text("utf-8"))
    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_no_picture_is_heavy_and_each_is_shown() -> None:
    shown = "".join(document.read_text("utf-8") for document in DOCUMENTS)
    pictures = list((ROOT / "docs" / "images").iterdir())
    assert [file.name for file in pictures if file.stat().st_size > 300_000 or file.name not in shown] == []


def test_the_commands_work_as_the_documents_write_them(tmp_path: Path) -> None:
    """`flask menu check FILE` in the project's folder, with nothing else to say where the application is."""
    done = subprocess.run(
        [Path(sys.executable).with_name("flask"), "menu", "check", "--help"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Tell every problem of FILE" in done.stdout


def test_every_command_of_the_documents_and_pages_exists(tmp_path: Path) -> None:
    pages = [*DOCUMENTS, *(ROOT / "ivr").rglob("*.py"), *(ROOT / "ivr").rglob("*.html")]
    said = "\n".join(page.read_text("utf-8") for page in pages)
    named = set(re.findall(r"(?:`|<code>|^)flask ([a-z-]+)(?: ([a-z][a-z-]*))?", said, re.MULTILINE))
    app = create_app(build(load({"DATA_DIR": str(tmp_path)}, dotenv=None)))
    context = click.Context(app.cli)
    for group, command in sorted(named - {("run", "")}):  # Flask's own
        found = app.cli.get_command(context, group)
        assert found is not None, f"flask {group}"
        if isinstance(found, click.Group) and command:
            assert command in found.commands, f"flask {group} {command}"
    assert {("phone", "call"), ("menu", "check"), ("facts", "export")} <= named
