"""`python -m search evaluate` on sets of odd shapes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.__main__ import main
from search.encoder import Encoder
from search.evaluation import kept, options
from search.evaluation.kept import KeptEncoder
from tests.search.evaluation.test_judged import write


@pytest.fixture
def evaluate(encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command on folders: its status."""
    monkeypatch.setattr(options, "load_encoder", lambda *given: encoder)
    return lambda *sets: main(["evaluate", "--json", "--kept", str(tmp_path / "kept"), *map(str, sets)])


def strict(text: str) -> Any:
    """JSON as the standard has it."""

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_without_answerable_questions_their_measures_are_null(
    evaluate: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(write(tmp_path / "mine", qrels__tsv="", labels__tsv="")) == 0
    (result,) = strict(capsys.readouterr().out)
    assert (result["answerable"], result["unanswerable"]) == (0, 2)
    ours = result["systems"][0]
    assert (ours["success@1"], ours["AUROC"], result["gate"]["offered"]) == (None, None, None)
    assert result["gate"]["offered_unanswerable"] is not None


def test_articles_of_signs_alone_are_searched(
    evaluate: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signs = json.dumps({"id": "a1", "title": "🚀", "body": "🎉"})
    assert evaluate(write(tmp_path / "mine", articles__jsonl=signs)) == 0
    systems = {one["name"]: one for one in strict(capsys.readouterr().out)[0]["systems"]}
    assert systems["BM25"]["AUROC"] == 0.5


def test_a_broken_set_keeps_no_other_from_being_measured(
    evaluate: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = write(tmp_path / "good")
    assert evaluate(tmp_path / "none", good) == 1
    printed = capsys.readouterr()
    (result,) = strict(printed.out)
    assert (result["set"], result["unknown_judgements"], result["skipped"]) == ("good", 1, 1)
    assert "none is not a folder" in printed.err


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"nothing of ours"])
def test_a_broken_file_of_kept_vectors_is_as_none(encoder: Encoder, tmp_path: Path, content: bytes) -> None:
    (tmp_path / f"{encoder.model_id}.npz").write_bytes(content)
    assert KeptEncoder(encoder, tmp_path).encode(["red light"]).shape == (1, encoder.dimension)


def test_two_commands_keep_vectors_at_a_time(encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "WRITE_FROM", 1)
    real, other = np.savez, KeptEncoder(encoder, tmp_path)

    def overtaken(*args: Any, **arrays: Any) -> None:
        real(*args, **arrays)
        monkeypatch.setattr(np, "savez", real)
        other.encode(["no sound"])

    monkeypatch.setattr(np, "savez", overtaken)
    KeptEncoder(encoder, tmp_path).encode(["red light"])
    assert [file.name for file in tmp_path.iterdir()] == [f"{encoder.model_id}.npz"]
