"""What must never start: a debugger before the public, a model that brings code (S23, S24)."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from search.encoder import EncoderError, load_encoder

ROOT = Path(__file__).resolve().parents[2]
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
PRODUCTION = {
    "OFFHOLD_ENV": "production",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "PUBLIC_BASE_URL": "https://calls.lumora.example",
    "TWILIO_ACCOUNT_SID": "AC" + "5" * 32,
    "TWILIO_AUTH_TOKEN": "a token of thirty-two characters",
    "TWILIO_SENDER_NUMBER": "+15005550006",
    "SESSION_SECRET": "one of forty letters, said by nobody yet",
    "LINK_SECRET": "and another, for what callers are sent..",
    "NUMBER_ENCRYPTION_KEY": KEY,
    "NUMBER_HASH_KEY": KEY,
    "STATEMENT_KEY": KEY,
}


@pytest.mark.parametrize("how", [{"FLASK_DEBUG": "1"}, {}], ids=["by the environment", "by the option"])
def test_the_debugger_cannot_be_switched_on_in_production(how: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "flask", "--app", "ivr.app", *(() if how else ("--debug",)), "run", "--port", "0"]
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATA_DIR": str(tmp_path), **PRODUCTION, **how}
    done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode != 0
    assert "debug" in done.stderr
    assert "Debugger is active" not in done.stdout + done.stderr
    assert "Running on" not in done.stdout + done.stderr


class Code:
    """What unpickling would run."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("exit 3",)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Looks like a model of sentence-transformers, up to its weights."""
    (tmp_path / "modules.json").write_text(json.dumps([{"type": "sentence_transformers.models.Transformer"}]))
    (tmp_path / "0").mkdir()
    return tmp_path


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pkl", "0/optimizer.pt", "modeling_own.py"])
def test_a_model_folder_that_brings_code_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_bytes(pickle.dumps(Code()))
    with pytest.raises(EncoderError, match="may hold code"):
        load_encoder("sentence-transformers", str(folder))


@pytest.mark.parametrize("modules", ['[{"type": "os.path"}]', '[{"type": "own.Part"}]', "{}", "[1]", "[" * 99_999])
def test_a_model_that_names_other_code_as_its_part_is_refused(folder: Path, modules: str) -> None:
    (folder / "modules.json").write_text(modules)
    with pytest.raises(EncoderError, match=r"modules\.json"):
        load_encoder("sentence-transformers", str(folder))
